"""Figures -> pictures: SVG map, SVG time series, PNG from SVG. Pure."""
