"""One run of a plan, recorded operation by operation."""

from __future__ import annotations

from shadowshare.models.simulation.plan import SimulationPlan
from shadowshare.models.simulation.run import Simulation
from shadowshare.sim.timed.device import TimedFlight
from shadowshare.sim.timed.recording import Recording

RECORDED_OPERATION_COUNT = 10_000
_PARTS = 50


def record(
    plan: SimulationPlan,
    seed: int | tuple[int, ...] = 0,
    operation_count_maximum: int = RECORDED_OPERATION_COUNT,
) -> Recording:
    """Run a plan once, and keep the first operations after its warm-up.

    Args:
        plan: what is simulated.
        seed: of everything random.
        operation_count_maximum: how many are kept; the run ends soon after that.
    """
    simulation = Simulation(plan, seed)
    simulation.measure(plan.warm_up_ns)
    slot_count, traffic = plan.geometry.slot_count, simulation.traffic
    recording = Recording(
        simulation.environment,
        lambda: slot_count - simulation.active.free_slot_count,
        operation_count_maximum,
    )

    def observe(flight: TimedFlight) -> None:
        traffic(flight)
        recording(flight)

    simulation.world.observe = observe
    for _ in range(_PARTS):
        simulation.measure(max(1, plan.measured_ns // _PARTS))
        if recording.is_full:
            break
    return recording


def host_names(plan: SimulationPlan) -> list[str]:
    """What to call the hosts of a plan, by their numbers; the last one is who takes over, if somebody does."""
    passive_count = sum(passives.count for passives in plan.passives)
    passives = [f"passive {number}" for number in range(1, passive_count + 1)]
    return ["active", *passives, "active that takes over"]
