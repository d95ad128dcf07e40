"""Whole databases: kept in a file, put back, moved to another engine. I/O."""
