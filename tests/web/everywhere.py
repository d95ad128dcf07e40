"""Every page of the site, found in its routes: a new page is tested without being named anywhere."""

from __future__ import annotations

import re
from typing import Final

from flask import Flask

HAMBURG: Final = "20170513-o2-fixed_internet-02000"
PAGES: Final = (
    "/", "/?as_of=2017-05-13T08:00Z", f"/vorfall/{HAMBURG}", "/archiv", "/archiv?provider=o2&region=Hamburg",
    "/anbieter/o2", "/region/02000", "/region/09", "/quellen", "/methodik", "/betrieb", "/bilanz", "/datenschutz",
    "/impressum", "/melden", "/daten", "/abonnieren",
)  # fmt: skip
SAMPLES: Final = {
    "incident_id": (HAMBURG,), "provider": ("o2",), "region": ("02000", "09"), "table": ("reports",),
    "kind": ("csv",), "year": ("2017",), "month": ("5",), "name": ("reports",), "token": ("x",), "day": ("2017-05-13",),
}  # fmt: skip
MORE: Final = (
    "/?as_of=2017-05-13T08:00Z",
    f"/vorfall/{HAMBURG}?as_of=2017-05-13T09:50Z",
    "/archiv?since=x",
    "/daten?region=Narnia",
    "/melden?provider=o2",
    "/nirgends",
)


def every_page(site: Flask) -> list[str]:
    """Return the address of each route that answers a page to GET, and of some pages that depend on the question."""
    client, found = site.test_client(), []
    for rule in site.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/api/", "/static/", "/metrics")):
            continue
        for address in _filled(rule.rule):
            answer = client.get(address)
            if answer.mimetype == "text/html" and answer.status_code == 200:
                found.append(address)
            answer.close()
    return sorted({*found, *MORE})


def _filled(rule: str) -> list[str]:
    hole = re.search(r"<(?:[^<>:]+:)?(\w+)>", rule)
    if hole is None:
        return [rule]
    return [
        filled
        for value in SAMPLES.get(hole.group(1), ("x",))
        for filled in _filled(rule[: hole.start()] + value + rule[hole.end() :])
    ]
