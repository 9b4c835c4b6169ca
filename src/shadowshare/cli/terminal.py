"""Whether somebody looks: colours, lines and bars are for terminals, and everything else gets plain text."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

DUMB_TERMINALS = ("dumb", "unknown")


def is_looked_at(stream: TextIO) -> bool:
    """Whether a stream is a terminal that can do more than print one line below the other."""
    return stream.isatty() and os.environ.get("TERM", "") not in DUMB_TERMINALS


def console() -> Console:
    """Standard output. Rich leaves colours out where ``NO_COLOR`` says so, or the terminal has none."""
    return Console(highlight=False)


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error, if somebody looks at it.

    Yields a function to say how much was done, of how much, and what goes on.

    Args:
        what: is counted, in words: ``scenarios``.
    """
    if not is_looked_at(sys.stderr):
        yield lambda done_count, count, text: None
        return
    columns = (
        MofNCompleteColumn(),
        TextColumn(what),
        BarColumn(24),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda done_count, count, text: shown.update(
            task, completed=done_count, total=count, description=text
        )
