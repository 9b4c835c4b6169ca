"""tests/conftest.py turns a skip into a failure under SHADOWSHARE_CI=1, and only there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.tree import ROOT

CALLED = "import pytest\n\ndef test_it():\n    pytest.skip('no such tool')\n"
MARKED = "import pytest\n\n@pytest.mark.skip(reason='no such tool')\ndef test_it():\n    pass\n"
MODULE = "import pytest\n\npytest.skip('no such tool', allow_module_level=True)\n"
ALLOWED = "import pytest\n\n@pytest.mark.may_skip_in_ci\ndef test_it():\n    pytest.skip('no such tool')\n"
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    raise AssertionError\n"
REFUSED = "CI is meant to run this test, but it was skipped: no such tool"


def run_pytest(folder: Path, source: str, *, in_ci: bool, workers: int) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    # One test that passes, or pytest ends with "no tests collected" when all others are skipped.
    (folder / "test_example.py").write_text(source, encoding="utf-8")
    (folder / "test_other.py").write_text("def test_other():\n    pass\n", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    foreign = ("PYTEST_", "SHADOWSHARE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    if in_ci:
        environment["SHADOWSHARE_CI"] = "1"
    options = ["-q", "-n", str(workers), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("source", [CALLED, MARKED, MODULE], ids=["called", "marked", "module"])
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, source: str, workers: int) -> None:
    done = run_pytest(tmp_path, source, in_ci=True, workers=workers)
    assert done.returncode != 0, done.stdout
    assert REFUSED in done.stdout


@pytest.mark.parametrize("source", [ALLOWED, EXPECTED_FAILURE], ids=["allowed", "expected failure"])
def test_what_may_be_skipped_in_ci(tmp_path: Path, source: str) -> None:
    done = run_pytest(tmp_path, source, in_ci=True, workers=0)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("source", [CALLED, MARKED, MODULE], ids=["called", "marked", "module"])
def test_a_skip_is_a_skip_elsewhere(tmp_path: Path, source: str) -> None:
    done = run_pytest(tmp_path, source, in_ci=False, workers=0)
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
