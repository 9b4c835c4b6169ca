"""How fast Hypothesis draws interleavings of the real protocol: ``python -m bench.generated [--json]``.

One race of a writer and two readers, about 50 steps an interleaving, the oracle on and the end audited. Compared are,
in one run and by processor time, since the machine may do something else as well:

- *a tape*: `schedules`, one draw of bytes an interleaving;
- *a draw per choice*: the same race, with a drawn integer at each step where several things can happen;
- *state machine*: `StoreMachine`, up to 50 rules an example, on running code that nothing is remembered of.

Examples only, nothing is shrunk or kept. The first round of each, in which the race is found out, does not count.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario, parse_scenario
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.generated.machine import StoreMachine
from shadowshare.verify.generated.schedules import Interleaving, check, schedules
from shadowshare.verify.race import Race

RACE = """
name = "bench-generated"
story = "A writer, and two readers, about fifty steps."
before = ["W: create s", "R: open", "S: open"]
[hosts]
W = "active"
R = "passive"
S = "passive"
[store]
extents = 4
slots = 12
[race]
W = ["write 0", "write 1", "create t", "write 0", "write 2", "write 3"]
R = ["read s 0 1", "read s 2"]
S = ["read s 1", "read s 0 3"]
"""
ROUND_COUNT = 3
EXAMPLE_COUNT = 2000
CHOICE_EXAMPLE_COUNT = 200
MACHINE_EXAMPLE_COUNT = 40

Round = Callable[[int], list[int]]
"""Runs examples with a seed; the steps of each."""


def only_examples(count: int) -> settings:
    """Draw examples, and do nothing else."""
    return settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def by_tape(scenario: Scenario, count: int) -> Round:
    """A draw per interleaving."""

    def run(number: int) -> list[int]:
        step_counts: list[int] = []

        @seed(number)
        @only_examples(count)
        @given(schedules(scenario))
        def draw(interleaving: Interleaving) -> None:
            check(interleaving)
            step_counts.append(len(interleaving.labels))

        draw()
        return step_counts

    return run


def by_choice(scenario: Scenario, count: int) -> Round:
    """A draw per choice."""
    product = Race(scenario, Implementation()).product

    def run(number: int) -> list[int]:
        step_counts: list[int] = []

        @seed(number)
        @only_examples(count)
        @given(st.data())
        def draw(data: st.DataObject) -> None:
            step_counts.append(walk(product, data))

        draw()
        return step_counts

    return run


def walk(product: Product, data: st.DataObject) -> int:
    """Run one interleaving, each choice drawn; the number of its steps."""
    state, step_count = product.initial, 0
    while moves := product.moves(state):
        index = data.draw(st.integers(0, len(moves) - 1)) if len(moves) > 1 else 0
        state += moves[index].delta
        step_count += 1
        assert product.violation(state) is None
    assert product.judge_end(state) is None
    return step_count


def by_machine(count: int) -> Round:
    """Rules of the state machine."""

    def run(number: int) -> list[int]:
        step_counts: list[int] = []

        @seed(number)
        class Counting(StoreMachine):
            def teardown(self) -> None:
                super().teardown()
                step_counts.append(self.store.step_count)

        run_state_machine_as_test(Counting, settings=only_examples(count))
        return step_counts

    return run


def measure_one(name: str, run: Round, round_count: int) -> dict[str, Any]:
    """A row of figures: the median of the rounds but the first."""
    run(0)
    rates, steps = [], []
    for number in range(1, round_count + 1):
        start = process_time()
        step_counts = run(number)
        rates.append(len(step_counts) / (process_time() - start))
        steps.append(sum(step_counts) / len(step_counts))
    return {
        "name": name,
        "steps_an_example": round(median(steps), 1),
        "examples_a_second": round(median(rates), 1),
        "steps_a_second": round(median(rates) * median(steps)),
    }


def measure() -> list[dict[str, Any]]:
    """All rows, each with how many times as many examples the tape draws."""
    scenario = parse_scenario(RACE)
    rows = [
        measure_one("a tape", by_tape(scenario, EXAMPLE_COUNT), ROUND_COUNT),
        measure_one("a draw per choice", by_choice(scenario, CHOICE_EXAMPLE_COUNT), ROUND_COUNT),
        measure_one("state machine", by_machine(MACHINE_EXAMPLE_COUNT), ROUND_COUNT),
    ]
    for row in rows:
        row["tape_is_faster"] = round(rows[0]["examples_a_second"] / row["examples_a_second"], 1)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json = parser.parse_args().json
    rows = measure()
    if as_json:
        print(json.dumps({"generated": rows}, indent=2))
        return
    print(f"{'drawn by':20}{'steps/example':>15}{'examples/s':>12}{'steps/s':>10}{'tape is faster':>16}")
    for row in rows:
        figures = f"{row['steps_an_example']:15}{row['examples_a_second']:12}{row['steps_a_second']:10}"
        print(f"{row['name']:20}{figures}{row['tape_is_faster']:15}x")


if __name__ == "__main__":
    main()
