"""`subscription`: who is told of incidents, added and ended by the operator; and how the telling goes. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final, get_args
from urllib.parse import urlsplit

import click

from aggregator.alert.webhook import secret_of
from aggregator.cli.common import Options
from aggregator.clock import BERLIN, SystemClock
from aggregator.errors import NetzlageError, SettingsError
from aggregator.instance import Instance
from aggregator.notices import TEST, ChannelName, Subscription, Threshold
from aggregator.places import NotLocated
from aggregator.settings import Settings
from aggregator.store import outbox, subscriptions
from aggregator.store.checkup import waiting
from aggregator.web.subscribe import hashed, is_address

SHOWN: Final = 50
DAY: Final = timedelta(days=1)
LATE: Final = timedelta(minutes=15)  # since a message should have been tried: then no worker runs


@click.group()
def subscription() -> None:
    """Say who is told of incidents."""


@subscription.command()
@click.argument("channel", type=click.Choice(get_args(ChannelName)))
@click.argument("target")
@click.option("--provider", default="", help="Id or name; left out: all.")
@click.option("--region", default="", help="AGS or name of a Kreis or Land; left out: all of Germany.")
@click.option(
    "--threshold",
    type=click.Choice(get_args(Threshold)),
    default="strong",
    show_default=True,
    help="From which state of an incident on it is told.",
)
@click.option("--language", type=click.Choice(["de", "en"]), default="de", show_default=True, help="Of the sentences.")
@click.option("--private", is_flag=True, help="The webhook is a server of our own, at a private address or http.")
@click.pass_obj
def add(
    options: Options,
    channel: ChannelName,
    target: str,
    provider: str,
    region: str,
    threshold: Threshold,
    language: str,
    private: bool,
) -> None:
    """Tell TARGET, a URL or an e-mail address, of incidents; prints the secret of a webhook, this once.

    A webhook is told at once that it is subscribed; an e-mail address is asked first whether it wants to be.
    """
    with options.opened() as instance:
        if not instance.settings.base_url:
            raise NetzlageError("Setting base_url is empty; messages need it for the links to the site.")
        wanted = Subscription(
            subscriptions.new_id(), channel, target.strip(), _provider(instance, provider), _region(instance, region),
            threshold, language, instance.clock.now(), private=private,
        )  # fmt: skip
        click.echo(ADDERS[channel](instance, wanted))


def _provider(instance: Instance, text: str) -> str:
    found = instance.catalogue.provider_id(text) if text else ""
    if found is None:
        raise NetzlageError(f"Provider {text!r} is not known; write a listed name or id.")
    return found


def _region(instance: Instance, text: str) -> str:
    catalogue = instance.catalogue
    names = {land.name.casefold(): land.id for land in catalogue.laender.values()}
    if text in {"", *catalogue.regions, *catalogue.laender}:
        return text
    found = catalogue.places.locate(region=text)
    region = names.get(text.casefold()) or ("" if isinstance(found, NotLocated) else found.region)
    if not region:
        raise NetzlageError(f"Region {text!r} is not known; write the AGS or the name of a Kreis or Land.")
    return region


def _add_webhook(instance: Instance, wanted: Subscription) -> str:
    parts = urlsplit(wanted.target)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username:
        raise NetzlageError(f"{wanted.target!r} is not an address such as https://example.org/netzlage.")
    if parts.scheme == "http" and not wanted.private:
        raise NetzlageError("The address is not encrypted; write https://, or add --private if the server is your own.")
    with instance.store.write() as connection:
        subscriptions.add(connection, replace(wanted, confirmed_at=wanted.created_at))
        outbox.queue(connection, wanted.subscription_id, TEST, wanted.created_at)
    click.echo(f"{wanted.subscription_id}: subscribed. The secret, which is not shown again:", err=True)
    return secret_of(instance.key, wanted.subscription_id)


def _add_email(instance: Instance, wanted: Subscription) -> str:
    if not instance.settings.smtp_url:
        raise NetzlageError("Setting smtp_url is empty; without a mail server nobody can be told by e-mail.")
    if not is_address(wanted.target):
        raise NetzlageError("That is not an e-mail address.")
    with instance.store.write() as connection:
        if not subscriptions.ask(connection, wanted, hashed(instance, wanted.target.casefold()), ""):
            raise NetzlageError("The address was asked within the last hour; wait for the answer.")
    return f"{wanted.subscription_id}: asked by e-mail whether it wants to be told; begins when the link is confirmed."


ADDERS: Final = {"webhook": _add_webhook, "email": _add_email}


@subscription.command("list")
@click.pass_obj
def list_(options: Options) -> None:
    """Show every subscription: id, channel, to whom, what of, and how it stands."""
    with options.opened() as instance, instance.store.read() as connection:
        found = subscriptions.everyone(connection)
    for one in found:
        click.echo(
            f"{one.subscription_id} {one.channel:8} {one.provider or 'all':16} {one.region or 'de':6} "
            f"{one.threshold:10} {_stands(one):24} {_masked(one)}"
        )


def _stands(one: Subscription) -> str:
    if one.ended_at:
        return f"ended {one.ended_at:%Y-%m-%d} ({one.ended_why})"
    return f"since {one.confirmed_at:%Y-%m-%d}" if one.confirmed_at else "not confirmed yet"


def _masked(one: Subscription) -> str:
    """Return the target; of an e-mail address no more than tells two apart."""
    name, _, host = one.target.rpartition("@")
    return f"{name[:1]}…@{host}" if one.channel == "email" and one.target else one.target


@subscription.command()
@click.argument("subscription_id")
@click.pass_obj
def remove(options: Options, subscription_id: str) -> None:
    """End a subscription: nothing more is sent, the address of an e-mail one is erased."""
    with options.opened() as instance, instance.store.write() as connection:
        if not subscriptions.end(connection, subscription_id, instance.clock.now(), "removed"):
            raise NetzlageError(f"There is no subscription {subscription_id} that still holds; see the list.")
    click.echo(f"{subscription_id}: ended")


@subscription.command()
@click.argument("subscription_id", default="")
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="Lines at most.")
@click.pass_obj
def log(options: Options, subscription_id: str, limit: int) -> None:
    """Show the last attempts to tell, of one subscription or of all, newest first: when, what, how it ended."""
    with options.opened() as instance, instance.store.read() as connection:
        found = outbox.attempts(connection, subscription_id, limit)
        now = outbox.statuses(connection, [(one.change_id, one.subscription_id) for one in found])
    for one in found:
        status, number = now.get((one.change_id, one.subscription_id), ("forgotten", 0))
        said = f"{one.code or '-'} {one.detail}".strip()
        click.echo(
            f"{one.at.astimezone(BERLIN):%Y-%m-%d %H:%M:%S} {one.subscription_id} {one.change_id:20} "
            f"{WORDS[status]} after {number}, {one.seconds:.1f} s: {said}"
        )


WORDS: Final[Mapping[str, str]] = {
    "waiting": "waits",
    "delivered": "arrived",
    "given_up": "given up",
    "forgotten": "forgotten",
}


def check_alerts(settings: Settings) -> str:
    """Return how the telling goes; NetzlageError when mail has no links to send, or nobody sends what is due."""
    if settings.smtp_url and not settings.base_url:
        raise SettingsError(
            "Setting smtp_url is set but base_url is empty; messages need it for the links to the site."
        )
    now = SystemClock().now()
    found = waiting(settings.database, now - DAY)
    mail = "by e-mail and webhook" if settings.smtp_url else "by webhook only, smtp_url is empty"
    if found is None:
        return f"{mail}; nothing to tell yet"
    if found.due_at and now - found.due_at > LATE:
        since = f"{found.due_at.astimezone(BERLIN):%Y-%m-%d %H:%M}"
        raise NetzlageError(f"Messages wait since {since} and nobody sends them; run `netzlage worker` or `serve`.")
    return f"{mail}; {found.waiting} wait, {found.given_up} given up in the last 24 hours"
