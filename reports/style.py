"""How everything looks: which colour and which sign stands for what, in the terminal, in pages and in figures.

A colour is never all that tells two things apart: each has a sign, or its name beside it. The colours of `ROLES` can
be told apart by people who see fewer colours, too, and stand out from their background; tests measure both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

ROLES = ("volume", "slots", "journal", "active", "passive", "wrong")
"""What has a colour of its own: the regions of the disk, the two kinds of computers, and what is wrong."""

SIGNS: Mapping[str, str] = {
    "volume": "■",
    "slots": "◆",
    "journal": "▤",
    "active": "▲",
    "passive": "●",
    "wrong": "✗",
    "verified": "✓",
    "violated": "✗",
    "unknown": "?",
}
"""Stands beside the colour, or in place of it."""

VERDICT_ROLES: Mapping[str, str] = {"verified": "journal", "violated": "wrong", "unknown": "slots"}
"""The role in whose colour a verdict is drawn; its word always stands beside it."""

TERMINAL_VERDICTS: Mapping[str, str] = {"verified": "green", "violated": "red", "unknown": "yellow"}
"""Of the terminal's own colours, which its user chose to be readable."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours for one kind of background.

    Attributes:
        roles: by name in `ROLES`.
        backgrounds: on which these are drawn.
        text: of words.
        muted: of words that matter less.
        line: of rules and frames.
        card: the background of what stands out from the page; one of ``backgrounds``.
        page: the background of everything; one of ``backgrounds``.
    """

    roles: Mapping[str, str]
    backgrounds: tuple[str, ...]
    text: str
    muted: str
    line: str
    card: str
    page: str


LIGHT = Theme(
    dict(zip(ROLES, ("#1346bc", "#c26a0c", "#10875f", "#181f27", "#8a52a3", "#aa0920"), strict=True)),
    ("#ffffff", "#f5f6f8"),
    text="#1b2129",
    muted="#545e6b",
    line="#d5dae1",
    card="#ffffff",
    page="#f5f6f8",
)
DARK = Theme(
    dict(zip(ROLES, ("#3388f6", "#fda62c", "#4df09a", "#eff2f5", "#cf9fe8", "#ff3350"), strict=True)),
    ("#171c23", "#0f1318"),
    text="#e6eaef",
    muted="#9aa6b4",
    line="#343d49",
    card="#171c23",
    page="#0f1318",
)
TERMINAL = Theme(
    dict(zip(ROLES, ("#0a55f6", "#c87f01", "#2aa46c", "#5b6469", "#9d1aa5", "#ba0d26"), strict=True)),
    ("#ffffff", "#000000"),
    text="",
    muted="",
    line="",
    card="#ffffff",
    page="#000000",
)
"""For backgrounds that nobody knows: the colours stand out from black and from white."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""For curves that have no role, one after the other (Okabe and Ito, Color Universal Design, 2008)."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""Told apart without colour, one for each of `SERIES`."""


def css_variables(root: str = ":root") -> str:
    """Both themes as variables of a style sheet; which one is in force, the reader's system or choice decides.

    Args:
        root: selects the element that has them, and on which ``data-theme`` may say ``light`` or ``dark``.
    """
    light, dark = (" ".join(_declarations(theme)) for theme in (LIGHT, DARK))
    return (
        f"{root} {{ color-scheme: light; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {root}:not([data-theme=light]) {{ color-scheme: dark; {dark} }} }}\n"
        f"{root}[data-theme=dark] {{ color-scheme: dark; {dark} }}\n"
        f"@media print {{ {root}{root}{root} {{ color-scheme: light; {light} }} }}\n"
    )


def _declarations(theme: Theme) -> Iterator[str]:
    for role, colour in theme.roles.items():
        yield f"--{role}: {colour};"
    for name in ("text", "muted", "line", "card", "page"):
        yield f"--{name}: {getattr(theme, name)};"


@contextmanager
def figure_style(font_size_points: float = 9) -> Iterator[None]:
    """Figures of matplotlib that are made here look like the rest; the same ones give the same bytes."""
    from matplotlib import rc_context  # noqa: PLC0415 - takes half a second, and only a figure needs it

    with rc_context(
        {
            "svg.hashsalt": "shadowshare",
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": font_size_points,
            "axes.edgecolor": LIGHT.muted,
            "axes.labelcolor": LIGHT.text,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.color": LIGHT.line,
            "grid.linewidth": 0.6,
            "text.color": LIGHT.text,
            "xtick.color": LIGHT.muted,
            "ytick.color": LIGHT.muted,
        }
    ):
        yield


FIGURE_METADATA: Mapping[str, None] = {"Date": None, "Creator": None}
"""Without what changes from run to run."""
