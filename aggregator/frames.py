"""The pandas frames that pass between the rooms: their columns, their dtypes, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import pandas as pd

TIME: Final = "datetime64[us, UTC]"
BUCKET: Final = timedelta(minutes=5)

REPORTS: Final[Mapping[str, str]] = {
    "report_id": "str", "source": "str", "reporter": "str", "block": "str",
    "provider": "str", "service": "str", "symptom": "str", "region": "str", "plz": "str",
    "place_source": "str", "lat": "Float64", "lon": "Float64",
    "observed_at": TIME, "began_at": TIME, "received_at": TIME, "counted": "bool",
}  # fmt: skip

# Reports of a file that is looked back over, which may hold millions: only what that needs, and small.
FILED: Final[Mapping[str, str]] = {
    "provider": "category", "service": "category", "region": "category", "source": "category",
    "observed_at": TIME, "received_at": TIME, "counted": "bool",
}  # fmt: skip

# A missing row is zero, if the bucket was listened to. `source` lets a count be taken apart again.
CUBE: Final[Mapping[str, str]] = {
    "provider": "str", "service": "str", "region": "str", "bucket": TIME, "source": "str", "count": "Int64",
}  # fmt: skip

LISTENING: Final[Mapping[str, str]] = {"source": "str", "bucket": TIME, "share": "Float64"}

COVERAGE: Final[Mapping[str, str]] = {"provider": "str", "bucket": TIME, "share": "Float64"}

SCORES: Final[Mapping[str, str]] = {
    "zone": "str", "start": TIME, "end": TIME, "observed": "Int64", "expected": "Float64", "score": "Float64",
}  # fmt: skip


def empty(schema: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame of `schema` without rows."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in schema.items()})


def conform(frame: pd.DataFrame, schema: Mapping[str, str]) -> pd.DataFrame:
    """Return `frame` with exactly the columns and dtypes of `schema`; KeyError names a missing column."""
    missing = [name for name in schema if name not in frame.columns]
    if missing:
        raise KeyError(f"columns missing: {', '.join(missing)}")
    return frame[list(schema)].astype(dict(schema))
