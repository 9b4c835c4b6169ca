"""What share of edits that nobody chose turn the gate red: ``python -m bench.edits [--sample N] [--seed N] [--json]``.

Small edits are made by rules from the text of ``protocol/`` (`bench.edits.operators`), a sample of them is drawn, and
each is put through ``shadowshare gate`` in a copy of the checkout. An edit is *killed* if the gate is not green, it
*survives* if it is; *equivalent* is a survivor of which ``equivalent.toml`` says why nothing is wrong with it. One that
survives takes the time of a whole gate; so this is nothing for continuous integration.

``--patches FOLDER`` does the same with bugs that people wrote, one in a file: best people who have not seen the gate.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.edits.gated import PROTOCOL, RACE_COUNT, Outcome, Scratch
from bench.edits.operators import Edit, all_edits

MODULES = (
    "active",
    "allocator",
    "changes",
    "checkpoint",
    "committing",
    "coordination",
    "copying",
    "giving_way",
    "journal",
    "journal_appender",
    "passive",
    "recovery",
    "superblock",
    "table",
    "turnover",
    "view",
)
"""What runs in races. The others are texts, codecs and tools, whose tests are in ``tests/protocol``."""

SAMPLE = 60
_ARGUED = Path(__file__).with_name("equivalent.toml")
_KINDS = {"verified": "survived", "violated": "killed", "unknown": "killed", "endless": "endless"}


def edits_of_the_protocol(modules: Sequence[str] = MODULES) -> list[Edit]:
    """All edits of some modules."""
    return all_edits((name, (PROTOCOL / f"{name}.py").read_text(encoding="utf-8")) for name in modules)


def argued() -> dict[str, str]:
    """By the name of an edit: why nothing is wrong with it."""
    told: dict[str, str] = tomllib.loads(_ARGUED.read_text(encoding="utf-8"))
    return told


def kind_of(outcome: Outcome) -> str:
    """In one word, what came of an edit."""
    kind = _KINDS.get(outcome.verdict, outcome.verdict)
    return "equivalent" if kind == "survived" and outcome.name in argued() else kind


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, default=SAMPLE, help="edits to draw")
    parser.add_argument("--seed", type=int, default=1, help="by which they are drawn")
    parser.add_argument("--races", type=int, default=RACE_COUNT, help="that the gate generates")
    parser.add_argument("--only", default="", help="those whose names begin so, instead of a sample")
    parser.add_argument(
        "--patches", type=Path, help="instead, those that somebody wrote: a folder of *.patch"
    )
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    edits = edits_of_the_protocol()
    drawn = [edit for edit in edits if chosen.only and edit.name.startswith(chosen.only)]
    if not chosen.only:
        drawn = sorted(Random(chosen.seed).sample(edits, min(chosen.sample, len(edits))))
    if chosen.list:
        print("\n".join(edit.name for edit in drawn))
        return
    patches = sorted(chosen.patches.glob("*.patch")) if chosen.patches else []
    outcomes = []
    with TemporaryDirectory() as folder:
        scratch = Scratch(Path(folder))
        judging = [partial(scratch.judge_patch, patch, chosen.races) for patch in patches]
        if not chosen.patches:
            judging = [partial(scratch.judge, edit, chosen.races) for edit in drawn]
        for judge in judging:
            outcomes.append(judge())
            if not chosen.json:
                _tell(outcomes[-1])
    _sum_up(outcomes, len(patches) if chosen.patches else len(edits), chosen.json)


def _tell(outcome: Outcome) -> None:
    found = f"  [{outcome.found_in}]" if outcome.found_in else ""
    print(f"{kind_of(outcome):10}  {outcome.name}{found}", flush=True)


def _sum_up(outcomes: Sequence[Outcome], edit_count: int, as_json: bool) -> None:
    counts = Counter(map(kind_of, outcomes))
    if as_json:
        told = [{**outcome._asdict(), "kind": kind_of(outcome)} for outcome in outcomes]
        json.dump({"of": edit_count, "counts": counts, "edits": told}, sys.stdout, indent=2)
    else:
        parts = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        print(f"{len(outcomes)} of {edit_count} edits: {parts}")


if __name__ == "__main__":
    main()
