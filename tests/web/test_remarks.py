"""Comments: not published unless the operator says so; then as plain text, with a way to complain, and moderated."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from aggregator.instance import Instance
from aggregator.store import incidents, remarks, reports, tokens
from aggregator.web import create_app
from tests.commands import Run
from tests.making import incident, report

HAMBURG = "20170513-o2-mobile-02000"
PATH = f"/vorfall/{HAMBURG}/anmerkungen"


@pytest.fixture
def told(empty: Instance) -> Instance:
    """An incident with three comments: of ours, with markup in it; of a public post; of another town."""
    with empty.store.write() as connection:
        incidents.save(connection, [incident(HAMBURG)], [])
        said = [
            report("ours", 1, source="form", comment='<b>Nichts</b> geht "mehr"'),
            report("again", 2, source="form", comment='<b>Nichts</b> geht "mehr"'),
            report("post", 3, source="mastodon", comment="Von anderswo"),
            report("there", 4, source="form", region="09162", comment="In München"),
        ]
        reports.add(connection, said)
    return empty


def site(instance: Instance, *, published: bool = True) -> FlaskClient:
    return create_app(replace(instance, settings=replace(instance.settings, publish_comments=published))).test_client()


def test_unless_the_operator_says_so_nothing_is_published(told: Instance) -> None:
    assert told.settings.publish_comments is False
    reader = site(told, published=False)
    assert reader.get(PATH).status_code == 404
    assert reader.post(PATH, data={"id": "ours"}).status_code == 404
    assert "anmerkungen" not in reader.get(f"/vorfall/{HAMBURG}").text


def test_published_they_are_plain_text_of_our_own_doors_each_once(told: Instance) -> None:
    reader = site(told)
    page = reader.get(PATH).text
    assert page.count("&lt;b&gt;Nichts&lt;/b&gt; geht &#34;mehr&#34;") == 1
    assert "<b>Nichts" not in page
    assert "Von anderswo" not in page
    assert "München" not in page
    assert "again" in page  # the newest of equal ones
    assert "Beanstanden" in page
    assert PATH in reader.get(f"/vorfall/{HAMBURG}").text


def test_after_three_complaints_a_comment_is_hidden_until_somebody_looked(told: Instance) -> None:
    reader = site(told)
    for n in range(3):
        assert "Nichts" in reader.get(PATH).text
        answer = reader.post(PATH, data={"id": "again", "reason": f"{n} Ruf 0171 2345678 an"})
        assert answer.status_code == 303
        assert "Beanstandung ist notiert" in reader.get(answer.location).text
    with told.store.read() as connection:
        (hidden,) = remarks.find(connection, only="hidden")
        assert [remark.report_id for remark in remarks.find(connection, only="complained")] == ["again"]
    assert (hidden.report_id, hidden.complaints, hidden.reason) == ("again", 3, "2 Ruf [Telefon] an")
    assert 'value="again"' not in reader.get(PATH).text
    with told.store.write() as connection:
        remarks.show(connection, "again")
    assert 'value="again"' in reader.get(PATH).text


def test_who_complains_of_nothing_is_told_so(told: Instance) -> None:
    assert site(told).post(PATH, data={"id": "nix"}).status_code == 404


def test_by_api_only_a_token_for_it_moderates(told: Instance) -> None:
    api = site(told)
    with told.store.write() as connection:
        right, wrong = (tokens.add(connection, s, [s], told.clock.now()).text for s in ("moderation", "statements"))
    asked = {"Authorization": f"Bearer {right}"}
    other = {"Authorization": f"Bearer {wrong}"}
    assert api.get("/api/v1/comments").status_code == 401
    assert api.get("/api/v1/comments", headers=other).status_code == 403
    assert api.post("/api/v1/comments/again", json={"shown": False}, headers=other).status_code == 403
    listed = api.get("/api/v1/comments", headers=asked).get_json()
    assert [item["report_id"] for item in listed["items"]] == ["there", "again", "ours"]
    assert listed["items"][0]["observed_at"].endswith("Z")
    hidden = api.post("/api/v1/comments/again", json={"shown": False}, headers=asked)
    assert hidden.get_json() == {"report_id": "again", "shown": False}
    only = api.get("/api/v1/comments?only=hidden", headers=asked).get_json()
    assert [item["report_id"] for item in only["items"]] == ["again"]
    assert 'value="again"' not in api.get(PATH).text
    assert api.post("/api/v1/comments/again", json={"shown": True}, headers=asked).status_code == 200
    assert 'value="again"' in api.get(PATH).text
    assert api.post("/api/v1/comments/nix", json={"shown": True}, headers=asked).status_code == 404
    assert api.post("/api/v1/comments/again", json={"shown": "no"}, headers=asked).status_code == 422
    assert api.get("/api/v1/comments?only=x", headers=asked).status_code == 422
    with told.store.write() as connection:
        tokens.revoke(connection, right.split("_")[1], told.clock.now() + timedelta(0))
    assert api.get("/api/v1/comments", headers=asked).status_code == 401


def test_the_operator_moderates_by_command(run: Run, told: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETZLAGE_HOME", str(told.settings.home))
    assert "again 2017-05-13 09:42 o2 Hamburg: <b>Nichts</b>" in run("comments", "list").out
    assert run("comments", "hide", "again").out == "again: hidden\n"
    listed = run("comments", "list", "--only", "hidden").out
    assert "hidden, 0 complaints" in listed
    assert "ours" not in listed
    assert 'value="again"' not in site(told).get(PATH).text
    assert run("comments", "show", "again").out == "again: shown\n"
    assert run("comments", "list", "--only", "hidden").out == ""
    gone = run("comments", "hide", "nix")
    assert (gone.status, "netzlage comments list" in gone.err) == (1, True)
