"""What is known, kept: reports, cube, coverage, incidents. The one home of SQLAlchemy. I/O."""

from aggregator.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
