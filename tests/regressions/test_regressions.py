"""Failures that were found once, one folder each, are gone; and the test would notice if one were not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shadowshare.verify.counterexamples.failures import load_failure, recheck
from shadowshare.verify.exploration.search import Budget
from tests.repository.tree import ROOT

HERE = Path(__file__).parent
STATE_COUNT_MAXIMUM = 2_000_000
SECONDS_MAXIMUM = 300.0


def folders() -> list[Path]:
    """Every folder but those that Python makes."""
    return sorted(path for path in HERE.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))


def of_mutants() -> list[Path]:
    return [path for path in folders() if load_failure(path).description.mutant is not None]


@pytest.mark.parametrize("folder", folders(), ids=lambda path: path.name)
def test_a_failure_is_gone(folder: Path) -> None:
    found = recheck(load_failure(folder), budget=Budget(STATE_COUNT_MAXIMUM, SECONDS_MAXIMUM))
    assert found.state == "gone", found.reason


@pytest.mark.parametrize("folder", of_mutants(), ids=lambda path: path.name)
def test_with_its_bug_a_failure_is_there(folder: Path) -> None:
    """Otherwise the test above could not fail."""
    failure = load_failure(folder)
    found = recheck(failure, failure.implementation)
    assert found.state == "violated"
    assert found.reason.startswith(f"{failure.description.rule}: ")


@pytest.mark.parametrize("folder", folders(), ids=lambda path: path.name)
def test_a_folder_has_the_name_of_its_failure(folder: Path) -> None:
    """So nothing in it was changed by hand."""
    assert load_failure(folder).name == folder.name


def test_these_tests_run_before_all_others() -> None:
    """Also if they are named last."""
    others, these = "tests/reports/test_tables.py", "tests/regressions"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        others,
        these,
    ]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [line.partition("::")[0] for line in listing.splitlines() if "::" in line]
    regression_count = sum(name.startswith(these) for name in files)
    assert 0 < regression_count < len(files)
    assert all(name.startswith(these) for name in files[:regression_count])
