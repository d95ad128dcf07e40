"""Statements and signals in their sources' words -> in ours: providers, services and regions by id. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from aggregator.cleaning import quoted, slug
from aggregator.model import ALL, Provider, Rejected, Signal, Statement
from aggregator.normalise import AHEAD
from aggregator.places import Located, Places
from aggregator.spelling import LAND_WORDS, fold
from ingest.parsers.read import digest


class Facts(Protocol):
    """What of the catalogue is needed here."""

    @property
    def places(self) -> Places:
        """The gazetteer."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The providers by id."""

    def provider_id(self, text: str) -> str | None:
        """Return the id of the provider of that id, name or alias."""

    def service_id(self, text: str) -> str | None:
        """Return the id of the service of that id, name or alias."""


def resolve_statement(
    statement: Statement, facts: Facts, now: datetime, *, open_providers: bool = False
) -> Statement | Rejected:
    """Return the statement with our ids of provider and service, received `now`, or why there are none.

    open_providers: one that the catalogue lacks gets an id made of its name.
    """
    provider = facts.provider_id(statement.provider) or (slug(statement.provider) if open_providers else "")
    service = ALL if statement.service == ALL else facts.service_id(statement.service)
    if not provider or provider == ALL:
        return Rejected("unknown_provider", f"Provider {quoted(statement.provider)} is not known.", "provider")
    if service is None:
        return Rejected("unknown_service", f"Service {quoted(statement.service)} is not known.", "service")
    if statement.said_at > now + AHEAD:
        return _future("said_at", statement.said_at)
    # Its id is made of what it says: an edited one is another statement, one under a new number is the same.
    said = (statement.source, provider, statement.said_at.isoformat(), statement.stance, statement.quote)
    return replace(
        statement, statement_id=digest("statement", *said), provider=provider, service=service, received_at=now
    )


def resolve_signal(signal: Signal, facts: Facts, now: datetime) -> Signal | Rejected:
    """Return the signal with our ids of provider and region, received `now`, or why there are none.

    A network that is nobody's we know keeps its number: it is shown with no provider of ours.
    """
    if signal.started_at > now + AHEAD:
        return _future("started_at", signal.started_at)
    region = _region(signal.region, facts)
    if region is None and "scope" not in signal.details:  # a scope is said in words, often "Nationwide"
        return Rejected("unknown_place", f"Region {quoted(signal.region)} is not known.", "region")
    provider = _provider(signal.provider, facts)
    if provider is None:
        return Rejected("unknown_provider", f"Provider {quoted(signal.provider)} is not known.", "provider")
    return replace(signal, region=region or "", provider=provider, received_at=now)


def _future(field: str, moment: datetime) -> Rejected:
    return Rejected("future_time", f"{field} {moment:%Y-%m-%dT%H:%MZ} is yet to come; check it.", field)


def _provider(said: str, facts: Facts) -> str | None:
    if not said.startswith("AS") or not said[2:].isdecimal():
        return facts.provider_id(said) if said else ""
    number = int(said[2:])
    return next((p.id for p in facts.providers.values() if number in p.asns), said.lower())


def _region(said: str, facts: Facts) -> str | None:
    """Return AGS2 of a Land's name, else AGS5 of a district's; None where it is neither."""
    if not said:
        return ""
    land = LAND_WORDS.get(fold(said))
    if land:
        return land
    found = facts.places.locate(region=said)
    return found.region if isinstance(found, Located) else None
