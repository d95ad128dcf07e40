"""A proof <-> a Frictionless data package, the zip that anybody can do the sum from. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from aggregator.detect.baseline import MODEL
from aggregator.detect.calibrate import Calibration
from aggregator.detect.cube import bucket_number, bucket_start
from aggregator.detect.proof import Claim, Model, Proof
from aggregator.detect.zones import LEVELS
from aggregator.errors import DataError
from aggregator.model import Stream

DESCRIPTOR: Final = "datapackage.json"
LARGEST: Final = 100_000_000  # bytes of one table: nothing of ours comes near, a zip bomb does
FIXED: Final = (1980, 1, 1, 0, 0, 0)  # the date of every entry: the same bytes for the same values
FOREIGN: Final = "This is not a package of evidence from Netzlage (nachrechnen.zip)."


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type in Table Schema, what it means."""

    name: str
    type: str
    description: str


TABLES: Final[Mapping[str, tuple[Column, ...]]] = {
    "counts": (
        Column("region", "string", "district (AGS); empty: not located"),
        Column("bucket", "datetime", "start of the five minutes (UTC)"),
        Column("source", "string", "where the reports came from; other: sources that do not want to be told apart"),
        Column("count", "integer", "counted reports, floods from one address block or text left out"),
    ),
    "expected": (
        Column("region", "string", "district (AGS) of the zone; empty: the nation"),
        Column("bucket", "datetime", "start of the five minutes (UTC)"),
        Column("expected", "number", "reports that are usual, times the share that was listened to; before drift"),
        Column("variance", "number", "of the count"),
    ),
    "buckets": (
        Column("bucket", "datetime", "start of the five minutes (UTC)"),
        Column("heard", "number", "share of the usual sources that was listening, 0 where blind"),
        Column("blind", "boolean", "true: less than half was listening; the bucket counts for nothing"),
        Column("expected", "number", "usual reports of all located districts together"),
        Column("expected_effective", "number", "the same as effective reports"),
    ),
    "districts": (
        Column("region", "string", "district (AGS)"),
        Column("usual", "number", "reports an hour at the mean hour of the week"),
        Column("shape", "number", "how certain that is: the shape of its gamma distribution"),
        Column("worth", "number", "effective reports that a report brings here on average"),
        Column("zone", "boolean", "true: in the zone that has the score"),
        Column("footprint", "boolean", "true: in the part of the zone that is shown as affected, and has the ratio"),
        Column("taken_out", "boolean", "true: left out, it belongs to a hotspot found before in the same look"),
    ),
    "parameters": (
        Column("name", "string", "name of the parameter"),
        Column("value", "string", "its value"),
        Column("description", "string", "what it is"),
    ),
    "published": (
        Column("name", "string", "name of the figure"),
        Column("value", "number", "as it was published"),
        Column("description", "string", "what it is"),
    ),
}
PUBLISHED: Final = {
    "score": "log likelihood ratio of the zone and window, in nats",
    "ratio": "reports over expected reports of the footprint in the window",
    "standard": "the score on the scale that compares levels",
    "recurrence_weeks": "weeks between two as unlikely by chance alone, anywhere, at any provider; capped at `weeks`",
}
PARAMETERS: Final = {
    "provider": "provider; all: all of them",
    "service": "service; all: all of them",
    "start": "start of the window (UTC)",
    "end": "end of the window (UTC), exclusive",
    "level": "size of the zone, picks foot and scale",
    "by_share": "true: measured by the share of the nation, whose own incident goes on",
    "model": "version of the method",
    "phi": "variance over mean of five-minute counts: how much reports clump",
    "phi_effective": "variance over mean that is left in effective counts",
    "nation_usual": "reports an hour of the nation at the mean hour of the week, not located ones among them",
    "nation_worth": "effective reports that a report brings on average in the nation",
    "r_local": "r0 of a district: how certain a level is after drift",
    "r_nation": "r0 of the nation",
    "foot": "per level: the nats that chance reaches five times a week",
    "scale": "per level: by how many nats chance exceeds them on average",
    "height": "S that chance reaches five times a week, all levels and streams together",
    "spread": "by how much S must grow for chance to reach it e times as seldom",
    "weeks": "null weeks that were looked at; no longer interval is claimed",
    "baseline": "hash of the baseline that the calibration was made from; empty: a table made elsewhere",
    "budget": "false alarms a week that are put up with",
}


def write_package(proof: Proof, about: Mapping[str, Any]) -> bytes:
    """Return the package, the same bytes for the same proof. about: what else its descriptor tells (JSON)."""
    tables = {name: _csv(frame) for name, frame in _frames(proof).items()}
    descriptor = {**about, "profile": "tabular-data-package", "version": proof.model.version}
    descriptor["resources"] = [_resource(name, data) for name, data in tables.items()]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
        _put(pack, DESCRIPTOR, json.dumps(descriptor, ensure_ascii=False, indent=1).encode("utf-8"))
        for name, data in tables.items():
            _put(pack, f"{name}.csv", data)
    return out.getvalue()


def _put(pack: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, FIXED)
    entry.compress_type = zipfile.ZIP_DEFLATED
    pack.writestr(entry, data)


def _resource(name: str, data: bytes) -> dict[str, Any]:
    columns = [{"name": c.name, "type": c.type, "description": c.description} for c in TABLES[name]]
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": _hash(data),
        "schema": {"fields": columns, "missingValues": []},
    }


def _hash(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _frames(proof: Proof) -> dict[str, pd.DataFrame]:
    times = {name: getattr(proof, name) for name in ("counts", "expected", "buckets")}
    found = {name: frame.assign(bucket=_times(frame["bucket"])) for name, frame in times.items()}
    values = _parameters(proof)
    found["districts"] = proof.districts
    found["parameters"] = pd.DataFrame([(name, values[name], said) for name, said in PARAMETERS.items()])
    found["published"] = pd.DataFrame(
        [(name, repr(float(getattr(proof.published, name))), said) for name, said in PUBLISHED.items()]
    )
    return {name: _named(name, frame) for name, frame in found.items()}


def _named(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    names = [column.name for column in TABLES[table]]
    return frame[names] if set(names) <= set(frame.columns) else frame.set_axis(names, axis=1)


def _csv(frame: pd.DataFrame) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(frame.columns)
    writer.writerows(zip(*(_written(frame[name]) for name in frame.columns), strict=True))
    return out.getvalue().encode("utf-8")


def _written(values: pd.Series) -> list[Any]:
    return ["true" if value else "false" for value in values] if values.dtype == bool else values.tolist()


def _times(buckets: pd.Series[int]) -> pd.Series[str]:
    """Return what `_iso` says of each; the same few times come again and again."""
    return buckets.map({bucket: _iso(bucket) for bucket in buckets.unique()})


def _iso(bucket: int) -> str:
    return f"{bucket_start(int(bucket)):%Y-%m-%dT%H:%M:%SZ}"


def _parameters(proof: Proof) -> dict[str, str]:
    model, limits = proof.model, proof.limits
    return {
        "provider": proof.stream.provider,
        "service": proof.stream.service,
        "start": _iso(proof.start),
        "end": _iso(proof.end),
        "level": proof.level,
        "by_share": "true" if proof.by_share else "false",
        "model": model.version,
        **{f.name: repr(float(getattr(model, f.name))) for f in fields(Model) if f.name != "version"},
        "foot": " ".join(map(repr, limits.foot)),
        "scale": " ".join(map(repr, limits.scale)),
        "height": repr(limits.height),
        "spread": repr(limits.spread),
        "weeks": str(limits.weeks),
        "baseline": limits.baseline,
        "budget": repr(limits.budget),
    }


def read_package(data: bytes) -> Proof:
    """Read what write_package wrote. Raises DataError, one sentence: foreign, truncated, changed, of another model."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            return _read(pack)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{FOREIGN} It is no zip file that can be read, or only a part of one.") from error
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{FOREIGN} What should stand in it is missing or cannot be read.") from error


def _read(pack: zipfile.ZipFile) -> Proof:
    descriptor = json.loads(_take(pack, DESCRIPTOR))
    tables = {resource["name"]: _checked(pack, resource) for resource in descriptor["resources"]}
    frames = {name: _frame(name, tables[name]) for name in TABLES}
    values = dict(zip(frames["parameters"]["name"], frames["parameters"]["value"], strict=True))
    if values["model"] != MODEL:
        raise DataError(f"The score is of the method {values['model']}; this program computes {MODEL}.")
    published = dict(zip(frames["published"]["name"], frames["published"]["value"], strict=True))
    numbers = {f.name: float(values[f.name]) for f in fields(Model) if f.name != "version"}
    return Proof(
        stream=Stream(values["provider"], values["service"]),
        start=_bucket(values["start"]),
        end=_bucket(values["end"]),
        level=LEVELS[LEVELS.index(values["level"])],
        by_share=values["by_share"] == "true",
        model=Model(MODEL, **numbers),
        limits=_limits(values),
        published=Claim(**{name: float(published[name]) for name in PUBLISHED}),
        **{name: frames[name] for name in ("counts", "expected", "buckets", "districts")},
    )


def _take(pack: zipfile.ZipFile, name: str) -> bytes:
    if pack.getinfo(name).file_size > LARGEST:
        raise ValueError(f"{name} is too large")
    return pack.read(name)


def _checked(pack: zipfile.ZipFile, resource: Mapping[str, Any]) -> bytes:
    data = _take(pack, resource["path"])
    if _hash(data) != resource["hash"]:
        raise DataError(f"{resource['path']} was changed after the package was made: its checksum is another one.")
    return data


def _limits(values: Mapping[str, str]) -> Calibration:
    foot, scale = (tuple(float(part) for part in values[name].split()) for name in ("foot", "scale"))
    if not len(foot) == len(scale) == len(LEVELS):
        raise ValueError("foot and scale do not fit the levels")
    height, spread, budget = (float(values[name]) for name in ("height", "spread", "budget"))
    return Calibration(foot, scale, height, spread, int(values["weeks"]), values["baseline"], budget)


def _frame(name: str, data: bytes) -> pd.DataFrame:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))
    if not rows:
        raise ValueError(f"{name} is empty")
    columns = {c.name: [READ[c.type](row[c.name]) for row in rows] for c in TABLES[name]}
    return pd.DataFrame(columns)


def _bucket(text: str) -> int:
    return bucket_number(datetime.fromisoformat(text))


def _number(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": str, "datetime": _bucket, "integer": int, "number": _number, "boolean": _truth,
}  # fmt: skip
