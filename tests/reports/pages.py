"""One page of each kind, out of small results."""

from __future__ import annotations

from functools import cache

from shadowshare.reports.page.kinds import (
    exploration_page,
    faults_page,
    gate_page,
    mutants_page,
    replay_page,
    run_page,
)
from shadowshare.reports.page.simulation import simulation_page
from shadowshare.reports.simulation import Basis, Estimate, Point
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.detection import DetectionPlan, detect
from shadowshare.verify.fault_verdicts import FaultVerdict
from shadowshare.verify.gate.check import Check, GateResult
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.runner import Plan, run_scenario
from tests.verify.story.boards import board_of, lost_update


def simulated(readers: int) -> Point:
    """A point as a simulation measures it."""
    curve = [(1000.0 * readers, 0.25), (2000.0 * readers, 1.0)]
    return Point(
        {"readers": readers, "path_us": 20},
        {
            "active.write.latency_mean": Estimate(
                readers * 1e-4, 1e-5, readers * 1e-4 - 1e-5, readers * 1e-4 + 1e-5
            ),
            "passives.recheck_saved_per_read": Estimate(2e-3, 1e-3, 1e-3, 3e-3, 2, 1000),
        },
        {"active write": curve, "active write without shadow copies": [(500.0, 1.0)], "passives read": curve},
        Basis(5, 1.0, 0.5),
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
            "mine", "A small one.", [simulated(1), simulated(4)], ["readers"], (), {"seed": "7"}
        ),
        "faults": faults_page(
            [
                FaultVerdict(
                    "fault-a", ("bit_rot",), ("slots",), "exact or an error", ("ReadError",), "", "", 7
                ),
                FaultVerdict("fault-b", ("lost_writes",), ("volume",), "assumed away", (), "image", "", 7),
            ]
        ),
    }
