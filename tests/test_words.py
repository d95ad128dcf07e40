"""What a person says by command; and a withdrawal beside a detection pass that is looking."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.detect.tick import look
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.pipeline import accept
from aggregator.refresh import Detection
from aggregator.store import ends, incidents, open_store, statements, tokens
from aggregator.words import Refused, correct
from tests import stores
from tests.commands import Run, assert_one_line
from tests.making import at, incident, instance, raw
from tests.test_refresh import NOW, fill, hamburg, quiet

ID = "20170513-o2-mobile-02000"
HAMBURG = "20170513-o2-fixed_internet-02000"


def prepare(home: Path) -> str:
    """Put an incident into the store that the commands will open, and return the store's address."""
    home.mkdir()
    url = stores.address(home)
    store = open_store(url)
    with store.write() as connection:
        incidents.save(connection, [incident(ID)], [])
    store.close()
    return url


def test_a_person_asks_enters_the_answer_and_takes_the_incident_back(run: Run, tmp_path: Path) -> None:
    url = prepare(tmp_path / "home")
    asked = run("statement", "ask", ID, "--asked-at", "2017-05-13T10:02")
    assert asked.status == 0
    enquiry_id = asked.out.partition(":")[0]
    quote = "Es gibt kein Anzeichen für eine regionale Störung."
    words = ("statement", "add", quote, "--reply-to", enquiry_id, "--channel", "official", "--stance", "denied")
    assert run(*words, "--said-at", "2017-05-13T11:00").out.endswith("kept\n")
    assert run(*words, "--said-at", "2017-05-13T11:00").out.endswith("known already\n")
    assert run("incident", "note", ID, "Nachgefragt.").status == 0
    assert run("incident", "withdraw", ID, "Doppelt gezählt.").status == 0
    assert_one_line(run("incident", "withdraw", ID, "Noch einmal."), 1)
    store = open_store(url)
    with store.read() as connection:
        (said,) = statements.find(connection, Filter())
        found = incidents.get(connection, ID)
    store.close()
    assert (said.quote, said.stance, said.provider, said.incident_id) == (quote, "denied", "o2", ID)
    assert found is not None
    assert found.state == "withdrawn"


def test_wrong_use_is_one_sentence_each(run: Run, tmp_path: Path) -> None:
    prepare(tmp_path / "home")
    assert_one_line(run("statement", "ask", "none"), 1)
    assert_one_line(run("incident", "note", "none", "x"), 1)
    assert_one_line(run("statement", "add", "x", "--channel", "official"), 1)
    assert_one_line(run("token", "revoke", "none"), 1)
    assert_one_line(run("token", "add", "x"), 2)


def test_a_token_is_printed_once_listed_and_taken_back(run: Run, tmp_path: Path) -> None:
    url = prepare(tmp_path / "home")
    made = run("token", "add", "Redaktion", "--scope", "statements", "--scope", "corrections")
    text = made.out.strip()
    token_id = text.split("_")[1]
    listed = run("token", "list").out
    assert token_id in listed
    assert "holds" in listed
    assert text not in listed
    assert run("token", "revoke", token_id).status == 0
    assert "revoked" in run("token", "list").out
    store = open_store(url)
    with store.read() as connection:
        assert tokens.check(connection, text) is None
    store.close()


@pytest.fixture
def found(tmp_path: Path) -> Instance:
    made = instance(tmp_path, load_catalogue(), now=NOW)
    fill(made, quiet(), hamburg())
    return made


def test_a_withdrawal_in_the_middle_of_a_pass_stays(found: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    detection = Detection(found)
    detection.refresh()

    def meanwhile(*args: object) -> object:
        correct(found, HAMBURG, {"kind": "withdraw", "text": "Ein Irrtum."}, author="x")
        return look(*args)  # type: ignore[arg-type]

    assert isinstance(found.clock, SimulatedClock)
    found.clock.set(NOW.replace(minute=35))
    monkeypatch.setattr("aggregator.refresh.look", meanwhile)
    detection.refresh()
    monkeypatch.undo()
    found.clock.set(NOW.replace(minute=40))
    detection.refresh()
    with found.store.read() as connection:
        (kept,) = incidents.find(connection, Filter())
        assert [t.state for t in incidents.transitions(connection, HAMBURG)] == ["strong", "withdrawn"]
        before = incidents.get(connection, HAMBURG, NOW)
    assert kept.state == "withdrawn"
    assert before is not None
    assert before.state == "strong"
    found.store.close()


def test_a_correction_is_never_dated_before_what_is_shown(tmp_path: Path) -> None:
    made = instance(tmp_path, load_catalogue(), now=at(0))
    with made.store.write() as connection:
        incidents.save(connection, [incident(ID, updated_at=at(30))], [])
    assert correct(made, ID, {"kind": "note", "text": "x"}, author="x").at == at(30)
    with pytest.raises(Refused, match="No text"):
        correct(made, ID, {"kind": "note", "text": " "}, author="x")
    made.store.close()


def test_a_feed_that_tells_the_end_later_ends_its_report(tmp_path: Path) -> None:
    made = instance(tmp_path, load_catalogue(), now=at(60))
    accept(made, [raw(key="7")])
    assert isinstance(made.clock, SimulatedClock)
    made.clock.set(at(120))
    told = accept(made, [raw(key="7", ended_at="2017-05-13T11:10")])
    assert (told.kept, told.duplicate) == (0, 1)
    with made.store.read() as connection:
        assert ends.lengths(connection, Filter()) == [timedelta(minutes=90)]
        assert ends.lengths(connection, Filter(as_of=at(119))) == []
    made.store.close()


def test_a_statement_is_taken_back_dated_and_stays_to_be_seen(run: Run, tmp_path: Path) -> None:
    url = prepare(tmp_path / "home")
    said = run(
        "statement", "add", "Kein Hinweis.", "--incident", ID, "--channel", "official", "--said-at", "2017-05-13T00:00"
    )
    statement_id = said.out.partition(":")[0]
    assert f"{statement_id} 2017-05-13 00:00 o2 official unclear: Kein Hinweis." in run("statement", "list").out
    assert run("statement", "list", "--provider", "telekom").out == ""
    assert run("statement", "withdraw", statement_id, "Verwechselt.").status == 0
    assert "taken back" in run("statement", "list", "--provider", "O2").out
    assert "Verwechselt." in run("statement", "list").out
    for wrong in ((statement_id, "Noch einmal."), ("none", "x"), (statement_id, " ")):
        assert_one_line(run("statement", "withdraw", *wrong), 1)
    store = open_store(url)
    with store.read() as connection:
        assert statements.find(connection, Filter()) == statements.of_incident(connection, ID) == []
        (gone,) = statements.find(connection, Filter(), taken_back=True)
        assert [gone] == statements.of_incident(connection, ID, taken_back=True)
        (why,) = statements.retractions(connection).values()
        before = why.at - timedelta(seconds=1)
        assert statements.retractions(connection, before) == {}
        assert statements.of_incident(connection, ID, taken_back=True, as_of=before) == []
        assert statements.find(connection, Filter(as_of=gone.received_at)) == [gone]
    store.close()
    assert (gone.quote, why.text, why.author) == ("Kein Hinweis.", "Verwechselt.", "command")
