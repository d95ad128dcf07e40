"""What is known, kept: reports, cube, coverage, incidents. The one home of SQLAlchemy. I/O."""

from sqlalchemy import Connection

from aggregator.store.engine import Store, open_store

__all__ = ["Connection", "Store", "open_store"]
