"""Every command on every page, and in every notebook, can be read: its options, mutants and scenarios exist.

Some pages' commands are run besides (`tests.docs.test_followed_pages` and others); this holds for those, too, that take
too long to be run here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

import click
import pytest

from shadowshare.cli import main
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.scenarios.catalogue import built_in_names
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME
from tests.docs.documents import documents
from tests.repository.tree import ROOT

TEXTS = [
    *documents(),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "notebooks/README.md", "examples/README.md")),
    *sorted((ROOT / "notebooks").glob("*.py")),
]
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
_PROMPT = re.compile(r"^(?:# ?)?\$ (.*)$", re.MULTILINE)
_CUT = re.compile(r"\s#\s| \| | && |;")


def commands_in(text: str) -> Iterator[str]:
    """The lines behind a ``$``, one command each, without comments."""
    for line in _PROMPT.findall(text):
        yield from (part.strip() for part in _CUT.split(line.partition(" #")[0]))


def shown() -> list[str]:
    found = (command for path in TEXTS for command in commands_in(path.read_text(encoding="utf-8")))
    return sorted({command for command in found if command.split(" ")[0] in ("shadowshare", "make")})


def read(
    command: click.Command, arguments: Sequence[str], parent: click.Context | None = None
) -> click.Context:
    """What the command line makes of arguments, without doing it.

    Raises:
        click.UsageError: they cannot be read.
    """
    if not isinstance(command, click.Group):
        return command.make_context(command.name, list(arguments), parent)
    context = click.Context(command, parent)
    _, chosen, rest = command.resolve_command(context, list(arguments))
    assert chosen is not None
    return read(chosen, rest, context)


def check(command: str) -> None:
    """Find out whether a command can be read, and whether what it names exists."""
    program, *arguments = shlex.split(command)
    if program == "make":
        assert [one for one in arguments if "=" not in one and one not in TARGETS] == []
        return
    if {"--help", "--version"} & set(arguments):
        return
    context = read(main, arguments)
    name = context.params.get("mutant_name")
    if name is not None:
        mutant(name)
    if context.info_name == "replay":
        parse_schedule(context.params["schedule"])
    if context.info_name == "run":
        known = {*built_in_names(), REAL_SCENARIO_NAME}
        assert set(context.params["names"]) <= known


@pytest.mark.parametrize("command", shown())
def test_a_command_can_be_read(command: str) -> None:
    check(command)


def test_there_are_some() -> None:
    assert len(shown()) > 50


@pytest.mark.parametrize(
    "command",
    [
        "shadowshare explore reader-before-volume-read --perfeto trace",
        "shadowshare simulate --replications none",
        "shadowshare store formatt disk.img",
        "shadowshare replay 's1/reader-before-volume-read/W*6,R' --mutant cached-rechek",
        "shadowshare run reader-before-volume-reed",
        "make rase",
    ],
)
def test_a_wrong_one_would_be_noticed(command: str) -> None:
    with pytest.raises((click.UsageError, ShadowshareError, AssertionError)):
        check(command)
