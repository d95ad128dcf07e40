"""The `netzlage` command: the composition root. Each module holds a group of commands. I/O."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from aggregator.cli.common import Options
from aggregator.cli.lazy import LazyGroup
from aggregator.errors import NetzlageError

COMMANDS: Final[Mapping[str, str]] = {
    "backup": "aggregator.cli.keep:backup",
    "calibrate": "aggregator.cli.past:calibrate",
    "comments": "aggregator.cli.comments:comments",
    "demo": "aggregator.cli.demo:demo",
    "detect": "aggregator.cli.past:detect",
    "doctor": "aggregator.cli.operate:doctor",
    "export": "aggregator.cli.files:export",
    "feeds": "aggregator.cli.feeds:feeds",
    "history": "aggregator.cli.history:history",
    "import": "aggregator.cli.files:import_",
    "incident": "aggregator.cli.judge:incident",
    "migrate-store": "aggregator.cli.move:migrate_store",
    "refresh": "aggregator.cli.detect:refresh",
    "replay": "aggregator.cli.past:replay",
    "restore": "aggregator.cli.keep:restore",
    "scan": "aggregator.cli.detect:scan",
    "serve": "aggregator.cli.serve:serve",
    "statement": "aggregator.cli.words:statement",
    "subscription": "aggregator.cli.tell:subscription",
    "token": "aggregator.cli.words:token",
    "verify": "aggregator.cli.verify:verify",
    "worker": "aggregator.cli.worker:worker",
}


@click.group(cls=LazyGroup, homes=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file (default: netzlage.toml, if there is one).",
)
@click.option("--debug", is_flag=True, help="Log everything, tracebacks too, on standard error.")
@click.version_option(package_name="netzlage")
@click.pass_context
def netzlage(context: click.Context, config: Path | None, debug: bool) -> None:
    """Find where people's reports of faults cluster more than chance allows, and show the evidence."""
    if debug:
        logging.basicConfig(level=logging.DEBUG)
    context.obj = Options(config)


def main(arguments: list[str] | None = None) -> None:
    """Run a command. Exit status: 0 done, 1 failed, 2 wrong use; an error is one sentence on standard error."""
    try:
        status = netzlage.main(arguments, prog_name="netzlage", standalone_mode=False)
        sys.stdout.flush()  # a reader that went away shows here at the latest
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        fail("Say which command; they are listed above.", 2)
    except click.UsageError as error:
        asked = error.ctx.command_path if error.ctx else "netzlage"
        fail(f"{error.format_message().rstrip('.')}. See `{asked} --help`.", 2)
    except click.ClickException as error:
        fail(error.format_message(), 1)
    except (click.Abort, KeyboardInterrupt):
        fail("Stopped.", 1)
    except BrokenPipeError:
        _leave_a_closed_pipe()
    except NetzlageError as error:
        fail(str(error), 1)
    except OSError as error:
        fail(f"{error.filename or 'The system says'}: {error.strerror or error}.", 1)
    except Exception as error:  # the last resort: no traceback reaches a user unless `--debug` asks for it
        logging.getLogger("netzlage").debug("unexpected", exc_info=error)
        fail(f"Unexpected error ({type(error).__name__}: {error}); please report it with the command you gave.", 1)


def fail(sentence: str, status: int) -> None:
    """Print one sentence, on one line, on standard error and leave with `status`."""
    click.echo(" ".join(sentence.split()), err=True)
    sys.exit(status)


def _leave_a_closed_pipe() -> None:
    """Leave without a word when the reader of our output has gone (`| head`), also at the interpreter's last flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
