"""``--html``, ``--perfetto`` and the like: results as files, written besides what a command prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.reports.graph import dot, graphml
from shadowshare.reports.json_lines import json_lines
from shadowshare.reports.space_time import standalone_svg
from shadowshare.reports.timeline import perfetto_trace, timeline_of
from shadowshare.verify.story.storyboard import Storyboard

HELP = {
    "html": "Also write a page: one file for any browser, that needs no network.",
    "svg": "Also write its space-time diagram alone, as SVG.",
    "perfetto": "Also write a trace for https://ui.perfetto.dev.",
    "json_lines": "Also write its steps as JSON lines, with what each of them changed.",
    "graphml": "Also write what happened before what in it, as GraphML.",
    "dot": "The same, for Graphviz.",
    "junit": "Also write the result as JUnit XML.",
}
EXAMPLES = {
    "html": "page.html",
    "svg": "diagram.svg",
    "perfetto": "trace.pftrace",
    "json_lines": "trace.jsonl",
    "graphml": "order.graphml",
    "dot": "order.dot",
    "junit": "gate.xml",
}

_WRITERS: dict[str, Callable[[Storyboard], str | bytes]] = {
    "svg": standalone_svg,
    "perfetto": lambda board: perfetto_trace(timeline_of(board)),
    "json_lines": json_lines,
    "graphml": graphml,
    "dot": dot,
}
STORY_REPORTS = ("html", *_WRITERS)
"""Those of one schedule."""


class CannotReport(ShadowshareError):
    """A report cannot be written where it is wanted."""


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files that are wanted, by the name of the report."""

    paths: dict[str, Path]

    @property
    def any(self) -> bool:
        """Whether any file is wanted."""
        return bool(self.paths)

    def check(self) -> None:
        """Find out before long work whether the files can be written.

        Raises:
            CannotReport: one cannot.
        """
        for name, path in self.paths.items():
            if path.is_dir() or not path.parent.is_dir():
                reason = "it is a folder" if path.is_dir() else f"there is no folder {str(path.parent)!r}"
                raise CannotReport(f"{_option(name)} {path}: {reason}; name a file, such as {EXAMPLES[name]}")

    def write_html(self, page: Callable[[], str]) -> None:
        """Write the page, if it is wanted."""
        self.write("html", page)

    def write(self, name: str, make: Callable[[], str | bytes]) -> None:
        """Make and write one report, if it is wanted."""
        if name in self.paths:
            content = make()
            self.paths[name].write_bytes(content.encode() if isinstance(content, str) else content)

    def write_story(self, board: Storyboard | None, page: Callable[[], str]) -> None:
        """Write all that are wanted; without a storyboard only the page."""
        self.write_html(page)
        for name, path in self.paths.items():
            if name == "html":
                continue
            if board is None:
                click.echo(
                    f"shadowshare: {path} is not written: nothing is violated, so there is no schedule to show",
                    err=True,
                )
                continue
            self.write(name, partial(_WRITERS[name], board))


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def takes_reports(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds the options of these reports, which a command takes as ``reports``, a `ReportFiles`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def taking_reports(*arguments: Any, **options: Any) -> None:
            given = {name: options.pop(f"{name}_file") for name in names}
            files = ReportFiles({name: path for name, path in given.items() if path is not None})
            files.check()
            command(*arguments, reports=files, **options)

        for name in reversed(names):
            taking_reports = click.option(
                _option(name),
                f"{name}_file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help=f"{HELP[name]}",
            )(taking_reports)
        return taking_reports

    return decorate
