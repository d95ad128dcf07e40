"""Runs the migrations on the connection that `migrate.to_head` hands over. Alembic loads this file. I/O."""

from __future__ import annotations

from alembic import context

from aggregator.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
