"""``docs/reports.md``: its commands write what it says, its table has every option, and the picture is what is made."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from shadowshare.cli import main
from shadowshare.cli.report_files import HELP
from tests.cli.running import run
from tests.docs.documents import DOCS, fences, names_in, read, section, tables

NOT_RUN = "# not run here"
PICTURE = DOCS / "pictures" / "cached-recheck.svg"
PAGE = DOCS / "reports.md"


def commands() -> list[str]:
    lines = [line for fence in fences(PAGE) if fence.info == "console" for line in fence.text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if not line.endswith(NOT_RUN)]


@pytest.mark.parametrize("command", commands())
def test_a_command_writes_what_it_names(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "shadowshare"
    result = run(*arguments)
    assert result.exit_code in (0, 1), result.output
    named = {word for word in arguments if re.fullmatch(r"[a-z-]+\.(html|svg|pftrace)", word)}
    assert {path.name for path in tmp_path.iterdir()} == named
    assert all(path.stat().st_size > 500 for path in tmp_path.iterdir())


def test_the_table_has_every_option_of_every_command() -> None:
    documented: dict[str, set[str]] = {}
    for row in tables(read("reports.md"))[0]:
        for option in re.findall(r"--[a-z-]+", row["option"]):
            documented[option] = set(names_in(row["of"]))
    found: dict[str, set[str]] = {}
    context = main.make_context("shadowshare", ["list"])
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if parameter.name in {f"{report}_file" for report in HELP}:
                found.setdefault(parameter.opts[0], set()).add(name)
    assert documented == found


def test_the_keys_are_those_of_the_stepper() -> None:
    script = (DOCS.parent / "reports" / "page" / "stepper.js").read_text(encoding="utf-8")
    keys = re.search(r"const KEYS = \{(.*?)\};", script, flags=re.DOTALL)
    assert keys is not None
    known = set(re.findall(r"([A-Za-z]+): \"", keys[1])) - {"ArrowUp", "ArrowDown"}
    shown = set(
        re.findall(
            r"`([^`]+)`",
            section(read("reports.md"), "The page").partition("| press |")[2].partition("\n\n")[0],
        )
    )
    assert {{"→": "ArrowRight", "←": "ArrowLeft"}.get(key, key) for key in shown} == known


def test_the_picture_in_the_readme_is_what_the_command_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(*shlex.split(commands()[-1])[1:])
    assert (tmp_path / PICTURE.name).read_bytes() == PICTURE.read_bytes()
    assert f"docs/pictures/{PICTURE.name}" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
