"""`statement`, `incident`, `token`: what a person says, what is taken back, and who may do so by the API. I/O."""

from __future__ import annotations

from datetime import datetime
from textwrap import shorten
from typing import Any, get_args

import click

from aggregator.cli.common import Options
from aggregator.clock import BERLIN
from aggregator.errors import NetzlageError
from aggregator.model import Channel, Filter, Stance
from aggregator.store import statements, tokens
from aggregator.words import correct, put_enquiry, put_statement, take_back


@click.group()
def statement() -> None:
    """Put on record what a provider says, or that it was asked."""


@statement.command("add")
@click.argument("quote")
@click.option("--provider", help="Id or name; left out: of the enquiry or the incident.")
@click.option("--channel", type=click.Choice(get_args(Channel)), required=True, help="By which way it came.")
@click.option(
    "--stance", type=click.Choice(get_args(Stance)), default="unclear", show_default=True, help="Your reading."
)
@click.option("--said-at", help="When it was said (ISO 8601; without a zone Europe/Berlin); left out: now.")
@click.option("--service", help="Id or name; left out: it names none.")
@click.option("--link", help="Where it is found.")
@click.option("--expected-end", help="Until when it is to last, as they say.")
@click.option("--incident", "incident_id", help="The incident it belongs to; left out: told by provider and time.")
@click.option("--reply-to", "enquiry_id", help="The enquiry that it answers.")
@click.option("--own-words", is_flag=True, help="QUOTE is retold, not quoted.")
@click.option("--assumed-time", is_flag=True, help="The hour is assumed.")
@click.pass_obj
def add_statement(options: Options, /, **values: Any) -> None:
    """Put QUOTE, the words of a provider, on record."""
    with options.opened() as instance:
        said, new = put_statement(instance, values)
    click.echo(f"{said.statement_id}: {'kept' if new else 'known already'}")


@statement.command()
@click.argument("incident_id")
@click.option("--provider", help="Id or name; needed where several take part.")
@click.option("--asked-at", help="When (ISO 8601; without a zone Europe/Berlin); left out: now.")
@click.pass_obj
def ask(options: Options, /, **values: Any) -> None:
    """Put on record that you asked a provider about an incident; prints the id for --reply-to."""
    with options.opened() as instance:
        asked, new = put_enquiry(instance, values)
        contact = instance.catalogue.provider(asked.provider).press_contact
    click.echo(
        f"{asked.enquiry_id}: {'kept' if new else 'known already'}{f', press contact {contact}' * bool(contact)}"
    )


@statement.command("list")
@click.option("--provider", help="Id or name; left out: all.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="So many, the newest.")
@click.pass_obj
def list_statements(options: Options, provider: str | None, limit: int) -> None:
    """Show what is on record, newest first: id, when, who, how, the words, and whether it was taken back."""
    with options.opened() as instance, instance.store.read() as connection:
        known = instance.catalogue.provider_id(provider) or provider if provider else ""
        f = Filter(provider=known)
        found = [*statements.find(connection, f), *statements.find(connection, f, taken_back=True)]
        gone = statements.retractions(connection)
    for one in sorted(found, key=lambda s: (s.said_at, s.statement_id), reverse=True)[:limit]:
        back = gone.get(one.statement_id)
        click.echo(
            f"{one.statement_id} {_local(one.said_at)} {one.provider} {one.channel} {one.stance}: "
            f"{shorten(one.quote, 80, placeholder=' …')}"
            + (f" (taken back {_local(back.at)}: {back.text})" if back else "")
        )


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(BERLIN):%Y-%m-%d %H:%M}"


@statement.command("withdraw")
@click.argument("statement_id")
@click.argument("text")
@click.pass_obj
def withdraw_statement(options: Options, statement_id: str, text: str) -> None:
    """Take a statement back; it stays to be seen, struck through, with TEXT as the dated reason."""
    with options.opened() as instance:
        done = take_back(instance, statement_id, text, author="command")
    click.echo(f"{statement_id}: taken back, {_local(done.at)}")


@click.group()
def incident() -> None:
    """Correct an incident in public."""


@incident.command()
@click.argument("incident_id")
@click.argument("text")
@click.pass_obj
def withdraw(options: Options, incident_id: str, text: str) -> None:
    """Take an incident back; TEXT says why, dated, wherever it is shown."""
    _correct(options, incident_id, "withdraw", text)


@incident.command()
@click.argument("incident_id")
@click.argument("text")
@click.pass_obj
def note(options: Options, incident_id: str, text: str) -> None:
    """Add a dated note to an incident, wherever it is shown."""
    _correct(options, incident_id, "note", text)


def _correct(options: Options, incident_id: str, kind: str, text: str) -> None:
    with options.opened() as instance:
        done = correct(instance, incident_id, {"kind": kind, "text": text}, author="command")
    click.echo(f"{incident_id}: {kind}, {_local(done.at)}")


@click.group()
def token() -> None:
    """Say who may write through the API."""


@token.command("add")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(tokens.SCOPES), multiple=True, required=True, help="What it may do."
)
@click.pass_obj
def add_token(options: Options, name: str, scopes: tuple[str, ...]) -> None:
    """Make a token called NAME and print it, this once."""
    with options.opened() as instance, instance.store.write() as connection:
        issued = tokens.add(connection, name, scopes, instance.clock.now())
    click.echo(f"{issued.token.token_id}: {', '.join(issued.token.scopes)}. Keep it, it is not shown again:", err=True)
    click.echo(issued.text)


@token.command("list")
@click.pass_obj
def list_tokens(options: Options) -> None:
    """Show every token: id, name, scopes, since when, and whether it was revoked."""
    with options.opened() as instance, instance.store.read() as connection:
        found = tokens.everyone(connection)
    for one in found:
        state = f"revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else "holds"
        click.echo(f"{one.token_id} {one.name:24} {','.join(one.scopes):24} {one.created_at:%Y-%m-%d} {state}")


@token.command()
@click.argument("token_id")
@click.pass_obj
def revoke(options: Options, token_id: str) -> None:
    """Take a token back."""
    with options.opened() as instance, instance.store.write() as connection:
        if not tokens.revoke(connection, token_id, instance.clock.now()):
            raise NetzlageError(f"There is no token {token_id} that still holds; see `netzlage token list`.")
    click.echo(f"{token_id}: revoked")
