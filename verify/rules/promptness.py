"""How soon the computers of a scenario must finish what they do, when they are left alone.

The bounds are for any implementation, so they are not tight; ``docs/liveness.md`` says what the real one needs. In
steps, where an operation that tears counts once for each sector; with e sectors wanted, h journal blocks in a half, and
w of them asked for by one catch-up read:

- a catch-up takes c = 2 (h / (w - 1) + 1) reads to the end of both halves, and 3 + h to load a checkpoint;
- a passive's read takes 2 (e + c): what it has begun may be worth nothing, and then comes one whole read;
- another step of a passive takes 2 c;
- a step of an active takes 2 c, reads and writes each extent up to three times, and a checkpoint: 6 e + h + 8; where
  the volume is reverted, every step may have to finish that first, so that its extents count, too.
"""

from __future__ import annotations

from itertools import groupby

from shadowshare.models import observations as seen
from shadowshare.models.steps import ScriptStep
from shadowshare.scenarios.definition import PASSIVE, HostPlan, Scenario
from shadowshare.sim.disks.memory_disk import WELL_BEHAVED
from shadowshare.verify.exploration.product import Move, Patience
from shadowshare.verify.rules.verbs import has_verb

ENDINGS = (
    seen.Activated,
    seen.ChangeEnded,
    seen.ChangesTold,
    seen.Listed,
    seen.FlushEnded,
    seen.CreationEnded,
    seen.DeletionEnded,
    seen.RevertEnded,
    seen.PolicyEnded,
    seen.GrowthEnded,
    seen.LiveRead,
    seen.ReadEnded,
    seen.StepFailed,
)
"""What a computer reports when it has finished a step; that it opened the store, or caught up, a passive does not."""

_UNREPORTED = ("open", "catch-up")


def patiences_of(scenario: Scenario) -> tuple[Patience, ...]:
    """With each host of a scenario; with none if a disk breaks the contract, since nothing is promised then."""
    if scenario.misbehaviour != WELL_BEHAVED:
        return ()
    return tuple(
        Patience(number, plan.name, step_count_maximum(scenario, plan), is_finished)
        for number, plan in enumerate(scenario.hosts)
    )


def is_finished(move: Move) -> bool:
    """Whether a computer finishes a step with a move."""
    return any(isinstance(report, ENDINGS) for report in move.step.reports)


def step_count_maximum(scenario: Scenario, plan: HostPlan) -> int:
    """Steps within which a host that is left alone reports that it has finished one of its steps, or has ended.

    All of its tasks may take steps meanwhile.
    """
    return sum(_longest_until_report(scenario, plan, script) for script in plan.scripts[plan.before_count :])


def _longest_until_report(scenario: Scenario, plan: HostPlan, script: tuple[ScriptStep, ...]) -> int:
    """Of a task: what it may need for a step that it reports the end of, and those before it of which it does not."""
    longest = waiting = 0
    for is_unreported, steps in groupby(script, lambda step: step.verb in _UNREPORTED):
        counts = [_step_count(scenario, plan, step) for step in steps]
        if is_unreported:
            waiting = sum(counts)
            longest = max(longest, waiting)
        else:
            longest = max(longest, waiting + counts[0], *counts[1:])
    return longest


def _step_count(scenario: Scenario, plan: HostPlan, step: ScriptStep) -> int:
    geometry, window = scenario.geometry, scenario.catch_up_blocks
    half = geometry.half_block_count
    pieces = window if scenario.faults.tears else 1
    catch_up = 2 * pieces * (-(-half // (window - 1)) + 1) + 3 + half
    sectors = 0
    for place in step.places:
        first, last = place.sector, place.sector + place.sector_count - 1
        extents = last // geometry.extent_sectors - first // geometry.extent_sectors + 1
        sectors += extents * geometry.extent_sectors
    if plan.role == PASSIVE:
        return 2 * (sectors + catch_up)
    if has_verb(scenario, "revert"):
        sectors += geometry.volume_sector_count
    return 2 * catch_up + 6 * sectors + half + 8
