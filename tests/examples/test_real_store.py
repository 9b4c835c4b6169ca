from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "real_store.py"


def test_the_example_says_what_it_should(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "disk.img"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "live volume: after  after  after  ",
        "shadow copy: before before before ",
        "still      : before before before ",
        "the store is intact",
    ]
