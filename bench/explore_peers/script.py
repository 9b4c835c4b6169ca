"""What all peers' modules have in common when they are run: arguments in, one JSON object out.

``python -m bench.explore_peers.peer_spin toy 3 2 none 20`` prints ``{"rows": [...]}``;
``python -m bench.explore_peers.peer_spin --availability`` prints ``{"problem": ""}``, or what is missing. Nothing of
shadowshare needs to be installed for that.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
from collections.abc import Callable
from contextlib import redirect_stdout

from bench.explore_peers.row import Row
from bench.explore_peers.toy import MUTANTS

NO_MUTANT = "none"

Measure = Callable[[int, int, str, float], list[Row]]


def missing_package(name: str) -> str:
    """Why the package of that name can not be imported; empty if it can."""
    if importlib.util.find_spec(name):
        return ""
    return f"Python package {name} is not installed in {sys.executable} (Python {platform.python_version()})"


def main(measure: Measure, availability: Callable[[], str]) -> None:
    """Run a peer's module as its arguments say."""
    if sys.argv[1:] == ["--availability"]:
        print(json.dumps({"problem": availability()}))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=["toy"])
    parser.add_argument("n", type=int, help="number of extents")
    parser.add_argument("r", type=int, help="number of readers")
    parser.add_argument("mutant", choices=[NO_MUTANT, *MUTANTS])
    parser.add_argument("seconds_maximum", type=float, help="time limit, for each engine")
    arguments = parser.parse_args()
    mutant = "" if arguments.mutant == NO_MUTANT else arguments.mutant
    with redirect_stdout(sys.stderr):  # some tools print of their own accord
        rows = measure(arguments.n, arguments.r, mutant, arguments.seconds_maximum)
    print(json.dumps({"rows": rows}))
