"""`verify`: does the sum of an incident's nachrechnen.zip again. I/O."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from aggregator.detect.package import read_package
from aggregator.detect.redo import differing, redo

SHOWN: Final = {"score": "score", "ratio": "ratio", "recurrence_weeks": "recurrence in weeks"}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Compute score, ratio and recurrence from FILE (nachrechnen.zip) alone, and compare them with the published ones.

    Exits 1 if they differ.
    """
    proof = read_package(file.read_bytes())
    redone = redo(proof)
    wrong = differing(proof.published, redone)
    for name, said in SHOWN.items():
        published, again = getattr(proof.published, name), getattr(redone, name)
        click.echo(f"{said}: published {published:.4f}, computed {again:.4f}{', differs' * (name in wrong)}")
    if wrong:
        raise click.ClickException("The figures that were published do not follow from this file.")
    made = "" if proof.limits.calibrated else " They were judged by a calibration made elsewhere."
    click.echo(f"The published figures follow from this file.{made}")
