"""Netzlage: reports of faults in, incidents with their evidence out. The core and the site."""
