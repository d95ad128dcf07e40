"""`python -m aggregator.cli` is `netzlage`: for who has the interpreter at hand and not the script."""

from __future__ import annotations

from aggregator.cli import main

main()
