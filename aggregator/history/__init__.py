"""Years of the past: day files in Parquet, and the pure functions of detect/ over them, on one process or on many."""
