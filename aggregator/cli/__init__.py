"""The `netzlage` command: the composition root. Each module holds a group of commands. I/O."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from aggregator.cli.common import Options
from aggregator.errors import NetzlageError

COMMANDS: tuple[click.Command, ...] = ()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file (default: netzlage.toml, if there is one).",
)
@click.version_option(package_name="netzlage")
@click.pass_context
def netzlage(context: click.Context, config: Path | None) -> None:
    """Find where people's reports of faults cluster more than chance allows, and show the evidence."""
    context.obj = Options(config)


for _command in COMMANDS:
    netzlage.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run a command. Exit status: 0 done, 1 failed, 2 wrong use; an error is one sentence on standard error."""
    try:
        sys.exit(netzlage.main(arguments, prog_name="netzlage", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        fail(error.format_message(), 2)
    except click.ClickException as error:
        fail(
            f"{error.format_message()} See `netzlage --help`." if error.exit_code == 2 else error.format_message(),
            error.exit_code,
        )
    except (click.Abort, KeyboardInterrupt):
        fail("Stopped.", 1)
    except NetzlageError as error:
        fail(str(error), 1)
    except Exception as error:  # the last resort: no traceback reaches a user, `--debug` logs keep it
        logging.getLogger("netzlage").debug("unexpected", exc_info=error)
        fail(f"Unexpected error ({type(error).__name__}: {error}); please report it with the command you gave.", 1)


def fail(sentence: str, status: int) -> None:
    """Print one sentence on standard error and leave with `status`."""
    click.echo(sentence, err=True)
    sys.exit(status)
