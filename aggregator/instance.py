"""One running Netzlage: what every command opens first and hands on. I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.clock import Clock
from aggregator.keyring import Keyring
from aggregator.settings import Settings, secret_key
from aggregator.store import Store, open_store

if TYPE_CHECKING:
    from aggregator.geocode import RemoteGazetteer


@dataclass(frozen=True, slots=True)
class Instance:
    """Settings, clock, facts and store, plus the key of what is hashed for good and the keys of persons."""

    settings: Settings
    clock: Clock
    catalogue: Catalogue
    store: Store
    key: bytes
    remote: RemoteGazetteer | None = None  # where a Nominatim server is configured
    keyring: Keyring = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keyring", Keyring(self.store, self.key))


def open_instance(settings: Settings, clock: Clock) -> Instance:
    """Load the facts, open the store (migrated to the present schema) and make the secret key if there is none."""
    key = secret_key(settings).encode()
    settings.home.mkdir(parents=True, exist_ok=True)
    catalogue = load_catalogue()
    return Instance(settings, clock, catalogue, open_store(settings.database), key, _remote(settings, catalogue))


def _remote(settings: Settings, catalogue: Catalogue) -> RemoteGazetteer | None:
    if not settings.nominatim_url:
        return None
    from aggregator.geocode import RemoteGazetteer  # noqa: PLC0415 # optional extra: geopy and requests take 9 MB

    return RemoteGazetteer(settings.nominatim_url, catalogue.places)
