from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.cli import COMMAND_MODULES
from shadowshare.cli.output import SIZE, human_size
from tests.cli.running import run, succeed

MEANINGS = {
    "0": 0,
    "4096": 4096,
    "4096B": 4096,
    "64K": 65536,
    "64k": 65536,
    "64KiB": 65536,
    "64 KiB": 65536,
    "64KB": 64000,
    "1M": 2**20,
    "1GiB": 2**30,
    "1GB": 10**9,
    "2T": 2**41,
}


@pytest.mark.parametrize(("text", "size_bytes"), MEANINGS.items())
def test_a_size(text: str, size_bytes: int) -> None:
    assert SIZE.convert(text, None, None) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "K", "-1", "1.5G", "1X", "0x10", "1e3", "\u0661", "1 2", "1KK", "9" * 31]
)
def test_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter):
        SIZE.convert(text, None, None)


@given(st.integers(0, 2**70))
def test_human_size_is_right_to_a_tenth(size_bytes: int) -> None:
    number, unit = human_size(size_bytes).split()
    factor = 1 if unit == "B" else 1024 ** ("KMGTPE".index(unit[0]) + 1)
    assert abs(float(number) * factor - size_bytes) <= 0.05 * factor + 1e-9 * size_bytes


@pytest.mark.parametrize(
    "command", ["format", "create", "delete", "list", "write", "discard", "read", "export", "check", "show"]
)
def test_every_store_command_explains_itself_with_an_example(command: str) -> None:
    text = succeed("store", command, "--help").stdout
    assert f"Example: shadowshare store {command}" in text.replace("\n", " ")
    assert command == "read" or "--json" in text


def test_help_and_version() -> None:
    assert "store" in succeed("--help").stdout
    assert succeed("--version").stdout.startswith("shadowshare ")
    assert run().exit_code == 2


# -- commands ----------------------------------------------------------------------------------------------------


def test_every_command_is_where_it_is_looked_for() -> None:
    for module in set(COMMAND_MODULES.values()):
        names = {name for name, place in COMMAND_MODULES.items() if place == module}
        assert names == {command.name for command in import_module(f"shadowshare.cli.{module}").commands}


def test_a_command_loads_no_other_one() -> None:
    code = (
        "import sys; from shadowshare.cli import main\n"
        "try: main(['gate', '--help'])\n"
        "finally: print([name for name in ('scipy', 'matplotlib') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
