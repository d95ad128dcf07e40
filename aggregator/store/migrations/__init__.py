"""Migrations of the store, in order, each a step that is never changed once released."""
