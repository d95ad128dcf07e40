"""What those with a token may put on record, and that nobody else may."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.store import corrections, enquiries, incidents, statements, tokens
from tests.making import at, incident

ID = "20170513-o2-mobile-02000"
SAID = {"quote": "Kein Hinweis auf eine Störung", "channel": "official", "said_at": "2017-05-13T11:00"}
Send = Callable[..., Any]


@pytest.fixture
def send(sender: FlaskClient, empty: Instance) -> Send:
    """Post to the API of a site that knows one incident, with a token for the given scopes."""
    with empty.store.write() as connection:
        incidents.save(connection, [incident(ID)], [])

    def post(path: str, body: Any, *scopes: str) -> Any:
        headers = {}
        if scopes:
            with empty.store.write() as connection:
                text = tokens.add(connection, "Redaktion", scopes, at(0)).text
            headers["Authorization"] = f"Bearer {text}"
        return sender.post(path, data=json.dumps(body), content_type="application/json", headers=headers)

    return post


def test_a_statement_is_kept_once_and_unclear_unless_a_person_reads_it(send: Send, empty: Instance) -> None:
    body = {**SAID, "provider": "O2", "expected_end": "2017-05-13T18:00"}
    first, again = (send("/api/v1/statements", body, "statements") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["statement_id"] == again.get_json()["statement_id"]
    with empty.store.read() as connection:
        (kept,) = statements.find(connection, Filter())
    assert (kept.provider, kept.service, kept.stance, kept.source) == ("o2", "all", "unclear", "manual")
    assert (kept.said_at, kept.expected_end, kept.received_at) == (at(80), at(500), empty.clock.now())


def test_an_answer_names_its_enquiry_and_takes_provider_and_incident_from_it(send: Send, empty: Instance) -> None:
    asked = send("/api/v1/enquiries", {"incident_id": ID, "asked_at": "2017-05-13T10:02"}, "statements")
    assert asked.status_code == 201
    enquiry_id = asked.get_json()["enquiry_id"]
    assert send("/api/v1/statements", {**SAID, "enquiry_id": enquiry_id}, "statements").status_code == 201
    with empty.store.read() as connection:
        (kept,) = statements.find(connection, Filter())
        (enquiry,) = enquiries.find(connection, ID)
    assert (kept.provider, kept.incident_id, kept.enquiry_id) == ("o2", ID, enquiry_id)
    assert (enquiry.provider, enquiry.asked_at) == ("o2", at(22))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quote": ""}, "quote"),
        ({"quote": "x" * 5001}, "quote"),
        ({"quote": ["x"]}, "quote"),
        ({"channel": "rumour"}, "channel"),
        ({"stance": "sorry"}, "stance"),
        ({"provider": "nobody"}, "provider"),
        ({"provider": ""}, "provider"),
        ({"service": "Rohrpost"}, "service"),
        ({"said_at": "gestern"}, "said_at"),
        ({"said_at": "2999-01-01T00:00"}, "said_at"),
        ({"expected_end": "2017-05-13T10:00"}, "expected_end"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"incident_id": "none"}, "incident_id"),
        ({"enquiry_id": "none"}, "enquiry_id"),
    ],
)
def test_what_cannot_be_used_is_told_by_field(send: Send, empty: Instance, body: dict[str, Any], field: str) -> None:
    answer = send("/api/v1/statements", {**SAID, "provider": "o2", **body}, "statements")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]
    with empty.store.read() as connection:
        assert statements.find(connection, Filter()) == []


@pytest.mark.parametrize("path", ["statements", "enquiries", f"incidents/{ID}/corrections"])
def test_without_the_right_token_nothing_is_taken(send: Send, sender: FlaskClient, path: str) -> None:
    assert send(f"/api/v1/{path}", SAID).status_code == 401
    wrong = sender.post(f"/api/v1/{path}", json=SAID, headers={"Authorization": "Bearer nlz_1234_x"})
    assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert send(f"/api/v1/{path}", SAID, "moderation").status_code == 403


def test_an_incident_is_taken_back_by_who_may(send: Send, empty: Instance, sender: FlaskClient) -> None:
    path = f"/api/v1/incidents/{ID}/corrections"
    note = send(path, {"kind": "note", "text": "Der Anbieter prüft."}, "corrections")
    gone = send(path, {"kind": "withdraw", "text": "Doppelt gezählt."}, "corrections")
    assert (note.status_code, gone.status_code) == (201, 201)
    again = send(path, {"kind": "withdraw", "text": "Noch einmal."}, "corrections")
    assert (again.status_code, list(again.get_json()["errors"])) == (422, ["kind"])
    with empty.store.read() as connection:
        found = corrections.find(connection, [ID])[ID]
    assert [(c.kind, c.author) for c in found] == [("withdraw", "Redaktion"), ("note", "Redaktion")]
    told = sender.get(f"/vorfall/{ID}.json").get_json()
    assert told["state"] == "withdrawn"
    assert [text.partition(" ")[2] for text in told["corrections"]] == [
        "withdraw: Doppelt gezählt.",
        "note: Der Anbieter prüft.",
    ]
    assert "withdraw: Doppelt gezählt." in sender.get("/daten/incidents.csv").text


def test_a_statement_is_taken_back_by_who_may_put_it_there(send: Send, empty: Instance) -> None:
    kept = send("/api/v1/statements", {**SAID, "provider": "o2"}, "statements").get_json()["statement_id"]
    path = f"/api/v1/statements/{kept}/withdrawal"
    assert send(path, {"text": "Falsch zugeordnet."}).status_code == 401
    assert list(send(path, {"text": ["x"]}, "statements").get_json()["errors"]) == ["text"]
    assert send(path, {"text": "Falsch zugeordnet."}, "statements").status_code == 201
    again = send(path, {"text": "Noch einmal."}, "statements")
    assert (again.status_code, list(again.get_json()["errors"])) == (422, ["statement_id"])
    with empty.store.read() as connection:
        [gone] = statements.retractions(connection).values()
    assert (gone.statement_id, gone.text, gone.author) == (kept, "Falsch zugeordnet.", "Redaktion")


@pytest.mark.parametrize("body", [{"kind": "note"}, {"text": "x"}, {"kind": "delete", "text": "x"}])
def test_a_correction_needs_kind_and_text(send: Send, body: dict[str, str]) -> None:
    assert send(f"/api/v1/incidents/{ID}/corrections", body, "corrections").status_code == 422
    assert send("/api/v1/incidents/none/corrections", {"kind": "note", "text": "x"}, "corrections").status_code == 422


def test_statements_are_listed_for_everybody(send: Send, sender: FlaskClient) -> None:
    send("/api/v1/statements", {**SAID, "provider": "o2"}, "statements")
    (item,) = sender.get("/api/v1/statements?provider=o2").get_json()["items"]
    assert item["quote"] == SAID["quote"]
    assert sender.get("/api/v1/statements?provider=telekom").get_json()["items"] == []


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.integers(), max_size=2),
    st.sampled_from(["o2", "mobile", "official", "denied", "note", "withdraw", ID, "2017-05-13T11:00", "\ud800", "\0"]),
)  # fmt: skip
names = st.sampled_from([*SAID, "provider", "service", "stance", "link", "expected_end", "incident_id", "kind", "text"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["statements", "enquiries", f"incidents/{ID}/corrections"]),
    changes=st.dictionaries(names, anything, max_size=5),
)
def test_nothing_put_on_record_breaks_the_server(send: Send, path: str, changes: dict[str, Any]) -> None:
    answer = send(f"/api/v1/{path}", {**SAID, "provider": "o2", **changes}, "statements", "corrections")
    assert answer.status_code in {200, 201, 422}
    if answer.status_code == 422:
        assert answer.get_json()["errors"]
