"""Races for the gate depend on the seed alone."""

from __future__ import annotations

import subprocess
import sys

from shadowshare.verify.gate.generator import races_of
from shadowshare.verify.generated.scenario_text import to_toml

DRAW = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
from shadowshare.verify.gate.generator import races_of
from shadowshare.verify.generated.scenario_text import to_toml
print([to_toml(race) for number in range(4) for race in races_of(number, 8)])
"""


def drawn_after_loading(*modules: str) -> str:
    command = [sys.executable, "-c", DRAW, *modules]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_same_seed_draws_the_same_whatever_else_is_loaded() -> None:
    assert drawn_after_loading() == drawn_after_loading("shadowshare.cli.gate", "shadowshare.cli.simulate")


def test_as_many_different_ones_as_are_wanted() -> None:
    texts = {to_toml(race) for number in range(3) for race in races_of(number, 8)}
    assert len(texts) == 24
