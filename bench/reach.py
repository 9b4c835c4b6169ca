"""What generated races reach, and which bugs they find: ``python -m bench.reach [--mutants [NAME ...]] [--json]``.

The races are those that ``shadowshare gate`` generates, drawn from the same seeds and explored as far. By default a row
says, of the first so many races: which share of them was explored to the end, how probably one more would show two rare
paths together that none did (or a set of them that none did, for comparison), and how many rare paths none reached.
With ``--mutants`` the protocol has one bug after the other, and each row says after how many races it was found, by
generated races alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import count, islice
from time import process_time
from typing import Any

from shadowshare.models.computers import Implementation
from shadowshare.protocol.marks import Mark, recording
from shadowshare.scenarios.definition import Scenario
from shadowshare.verify.gate.generator import races_of
from shadowshare.verify.gate.plan import GENERATED_RACE_COUNT
from shadowshare.verify.gate.statistics import Unseen, unseen_pairs, unseen_share
from shadowshare.verify.gate.work import explore_generated
from shadowshare.verify.generated.violated import Violated, counterexample
from shadowshare.verify.mutants.catalogue import MUTANTS, mutant

RACE_COUNTS = (128, 500, 2000)
HUNT_RACE_COUNT = 256
SEED = 0
PROTOCOL = Implementation()


def races(seed: int) -> Iterator[Scenario]:
    """As the gate generates them, without end."""
    for number in count(seed << 20):
        yield from races_of(number, GENERATED_RACE_COUNT)


# -- what is reached ---------------------------------------------------------------------------------------------


def reach(
    seed: int, race_counts: Sequence[int], implementation: Implementation = PROTOCOL
) -> list[dict[str, Any]]:
    """A row for the first so many races, each.

    Raises:
        Violated: in one of the races; what was reached until then says little.
    """
    shown, figures, rows = Counter[frozenset[str]](), Counter[str](), []
    marks, start = Counter[str](), process_time()
    for number, race in enumerate(islice(races(seed), max(race_counts)), start=1):
        with recording() as found:
            result, counts = explore_generated(race, implementation, seed)
        if result.violation is not None:
            raise Violated(counterexample(race, result.labels, result.violation, implementation))
        names = frozenset(mark.name for mark in found)
        shown[names] += 1
        marks.update(names)
        figures.update(counts)
        if number in race_counts:
            pairs = unseen_pairs([shown])
            sets = unseen_share({frozenset([names]): times for names, times in shown.items()})
            rows.append(
                {
                    "races": number,
                    "processor_seconds": round(process_time() - start, 1),
                    "exhausted": figures["exhausted"],
                    "states": figures["states"],
                    "unseen": {"pairs of marks": _rounded(pairs), "sets of marks": _rounded(sets)},
                    "not_reached": [mark.name for mark in Mark if mark.name not in marks],
                    "marks": {mark.name: marks[mark.name] for mark in Mark},
                }
            )
    return rows


def _rounded(unseen: Unseen) -> dict[str, Any]:
    return {
        "seen": unseen.seen_count,
        "share": round(unseen.share, 3),
        "standard_error": round(unseen.standard_error, 3),
    }


# -- what is found -----------------------------------------------------------------------------------------------


@cache
def first_races(seed: int, race_count: int) -> list[Scenario]:
    """The first so many."""
    return list(islice(races(seed), race_count))


def hunt(seed: int, race_count: int, name: str) -> dict[str, Any]:
    """After how many races a mutant is found, and how."""
    implementation, start, found = mutant(name).implementation, process_time(), None
    for number, race in enumerate(first_races(seed, race_count), start=1):
        result, _ = explore_generated(race, implementation, seed)
        if result.violation is not None:
            found = {"after": number, "rule": result.violation.rule, "race": race.name}
            break
    return {
        "mutant": name,
        "processor_seconds": round(process_time() - start, 1),
        **(found or {"after": None}),
    }


def hunts(names: Iterable[str], seed: int, race_count: int, jobs: int) -> list[dict[str, Any]]:
    """A row for each mutant."""
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(partial(hunt, seed, race_count), names))


# -- what is printed ---------------------------------------------------------------------------------------------


def print_reach(rows: Sequence[dict[str, Any]]) -> None:
    """A line for each number of races, and the marks that none of the most reached."""
    print(f"{'races':>6}{'exhausted':>11}{'seconds':>9}{'unseen pairs':>14}{'sets':>6}   marks not reached")
    for row in rows:
        share = row["exhausted"] / row["races"]
        print(
            f"{row['races']:6}{share:11.0%}{row['processor_seconds']:9}"
            f"{row['unseen']['pairs of marks']['share']:14.2f}{row['unseen']['sets of marks']['share']:6.2f}"
            f"   {len(row['not_reached'])}"
        )
    print(f"never: {', '.join(rows[-1]['not_reached']) or 'none'}")


def print_hunts(rows: Sequence[dict[str, Any]], race_count: int) -> None:
    """A line for each mutant."""
    for row in rows:
        how = f"after {row['after']:4} races: {row['rule']}" if row["after"] else "not found"
        print(f"{row['mutant']:36}{how}")
    found = sum(row["after"] is not None for row in rows)
    print(f"{found} of {len(rows)} found within {race_count} races")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--races", type=int, nargs="+", help="how many; several numbers make several rows")
    parser.add_argument("--mutants", nargs="*", metavar="NAME", help="bugs to look for; all if none is named")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2, help="processes that look for bugs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    if asked.mutants is None:
        try:
            rows = reach(asked.seed, asked.races or RACE_COUNTS)
        except Violated as violated:
            sys.exit(str(violated))
        print(json.dumps({"reach": rows}, indent=2)) if asked.json else print_reach(rows)
        return
    race_count = max(asked.races or [HUNT_RACE_COUNT])
    names = asked.mutants or [bug.name for bug in MUTANTS]
    rows = hunts(names, asked.seed, race_count, asked.jobs)
    print(json.dumps({"hunts": rows}, indent=2)) if asked.json else print_hunts(rows, race_count)


if __name__ == "__main__":
    main()
