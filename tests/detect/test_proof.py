"""A package of evidence gives the published score again, from nothing else, and says when it cannot."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from aggregator.detect.baseline import MODEL
from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.cube import bucket_number, by_stream
from aggregator.detect.hotspot import find_hotspots
from aggregator.detect.package import read_package, write_package
from aggregator.detect.proof import OTHERS, Proof, fold_sources, prove
from aggregator.detect.redo import differing, redo
from aggregator.errors import DataError
from aggregator.model import Hotspot, Incident, Stream
from tests.detect.world import DAY, IDS, LOUD, NOW, REGIONS, listened, look, reports, usual
from tests.making import incident

HOUR_AGO = NOW - timedelta(hours=1)
SOUTH = [r.id for r in REGIONS if r.parent == "02"]


def proofs(cube: pd.DataFrame, open_: tuple[Incident, ...] = (), heard: pd.DataFrame | None = None) -> list[Proof]:
    """Look at NOW and prove every hotspot of that look."""
    span = look(cube, listening=heard)
    day = cube[cube["bucket"] >= NOW - timedelta(days=1)]
    cells = by_stream(day, IDS)
    found: list[Hotspot] = find_hotspots(span, cells, SHIPPED, open_)
    return [prove(span, hotspot, cells[hotspot.stream], SHIPPED, day) for hotspot in found]


def national() -> Incident:
    return replace(incident(), provider="loud", service="mobile", regions=(), providers=("loud",))


CASES: dict[str, Callable[[], list[Proof]]] = {
    "a district": lambda: proofs(pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 30, seed=9, where=IDS[14:15])])),
    "a land": lambda: proofs(pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 240, seed=11, where=SOUTH)])),
    "the nation": lambda: proofs(pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 300, seed=10, where=IDS)])),
    "two far from each other": lambda: proofs(
        pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 60, seed=9, where=[IDS[0], IDS[35]])])
    ),
    "a part of a national one": lambda: proofs(
        pd.concat(
            [
                usual(),
                reports(LOUD, HOUR_AGO, 1, 300, seed=12, where=IDS),
                reports(LOUD, HOUR_AGO, 1, 60, seed=13, where=IDS[14:15]),
            ]
        ),
        (national(),),
    ),
    "a stretch of silence": lambda: proofs(
        pd.concat([usual(), reports(LOUD, NOW - timedelta(hours=3), 3, 30, seed=9, where=IDS[14:15])]),
        heard=pd.concat(
            [
                listened(DAY - timedelta(days=2), NOW - timedelta(minutes=90)),
                listened(NOW - timedelta(minutes=60), NOW),
            ]
        ),
    ),
    "several services": lambda: proofs(
        pd.concat(
            [usual()]
            + [
                reports(Stream("quiet", s), HOUR_AGO, 1, 2.2, seed=20 + i, where=IDS[14:15])
                for i, s in enumerate(("mobile", "tv", "email", "landline", "portal", "hotline", "power", "other"))
            ]
        )
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_sum_done_again_is_the_published_one(case: str) -> None:
    found = CASES[case]()
    assert found
    for proof in found:
        again = redo(read_package(write_package(proof, {})))
        assert differing(proof.published, again) == []
        assert again.score == pytest.approx(proof.published.score, abs=1e-3)
        assert again.ratio == pytest.approx(proof.published.ratio, rel=1e-9)


def test_the_cases_reach_every_way_of_counting() -> None:
    levels = {proof.level for name in ("a district", "a land", "the nation") for proof in CASES[name]()}
    assert levels == {"district", "land", "nation"}
    assert any(proof.by_share for proof in CASES["a part of a national one"]())
    assert any(proof.districts["taken_out"].any() for proof in CASES["two far from each other"]())
    assert CASES["a stretch of silence"]()[0].buckets["blind"].sum() == 6


@pytest.fixture(scope="module")
def proof() -> Proof:
    return CASES["a land"]()[0]


def test_the_same_proof_gives_the_same_bytes_and_comes_back(proof: Proof) -> None:
    data = write_package(proof, {"name": "a"})
    assert data == write_package(proof, {"name": "a"})
    assert write_package(read_package(data), {"name": "a"}) == data


def test_sources_that_may_not_be_given_on_are_one_and_the_score_stays(proof: Proof) -> None:
    two = proof.counts.assign(source=["secret" if i % 2 else "feed" for i in range(len(proof.counts))])
    folded = fold_sources(replace(proof, counts=two), ["feed"])
    assert set(folded.counts["source"]) == {"feed", OTHERS}
    assert b"secret" not in write_package(folded, {})
    assert folded.counts["count"].sum() == proof.counts["count"].sum()
    assert redo(folded) == redo(proof)


def changed(data: bytes, name: str, change: Callable[[str], str], *, mend: bool = True) -> bytes:
    """Change one table; mend: put its new checksum into the descriptor, as a forger would."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        tables = {entry: old.read(entry) for entry in old.namelist()}
        tables[name] = change(tables[name].decode()).encode()
        descriptor: dict[str, Any] = json.loads(tables["datapackage.json"])
        if mend:
            for resource in descriptor["resources"]:
                if resource["path"] == name:
                    resource["hash"] = f"sha256:{hashlib.sha256(tables[name]).hexdigest()}"
            tables["datapackage.json"] = json.dumps(descriptor).encode()
        for entry, content in tables.items():
            new.writestr(entry, content)
    return out.getvalue()


def first_count_times_ten(text: str) -> str:
    head, *rows = text.splitlines()
    return "\r\n".join([head, *(row + "0" for row in rows)]) + "\r\n"


def test_what_was_changed_is_told_by_its_checksum(proof: Proof) -> None:
    with pytest.raises(DataError, match=r"counts\.csv was changed"):
        read_package(changed(write_package(proof, {}), "counts.csv", first_count_times_ten, mend=False))


@pytest.mark.parametrize(
    ("table", "change", "figures"),
    [
        ("counts.csv", first_count_times_ten, {"score", "ratio"}),
        ("published.csv", lambda text: text.replace("score,", "score,1", 1), {"score"}),
        ("districts.csv", lambda text: text.replace(",true,", ",false,"), {"score"}),
        ("parameters.csv", lambda text: text.replace(f"weeks,{SHIPPED.weeks}", "weeks,9", 1), {"recurrence_weeks"}),
    ],
)
def test_a_forged_package_does_not_give_the_published_figures(
    proof: Proof, table: str, change: Callable[[str], str], figures: set[str]
) -> None:
    forged = read_package(changed(write_package(proof, {}), table, change))
    assert figures <= set(differing(forged.published, redo(forged)))


@pytest.mark.parametrize(
    "table", ["counts.csv", "expected.csv", "buckets.csv", "districts.csv", "parameters.csv", "published.csv"]
)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace(",", ";"),
        lambda text: text.replace("1", "nan"),
    ],
)
def test_tables_that_are_no_tables_are_one_sentence(proof: Proof, table: str, change: Callable[[str], str]) -> None:
    forged = changed(write_package(proof, {}), table, change)
    with pytest.raises(DataError, match=r"^[^\n]+$"):
        _differing(forged)


def _differing(data: bytes) -> None:
    """Raise DataError for what cannot be read, and for what can be but gives other figures."""
    proof = read_package(data)
    raise DataError(", ".join(differing(proof.published, redo(proof))))


@pytest.mark.parametrize("cut", [0, 1, 100, 1000, -1])
def test_a_part_of_a_package_is_told_as_such(proof: Proof, cut: int) -> None:
    with pytest.raises(DataError, match=r"not a package of evidence from Netzlage"):
        read_package(write_package(proof, {})[:cut])


def test_another_zip_is_told_as_such() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        pack.writestr("hello.txt", "hello")
    with pytest.raises(DataError, match="not a package of evidence"):
        read_package(out.getvalue())


def test_a_score_of_another_method_is_not_judged(proof: Proof) -> None:
    other = changed(write_package(proof, {}), "parameters.csv", lambda text: text.replace(MODEL, "nb1-1"))
    with pytest.raises(DataError, match="of the method nb1-1"):
        read_package(other)


def test_the_descriptor_is_a_tabular_data_package(proof: Proof) -> None:
    data = write_package(proof, {"name": "x", "title": "Überschrift"})
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        descriptor = json.loads(pack.read("datapackage.json"))
        assert {f"{r['name']}.csv" for r in descriptor["resources"]} | {"datapackage.json"} == set(pack.namelist())
        for resource in descriptor["resources"]:
            content = pack.read(resource["path"])
            assert resource["bytes"] == len(content)
            head = content.decode("utf-8").splitlines()[0].split(",")
            assert head == [field["name"] for field in resource["schema"]["fields"]]
            assert all(field["description"] for field in resource["schema"]["fields"])
    assert (descriptor["profile"], descriptor["title"]) == ("tabular-data-package", "Überschrift")


def test_nothing_in_a_package_is_not_a_number(proof: Proof) -> None:
    for case in CASES.values():
        for one in case():
            for frame in (one.counts, one.expected, one.buckets, one.districts):
                assert not frame.isna().any().any()
            assert (one.expected["variance"] >= one.expected["expected"]).all()
    assert bucket_number(NOW) == proof.end
