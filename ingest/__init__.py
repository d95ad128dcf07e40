"""Feeds of reports, statements and signals: fetch, parse, hand to the one door, on a schedule."""
