"""The commands. ``main`` is the whole of ``shadowshare``; a command is imported when it is wanted.

Exit codes: 0 all is as it should be; 1 something was violated or is damaged; 2 anything else, with one message on
standard error that says what is wrong. 130 and 141 are what a shell expects after Ctrl-C and a closed pipe.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from shadowshare.protocol.errors import ShadowshareError

__all__ = ["EXIT_FAILED", "EXIT_VIOLATED", "main"]

EXIT_VIOLATED = 1
EXIT_FAILED = 2
_EXIT_INTERRUPTED = 130
_EXIT_CLOSED_PIPE = 141

COMMAND_MODULES = {
    "run": "scenarios",
    "list": "scenarios",
    "replay": "scenarios",
    "explore": "explore",
    "gate": "gate",
    "mutants": "mutants",
    "calibrate": "calibrate",
    "faults": "faults",
    "matrix": "matrix",
    "simulate": "simulate",
    "store": "store",
}
"""Where each command is; that module has a list ``commands``. It is imported when a command of it is wanted."""


class CommandLine(click.Group):
    """Imports a command when it is wanted, and turns every expected error into one message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(COMMAND_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        if cmd_name not in self.commands and cmd_name in COMMAND_MODULES:
            for command in import_module(f"shadowshare.cli.{COMMAND_MODULES[cmd_name]}").commands:
                self.add_command(command)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _errors_explained(ctx):
            result = super().invoke(ctx)
            sys.stdout.flush()  # so that a closed pipe shows now
            return result


@contextmanager
def _errors_explained(ctx: click.Context) -> Iterator[None]:
    """One message and an exit code for what a user can cause; anything else is a bug and keeps its traceback."""
    try:
        yield
    except BrokenPipeError:
        # Python flushes standard output once more when it ends, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ctx.exit(_EXIT_CLOSED_PIPE)
    except KeyboardInterrupt:
        _explain("interrupted")
        ctx.exit(_EXIT_INTERRUPTED)
    except ShadowshareError as error:
        _explain(str(error))
        ctx.exit(EXIT_FAILED)
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        _explain(f"{place}{error.strerror or error}")
        ctx.exit(EXIT_FAILED)
    except click.ClickException as error:
        error.show()
        ctx.exit(EXIT_FAILED)


def _explain(message: str) -> None:
    click.echo(f"shadowshare: {message}", err=True)


@click.group(
    cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="shadowshare", message="shadowshare %(version)s")
def main() -> None:
    """Shadow copies on a shared disk that other computers read without a lock, and the lab that proves it."""
