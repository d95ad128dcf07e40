"""CAP 1.2: valid by the schema of OASIS, never more certain than possible, each message refers to those before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from aggregator.export.cap import NAMESPACE, Message, Told, write_cap
from tests.making import at

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("CAP-v1.2.xsd"))
PAGE = "https://example.org/vorfall/x"
FIRST = Message(
    incident_id="20170513-o2-mobile-02000", sent=(at(10),), sender="netzlage@example.org",
    told=(
        Told("de-DE", "Häufung", "Hamburg: Mobilfunk von O2", "47 Meldungen <& mehr>\x00", PAGE, "Hamburg"),
        Told("en-GB", "Cluster", "Hamburg: O2 mobile network", "47 reports", f"{PAGE}?lang=en", "Hamburg"),
    ),
    districts=("02000", "01056"), onset=at(0), over=False, withdrawn=False, simulated=False,
)  # fmt: skip


def read(message: Message) -> ET.Element:
    document = write_cap(message)
    SCHEMA.validate(document.decode())
    return ET.fromstring(document)


def text(alert: ET.Element, path: str) -> str | None:
    return alert.findtext("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))


def test_the_first_message_is_an_alert() -> None:
    alert = read(FIRST)
    told = {name: text(alert, name) for name in ("identifier", "sent", "status", "msgType", "scope", "references")}
    assert told == {
        "identifier": "20170513-o2-mobile-02000-m1",
        "sent": "2017-05-13T09:50:00+02:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "references": None,
    }
    info = {
        name: text(alert, f"info/{name}") for name in ("certainty", "urgency", "severity", "expires", "description")
    }
    assert info == {
        "certainty": "Possible",
        "urgency": "Unknown",
        "severity": "Unknown",
        "expires": "2017-05-14T09:50:00+02:00",
        "description": "47 Meldungen <& mehr>",
    }
    for block in alert.iter(f"{{{NAMESPACE}}}info"):
        assert [one.text for one in block.iter(f"{{{NAMESPACE}}}value")] == ["02000", "01056"]


def test_every_language_is_a_block_with_the_same_times() -> None:
    german, english = read(FIRST).iter(f"{{{NAMESPACE}}}info")
    for name in ("certainty", "effective", "onset", "expires"):
        assert german.findtext(f"{{{NAMESPACE}}}{name}") == english.findtext(f"{{{NAMESPACE}}}{name}") is not None
    assert [block.findtext(f"{{{NAMESPACE}}}language") for block in (german, english)] == ["de-DE", "en-GB"]
    assert english.findtext(f"{{{NAMESPACE}}}headline") == "Hamburg: O2 mobile network"


def test_a_later_message_refers_to_all_before_it() -> None:
    alert = read(replace(FIRST, sent=(at(10), at(20), at(35))))
    assert text(alert, "msgType") == "Update"
    assert text(alert, "identifier") == "20170513-o2-mobile-02000-m3"
    assert text(alert, "references") == (
        "netzlage@example.org,20170513-o2-mobile-02000-m1,2017-05-13T09:50:00+02:00 "
        "netzlage@example.org,20170513-o2-mobile-02000-m2,2017-05-13T10:00:00+02:00"
    )


@pytest.mark.parametrize(
    ("values", "kind", "urgency"),
    [
        ({"over": True}, "Update", "Past"),
        ({"over": True, "withdrawn": True}, "Cancel", "Past"),
        ({}, "Update", "Unknown"),
    ],
)
def test_the_end_is_an_update_and_a_withdrawal_a_cancel(values: dict[str, Any], kind: str, urgency: str) -> None:
    alert = read(replace(FIRST, sent=(at(10), at(20)), **values))
    assert (text(alert, "msgType"), text(alert, "info/urgency")) == (kind, urgency)
    assert text(alert, "info/certainty") == "Possible"


def test_a_simulation_is_an_exercise() -> None:
    alert = read(replace(FIRST, simulated=True, districts=()))
    assert (text(alert, "status"), text(alert, "note")) == ("Exercise", "SIMULATION")


@pytest.mark.parametrize("moment", [at(0), datetime.fromisoformat("2017-12-24T18:00:00+00:00")])
def test_times_have_an_offset_and_never_a_z(moment: datetime) -> None:
    assert b"Z<" not in write_cap(replace(FIRST, sent=(moment,), onset=moment))
