"""Count cube -> baseline -> scan -> hotspots -> incidents. Pure."""
