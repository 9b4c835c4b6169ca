"""One page of each kind, out of small results."""

from __future__ import annotations

from functools import cache

from shadowshare.reports.page.document import Figure, TableSection
from shadowshare.reports.page.kinds import (
    exploration_page,
    gate_page,
    mutants_page,
    replay_page,
    run_page,
    simulation_page,
    svg_element,
)
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.detection import DetectionPlan, detect
from shadowshare.verify.gate.check import Check, GateResult
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.runner import Plan, run_scenario
from tests.verify.story.boards import board_of, lost_update

FIGURE = Figure(
    "Latency of reads",
    svg_element(
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 90"><text y="40">x</text></svg>'
    ),
    "Each dot is a read.",
    (["at_ns", "latency_ns"], [["0", "12"], ["5", "11"]]),
    "latency",
)


@cache
def pages() -> dict[str, str]:
    """By kind: the text of a page."""
    board, bug = board_of("no-recheck"), mutant("no-recheck")
    result = run_scenario(built_in(bug.scenario), Plan(bug.implementation))
    right = run_scenario(built_in("older-reads-forward"), Plan())
    detection = detect("no-recheck", DetectionPlan(("random",), 3, 100))
    checks = (
        Check(
            "scopes", bug.scenario, "violated", "wrong bytes", 0.5, result.violation, None, result.schedule
        ),
        Check("mutants", "no-fence", "verified", seconds=0.25),
    )
    return {
        "replay": replay_page(board),
        "tasks": replay_page(lost_update()),
        "exploration": exploration_page(result, {"strategy": "exhaustive"}, board),
        "run": run_page([right, result], [board]),
        "mutants": mutants_page([detection], {bug.name: bug.story}),
        "gate": gate_page(GateResult(checks, 7, (), 1.0), [board]),
        "simulation": simulation_page(
            "a simulation",
            "verified",
            "Every read was right.",
            {"seed": "7"},
            [TableSection("Hosts", (["host", "reads"], [["R", "2"]]), "hosts")],
            [FIGURE],
        ),
    }
