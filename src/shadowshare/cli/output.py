"""What all commands share: sizes and how they are read and written, ``--json``, tables, and progress."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

from shadowshare.cli.terminal import console, is_looked_at
from shadowshare.reports.terminal import cell, coloured, coloured_diagram, heading, verdict

_F = TypeVar("_F", bound=Callable[..., Any])

_UNITS = "KMGTPE"
_SIZE = re.compile(r"([0-9]+)\s*(?:B|([KMGTPE])(|iB|B))?", re.ASCII | re.IGNORECASE)
_SIZE_DIGITS_MAXIMUM = 30


if TYPE_CHECKING:
    ParameterType = click.ParamType
else:

    class ParameterType(click.ParamType):
        """That of click, which takes no type arguments before click 8.5."""

        def __class_getitem__(cls, _: object) -> type:
            return cls


class SizeType(ParameterType[int, Any]):
    """A number of bytes: ``4096``, ``64K``, ``1GiB`` (powers of 1024), or ``1GB`` (powers of 1000)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes that ``value`` means."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(value.strip())
        if match is None or len(match[1]) > _SIZE_DIGITS_MAXIMUM:
            self.fail(
                f"{value!r} is no size: write a whole number of bytes, such as 4096, 64K or 1GiB", param, ctx
            )
        number, unit, suffix = match.groups()
        base = 1000 if (suffix or "").upper() == "B" else 1024
        size_bytes: int = int(number) * base ** (_UNITS.index(unit.upper()) + 1 if unit else 0)
        return size_bytes


SIZE = SizeType()


def human_size(size_bytes: int) -> str:
    """A size for people: the largest unit in which it has at least one digit, at most one digit behind the point."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    power = min(len(_UNITS), (size_bytes.bit_length() - 1) // 10)
    return f"{size_bytes / 1024**power:.1f}".removesuffix(".0") + f" {_UNITS[power - 1]}iB"


def json_option(command: _F) -> _F:
    """Adds ``--json``, which a command takes as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def print_json(value: Any) -> None:
    """Print a JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_verdict(word: str, text: str) -> None:
    """Print a headline; on a terminal with the sign and in the colour of a verdict."""
    if is_looked_at(sys.stdout):
        console().print(verdict(word, text))
    else:
        click.echo(text)


def print_fields(fields: Mapping[str, object]) -> None:
    """Print names and values, one pair a line."""
    width = max(map(len, fields), default=0)
    if is_looked_at(sys.stdout):
        grid = Table.grid(Column(style="dim", no_wrap=True), Column(), padding=(0, 2, 0, 0))
        for name, value in fields.items():
            grid.add_row(name, coloured(str(value)))
        console().print(grid)
        return
    for name, value in fields.items():
        click.echo(f"{name:{width}}  {value}")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], roles: Mapping[str, str] | None = None
) -> None:
    """Print a table: with lines on a terminal, else plain columns, so that other programs can read it.

    Args:
        columns: headings.
        rows: cells.
        roles: ``active`` or ``passive``, of the columns that are hosts.
    """
    cells = [[str(one) for one in row] for row in rows]
    if is_looked_at(sys.stdout):
        table = Table(
            *(Column(heading(name, (roles or {}).get(name))) for name in columns), box=box.SIMPLE_HEAD
        )
        for row in cells:
            table.add_row(*map(cell, row))
        console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in [list(columns), *cells]:
        click.echo("  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)).rstrip())


def print_diagram(diagram: str) -> None:
    """Print a diagram of text; on a terminal with the colours of the places on the disk."""
    if is_looked_at(sys.stdout):
        console().print(coloured_diagram(diagram), end="\n\n", no_wrap=True, overflow="ellipsis")
    else:
        click.echo(diagram)


@contextmanager
def bytes_progress(label: str, total_bytes: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, if that is a terminal. Yields a function to tell it of more bytes."""
    if not is_looked_at(sys.stderr):
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total_bytes)
        yield lambda size_bytes: progress.advance(task, size_bytes)
