"""Text with the colours of `shadowshare.reports.style`, for terminals.

What is coloured is what a text speaks of anyway: the volume, slots, the journal, a verdict. So no colour says anything
that the words do not, and where a terminal has none, nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.text import Text

from shadowshare.reports.style import SIGNS, TERMINAL, TERMINAL_VERDICTS

_NUMBERS = r"\d+(?:(?:-|, | to )\d+)*"
_WORDS: Mapping[str, re.Pattern[str]] = {
    role: re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")
    for role, words in {
        "volume": rf"(?:extents? {_NUMBERS} of )?(?:the )?volume",
        "slots": rf"slots?(?: {_NUMBERS})?|differential area",
        "journal": rf"journal(?: blocks?)?(?: {_NUMBERS})?(?: of half 1)?",
        "wrong": "(?:←|<--) violated.*",
    }.items()
}
_ARROW = re.compile(r"[◀●<*][─┼╌+.-]+[▶●>*]")
"""Of a diagram in boxes or in ASCII (`shadowshare.reports.diagram`)."""


def coloured(text: str) -> Text:
    """A text in which places on the disk have their colours."""
    shown = Text(text)
    for role, words in _WORDS.items():
        shown.highlight_regex(words, TERMINAL.roles[role])
    return shown


def coloured_diagram(diagram: str) -> Text:
    """A diagram, in which an arrow has the colour of the region that it leads to or comes from."""
    return Text("\n").join(_diagram_line(line) for line in diagram.splitlines())


def _diagram_line(line: str) -> Text:
    shown = coloured(line)
    places = [(found.start(), role) for role, words in _WORDS.items() if (found := words.search(line))]
    if places:
        shown.highlight_regex(_ARROW, TERMINAL.roles[min(places)[1]])
    return shown


def cell(text: str) -> Text:
    """A cell of a table: a verdict has its sign and its colour."""
    if text in TERMINAL_VERDICTS:
        return verdict(text, text)
    if text.startswith("NO: "):
        return Text(text, TERMINAL_VERDICTS["violated"])
    return coloured(text)


def verdict(word: str, text: str) -> Text:
    """A text with the sign and in the colour of a verdict."""
    return Text(f"{SIGNS[word]} {text}", f"bold {TERMINAL_VERDICTS[word]}")


def heading(name: str, role: str | None = None) -> Text:
    """Of a column: a host has its sign and its colour."""
    return Text(name) if role is None else Text(f"{SIGNS[role]} {name}", TERMINAL.roles[role])
