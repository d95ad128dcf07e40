"""What people of this Netzlage put on record: statements, enquiries, corrections; one door for command and API. I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, cast, get_args

from aggregator.cleaning import clean, quoted
from aggregator.errors import NetzlageError
from aggregator.instance import Instance
from aggregator.model import ALL, Channel, Incident, Stance, Statement
from aggregator.normalise import AHEAD, NotAReport, moment
from aggregator.record import Correction, CorrectionKind, Enquiry, Retraction
from aggregator.store import Connection, corrections, enquiries, incidents, names, statements

BY_HAND: Final = "manual"  # the source of what a person enters
LONGEST: Final = 5000
LONGEST_NAME: Final = 120
TRUE: Final = frozenset({"true", "1", "yes", "on"})
FALSE: Final = frozenset({"false", "0", "no", "off"})


class Refused(NetzlageError):  # noqa: N818 - it reads as what it says
    """Carries a sentence for each field that cannot be used."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(slots=True)
class Fields:
    """The fields that somebody sent, and what is wrong with those read so far."""

    instance: Instance
    connection: Connection
    values: Mapping[str, Any]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, limit: int = LONGEST_NAME) -> str:
        """Return a field as clean text; what is too long, or no text, is wrong."""
        value = self.values.get(name)
        if not isinstance(value, str | None):
            return self.wrong(name, f"{name} is no text; write text.")
        said = clean(value or "", LONGEST + 1)
        return said if len(said) <= limit else self.wrong(name, f"{name} is too long; {limit} characters at most.")

    def needed(self, name: str, limit: int = LONGEST_NAME) -> str:
        """Return a field that must not be empty."""
        return self.text(name, limit) or self.wrong(name, f"No {name} is given.")

    def one_of(self, name: str, known: tuple[str, ...], default: str = "") -> str:
        """Return one of the words `known`."""
        said = self.text(name) or default
        return said if said in known else self.wrong(name, f"{name} must be one of {', '.join(known)}.")

    def time(self, name: str) -> datetime | None:
        """Return a time, None where none is given."""
        try:
            return moment(self.text(name) or None, name)
        except NotAReport as error:
            self.wrong(name, error.detail)
            return None

    def past(self, name: str) -> datetime:
        """Return a time that has passed; now where none is given."""
        now = self.instance.clock.now()
        at = self.time(name) or now
        if at > now + AHEAD:
            self.wrong(name, f"{name} is yet to come; check it.")
        return at

    def truth(self, name: str) -> bool:
        """Return whether a field says yes."""
        value = self.values.get(name)
        said = value if isinstance(value, bool) else self.text(name).lower()
        if said in {True, *TRUE}:
            return True
        return bool(said not in {False, "", *FALSE} and self.wrong(name, f"{name} must be true or false."))

    def wrong(self, name: str, sentence: str) -> str:
        """Note the first mistake of a field."""
        self.errors.setdefault(name, sentence)
        return ""

    def refuse(self) -> None:
        """Raise Refused if anything was wrong."""
        if self.errors:
            raise Refused(self.errors)


def put_statement(instance: Instance, values: Mapping[str, Any]) -> tuple[Statement, bool]:
    """Put on record what a provider said, from fields as text; return it and whether it was new.

    Needed: provider (or enquiry_id, or the incident_id of one provider), quote, channel. said_at: now where left out.
    stance: a person's reading, "unclear" where left out. Raises Refused with a sentence a field, StoreError.
    """
    with instance.store.write() as connection:
        fields = Fields(instance, connection, values)
        statement = _statement(fields)
        fields.refuse()
        return statement, bool(statements.add(connection, [statement]))


def _statement(fields: Fields) -> Statement:
    asked = _enquiry(fields)
    incident = _incident(fields, asked.incident_id if asked else "")
    said_at, expected_end = fields.past("said_at"), fields.time("expected_end")
    if expected_end and expected_end < said_at:
        fields.wrong("expected_end", "expected_end lies before said_at; check both.")
    provider = _provider(fields, asked, incident)
    quote = fields.needed("quote", LONGEST)
    key = fields.text("uid") or "\x1f".join((provider, said_at.isoformat(), quote))
    return Statement(
        statement_id=_id("statement", key),
        provider=provider,
        service=_service(fields),
        said_at=said_at,
        quote=quote,
        stance=cast(Stance, fields.one_of("stance", get_args(Stance), "unclear")),
        channel=cast(Channel, fields.one_of("channel", get_args(Channel))),
        source=BY_HAND,
        link=_link(fields),
        own_words=fields.truth("own_words"),
        assumed_time=fields.truth("assumed_time"),
        received_at=fields.instance.clock.now(),
        expected_end=expected_end,
        incident_id=incident.incident_id if incident else "",
        enquiry_id=asked.enquiry_id if asked else "",
    )


def _id(kind: str, key: str) -> str:
    return blake2b(
        f"{BY_HAND}\x1f{key}".encode("utf-8", "surrogatepass"), digest_size=12, person=kind.encode()
    ).hexdigest()


def _enquiry(fields: Fields) -> Enquiry | None:
    asked = fields.text("enquiry_id")
    found = enquiries.get(fields.connection, asked) if asked else None
    if asked and found is None:
        fields.wrong("enquiry_id", f"Enquiry {quoted(asked)} is not on record.")
    return found


def _incident(fields: Fields, default: str = "") -> Incident | None:
    incident_id = fields.text("incident_id") or default
    found = incidents.get(fields.connection, incident_id) if incident_id else None
    if incident_id and found is None:
        fields.wrong("incident_id", f"Incident {quoted(incident_id)} is not known.")
    return found


def _provider(fields: Fields, asked: Enquiry | None, incident: Incident | None) -> str:
    said = fields.text("provider")
    if not said and asked:
        return asked.provider
    if not said and incident and len(incident.providers) == 1:
        return incident.providers[0]
    known = fields.instance.catalogue.provider_id(said) if said else None
    if known is None and said in names.all(fields.connection):
        known = said
    return known or fields.wrong("provider", f"Provider {quoted(said)} is not known; write a listed name or id.")


def _service(fields: Fields) -> str:
    said = fields.text("service")
    found = ALL if said in {"", ALL} else fields.instance.catalogue.service_id(said)
    return found or fields.wrong("service", f"Service {quoted(said)} is not known; write an id such as mobile.")


def _link(fields: Fields) -> str:
    link = fields.text("link", 1000)
    if link and not link.startswith(("https://", "http://")):
        return fields.wrong("link", "link must begin with https:// or http://.")
    return link


def put_enquiry(instance: Instance, values: Mapping[str, Any]) -> tuple[Enquiry, bool]:
    """Put on record that somebody asked a provider about an incident; return it and whether it was new.

    Needed: incident_id; provider where several take part. asked_at: now where left out. Raises as `put_statement`.
    """
    with instance.store.write() as connection:
        fields = Fields(instance, connection, values)
        incident = _incident(fields)
        if incident is None:
            fields.wrong("incident_id", "No incident_id is given.")
        asked_at = fields.past("asked_at")
        provider = _provider(fields, None, incident)
        fields.refuse()
        incident_id = incident.incident_id if incident else ""
        key = "\x1f".join((incident_id, provider, asked_at.isoformat()))
        enquiry = Enquiry(_id("enquiry", key), incident_id, provider, asked_at, instance.clock.now())
        return enquiry, enquiries.add(connection, enquiry)


def correct(instance: Instance, incident_id: str, values: Mapping[str, Any], *, author: str) -> Correction:
    """Withdraw an incident or add a note to it, dated now; `kind` and `text` are among `values`.

    Raises Refused (unknown incident, withdrawn already, no text), StoreError. Safe beside a running worker.
    """
    with instance.store.write() as connection:
        fields = Fields(instance, connection, {**values, "incident_id": incident_id})
        incident = _incident(fields)
        kind = cast(CorrectionKind, fields.one_of("kind", get_args(CorrectionKind)))
        text = fields.needed("text", LONGEST)
        if kind == "withdraw" and incident and incident.state == "withdrawn":
            fields.wrong("kind", f"Incident {incident_id} is withdrawn already; add a note to it.")
        fields.refuse()
        if incident is None:
            raise Refused({"incident_id": "No incident is given."})
        # Not before what is shown now, also where a simulation has left the store ahead of the clock.
        at = max(instance.clock.now(), incident.updated_at)
        correction = Correction(incident.incident_id, at, kind, text, author)
        KINDS[kind](connection, incident, correction)
        return correction


def take_back(instance: Instance, statement_id: str, text: Any, *, author: str) -> Retraction:
    """Take a statement off the record, dated now: it stays to be seen, struck through, with `text` as the reason.

    Raises Refused (not on record, taken back already, no reason), StoreError.
    """
    with instance.store.write() as connection:
        fields = Fields(instance, connection, {"text": text})
        retraction = Retraction(statement_id, instance.clock.now(), fields.needed("text", LONGEST), author)
        if statements.get(connection, statement_id) is None:
            fields.wrong("statement_id", f"Statement {quoted(statement_id)} is not on record; see `statement list`.")
        fields.refuse()
        if not statements.take_back(connection, retraction):
            raise Refused({"statement_id": f"Statement {statement_id} was taken back already."})
        return retraction


def _note(connection: Connection, _incident: Incident, correction: Correction) -> None:
    corrections.note(connection, correction)


KINDS: Final[Mapping[str, Callable[[Connection, Incident, Correction], None]]] = {
    "withdraw": corrections.withdraw,
    "note": _note,
}
