"""The embedded gazetteer as a geopy Geocoder, and a Nominatim server for what it lacks, where one is set. I/O."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from geopy.exc import GeocoderQueryError, GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import Nominatim
from geopy.geocoders.base import Geocoder
from geopy.location import Location
from geopy.point import Point

from aggregator.places import Located, Places

AGENT: Final = "netzlage (https://github.com/netzlage/netzlage)"
PACE: Final = 1.0  # seconds between two questions: what the rules of the public server ask for
TIMEOUT: Final = 5.0  # seconds for one question: somebody's form may wait for it


class RemoteGazetteer:
    """Towns and quarters by a Nominatim server; asked at its pace, by all threads together."""

    def __init__(self, url: str, places: Places, *, pace: float = PACE, timeout: float = TIMEOUT) -> None:
        parts = urlsplit(url)
        geocoder = Nominatim(
            user_agent=AGENT, scheme=parts.scheme, domain=f"{parts.netloc}{parts.path}", timeout=timeout, proxies=None
        )
        self._ask = RateLimiter(geocoder.geocode, min_delay_seconds=pace, max_retries=0, swallow_exceptions=False)
        self._places = places

    def region(self, query: str) -> str | None:
        """Return the district (AGS5) of a settlement, "" where the server knows none in Germany, None: no answer.

        No answer is one that comes too late, an error, or something that is no answer; ask again later.
        """
        try:
            found = self._ask(query, country_codes="de", featuretype="settlement", language="de")
            if found is None:
                return ""
            at = self._places.locate(lat=float(found.latitude), lon=float(found.longitude))
        except (GeopyError, ValueError, TypeError, KeyError, AttributeError):
            return None  # geopy takes an answer of another form apart as it comes
        return at.region if isinstance(at, Located) else ""


class EmbeddedGazetteer(Geocoder):  # type: ignore[misc]  # geopy has no types
    """German towns, PLZ and districts by name, and the district of a point.

    Answers are a geopy Location, a list of them or None (geopy has no types, hence Any); a location carries
    `raw["region"]`, the district's key, `raw["approximate"]` and `raw["source"]`.
    """

    def __init__(self, places: Places) -> None:
        super().__init__(scheme="https", timeout=None, proxies=None, user_agent="netzlage")
        self._places = places

    def geocode(self, query: str, *, exactly_one: bool = True, timeout: object = None) -> Any:
        """The one place that a text means, else None; with `exactly_one=False` all that it may mean, best first.

        An ambiguous name (Essen) gives None rather than a guess. `timeout` is accepted and not needed.
        Raises GeocoderQueryError if the query is not text.
        """
        if not isinstance(query, str):
            raise GeocoderQueryError(f"A place is text, not {type(query).__name__}.")
        found = self._places.locate(place=query)
        if isinstance(found, Located):
            return _location(found) if exactly_one else [_location(found)]
        if exactly_one:
            return None
        return [
            _location(Located(t.region, self._places.label(t), t.lat, t.lon, "place"))
            for t in self._places.candidates(query)
        ] or None

    def reverse(self, query: object, *, exactly_one: bool = True, timeout: object = None) -> Any:
        """The district in which a point (latitude, longitude) lies, None if it is not in Germany.

        Raises GeocoderQueryError if the query is no point.
        """
        try:
            point = Point(query)
        except (ValueError, TypeError) as error:
            raise GeocoderQueryError(f"{query!r} is not a point: {error}") from error
        found = self._places.locate(lat=point.latitude, lon=point.longitude)
        if not isinstance(found, Located):
            return None
        return _location(found) if exactly_one else [_location(found)]


def _location(found: Located) -> Location:
    raw: dict[str, Any] = {"region": found.region, "approximate": found.approximate, "source": found.place_source}
    return Location(found.name, (found.lat, found.lon), raw)
