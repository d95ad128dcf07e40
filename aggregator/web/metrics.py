"""/metrics: the figures of this process and of the store it shares with others, as Prometheus reads them. I/O."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from flask import Blueprint, Response, abort, request
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from aggregator.web.desk import desk, instance
from aggregator.web.senders import address_of

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answer the figures to whom the settings name; nothing in them is of a person."""
    if not may_read(address_of(request.environ), instance().settings.metrics_from):
        abort(403, "Figures are given to the addresses of the setting metrics_from only.")
    response = Response(generate_latest(desk().registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response.headers["Cache-Control"] = "no-store"
    return response


def may_read(who: str, networks: tuple[str, ...]) -> bool:
    """Say whether an address lies in one of the networks."""
    try:
        found = ip_address(who)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(network, strict=False) for network in networks)
