"""One running Netzlage: what every command opens first and hands on. I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.clock import Clock
from aggregator.geocode import RemoteGazetteer
from aggregator.keyring import Keyring
from aggregator.settings import Settings, secret_key
from aggregator.store import Store, open_store


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
    remote = RemoteGazetteer(settings.nominatim_url, catalogue.places) if settings.nominatim_url else None
    return Instance(settings, clock, catalogue, open_store(settings.database), key, remote)
