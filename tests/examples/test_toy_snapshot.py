from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from examples.toy_snapshot import name_of

SCRIPT = Path(__file__).parents[2] / "examples" / "toy_snapshot.py"


def test_the_toy_says_what_it_should() -> None:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    together, many, wrong = done.stdout.splitlines()
    assert together == "together: verified, 675 states, 820016270 interleavings"
    assert many.startswith("64 readers: verified, ")
    assert wrong.startswith("without the second look: violated W ")


def test_every_reader_has_a_name_of_its_own() -> None:
    names = [name_of(number) for number in range(1000)]
    assert names[0] == "Ra"
    assert len(set(names)) == 1000
    assert all(name.isalpha() for name in names)
