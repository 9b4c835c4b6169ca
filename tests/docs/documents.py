"""Reading the documents: their tables and their fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.repository.tree import ROOT

DOCS = ROOT / "docs"
MADE_BY_SPHINX = {"_build", "notebooks"}
FOLLOWED = [DOCS / "tutorial.md", DOCS / "own-protocol.md"]
"""Pages that are followed literally, from an empty folder."""


class Fence(NamedTuple):
    """A fenced block: what stands behind the opening fence, its first line, and its text."""

    path: Path
    info: str
    line: int
    text: str


def documents() -> list[Path]:
    """Every page, the decision records included."""
    return sorted(
        path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] not in MADE_BY_SPHINX
    )


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def fences(path: Path) -> Iterator[Fence]:
    opened: tuple[int, str, list[str]] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if opened is None:
            if line.startswith("```"):
                opened = (number + 1, line.removeprefix("```").strip(), [])
        elif line == "```":
            yield Fence(path, opened[1], opened[0], "".join(f"{text}\n" for text in opened[2]))
            opened = None
        else:
            opened[2].append(line)
    assert opened is None, f"{path}: a fenced block is not closed"


def all_fences(language: str) -> list[Fence]:
    """The fenced blocks of one language, in all documents."""
    return [fence for path in documents() for fence in fences(path) if fence.info.split(" ")[0] == language]


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(heading)}$", text, flags=re.MULTILINE)
    assert match, f"there is no heading {heading!r}"
    rest = text[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, flags=re.MULTILINE)
    return rest[: end.start()] if end else rest


def tables(text: str) -> list[list[dict[str, str]]]:
    """The tables of a text: rows by column heading. Code quotes are taken off cells that are nothing else."""
    found: list[list[dict[str, str]]] = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text + "\n", flags=re.MULTILINE):
        lines = [[_plain(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()]
        heading, rule, *rows = lines
        assert all(re.fullmatch(r":?-+:?", cell) for cell in rule), f"no table: {block}"
        assert all(len(row) == len(heading) for row in rows), f"a row is too short or too long: {block}"
        found.append([dict(zip(heading, row, strict=True)) for row in rows])
    return found


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1] if re.fullmatch(r"`[^`]*`", cell) else cell


def names_in(cell: str) -> list[str]:
    """The names that stand in a cell, separated by commas."""
    return [_plain(part) for part in cell.split(",") if _plain(part)]
