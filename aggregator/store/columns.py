"""The column types of moments and text, which mean the same on every database.

A moment is INTEGER microseconds on SQLite, TIMESTAMPTZ on PostgreSQL. Text is ordered by its characters' numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Dialect, MetaData, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import TEXT, TIMESTAMP
from sqlalchemy.types import TypeEngine

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, UTC on the way out; a naive one raises TypeError."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database at hand."""
        native: TypeEngine[Any] = TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger()
        return dialect.type_descriptor(native)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn a moment into what the column holds."""
        if value is None or dialect.name == "postgresql":
            return value
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn what the column holds into a moment."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return EPOCH + timedelta(microseconds=value)


class PlainText(TypeDecorator[str]):
    """Text that every database orders alike, whatever language the server speaks; PostgreSQL cannot hold U+0000."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database at hand."""
        return TEXT(collation="C") if dialect.name == "postgresql" else dialect.type_descriptor(Text())

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None] | None:
        """Turn what PostgreSQL would refuse into the sign for what cannot be shown; SQLite takes text as it is."""
        return storable if dialect.name == "postgresql" else None


def storable(text: str | None) -> str | None:
    """Return `text` as PostgreSQL can hold it."""
    return text.replace("\0", "\ufffd") if text and "\0" in text else text


metadata = MetaData()


def text_column(name: str, *, key: bool = False) -> Column[str]:
    """Return a column of text, never NULL."""
    return Column(name, PlainText, primary_key=key, nullable=False)


def time_column(name: str, *, key: bool = False, nullable: bool = False) -> Column[datetime]:
    """Return a column of moments."""
    return Column(name, UtcTime, primary_key=key, nullable=nullable, autoincrement=False)
