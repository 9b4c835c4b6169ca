"""Which scenario kills which mutant, and how soon: ``python -m bench.mutants [--json]``.

For each mutant: states that breadth-first exploration met until it found the violation, the length of that shortest
schedule, and how many random schedules of all hosts it took (median over seeds; "-" if none of 2,000 found it).
"""

from __future__ import annotations

import argparse
import json
from statistics import median_high
from typing import Any

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import MUTANTS, Mutant
from shadowshare.verify.race import Race
from shadowshare.verify.search import Budget
from shadowshare.verify.strategies.random_walk import RandomWalk

SEED_COUNT = 5
SCHEDULE_COUNT_MAXIMUM = 2000


def measure_mutant(bug: Mutant) -> dict[str, Any]:
    """Figures for one mutant."""
    scenario = built_in(bug.scenario)
    exploration = explore(scenario, bug.implementation)
    product = Race(scenario, bug.implementation).product
    budget = Budget(execution_count=SCHEDULE_COUNT_MAXIMUM)
    walks = [RandomWalk(seed).run(product, budget) for seed in range(SEED_COUNT)]
    counts = [walk.execution_count if walk.violation else SCHEDULE_COUNT_MAXIMUM + 1 for walk in walks]
    random_count = median_high(counts)
    return {
        "mutant": bug.name,
        "scenario": bug.scenario,
        "verdict": exploration.verdict,
        "rule": exploration.violation.rule if exploration.violation else None,
        "states": exploration.state_count,
        "shortest_steps": len(exploration.labels),
        "random_schedules": random_count if random_count <= SCHEDULE_COUNT_MAXIMUM else None,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json = parser.parse_args().json
    rows = [measure_mutant(bug) for bug in MUTANTS]
    if as_json:
        print(json.dumps({"mutants": rows}, indent=2))
        return
    print(f"{'mutant':28}{'killed by scenario':40}{'rule':11}{'states':>8}{'steps':>7}{'random':>8}")
    for row in rows:
        found = "-" if row["random_schedules"] is None else row["random_schedules"]
        figures = f"{row['states']:8}{row['shortest_steps']:7}{found:>8}"
        print(f"{row['mutant']:28}{row['scenario']:40}{row['rule']!s:11}{figures}")


if __name__ == "__main__":
    main()
