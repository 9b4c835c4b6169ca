"""What a test raises where something is violated: the counterexample as a table, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario
from shadowshare.sim.schedule import Schedule
from shadowshare.verify.counterexamples.counterexample import Row, replay, replay_command
from shadowshare.verify.generated.scenario_text import to_toml
from shadowshare.verify.mutants.catalogue import MUTANTS
from shadowshare.verify.result import Violation


class Violated(AssertionError):
    """Something that must never happen, and did; the message says how it came to it, and how to see it again."""


def heading(violation: Violation) -> str:
    """What is violated, in one line."""
    return f"{violation.rule} is violated: {violation.message}"


def table(rows: Iterable[Row]) -> str:
    """Steps in words, one a line."""
    cells = [("step", "label", "host", "what", "result")]
    cells += [(str(row.number), row.label, row.host, row.action, row.result) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def counterexample(
    scenario: Scenario, labels: Sequence[str], violation: Violation, implementation: Implementation
) -> str:
    """What is violated, the steps to it, and the command that shows them again."""
    rows = replay(scenario, labels, implementation).rows
    return f"{heading(violation)}\n\n{table(rows)}\n\n{_replay_line(scenario, labels, implementation)}"


def _replay_line(scenario: Scenario, labels: Sequence[str], implementation: Implementation) -> str:
    bug = next((bug.name for bug in MUTANTS if bug.implementation == implementation), None)
    is_known = scenario.name in built_in_names() and built_in(scenario.name) == scenario
    files = () if is_known else (f"{scenario.name}.toml",)
    line = f"replay: {replay_command(str(Schedule(scenario.name, tuple(labels))), files, bug)}"
    if bug is None and implementation != Implementation():
        kinds = f"{implementation.recovery.__qualname__} and {implementation.passive.__qualname__}"
        line = f"replay (from Python, with {kinds}): {Schedule(scenario.name, tuple(labels))}"
    return line if is_known else f"{line}\n\nthis is {scenario.name}.toml:\n\n{to_toml(scenario)}"
