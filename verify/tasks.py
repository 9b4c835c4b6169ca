"""Any tasks on shared cells, explored: for protocols that have nothing to do with shadow copies.

A `Setup` names cells and the tasks that share them. A task is an ``async`` function that awaits operations on cells;
from one such operation to the next it runs alone, and it shares nothing with the others but the cells::

    setup = Setup()
    counter = setup.cell("counter", 0)

    async def increment():
        value = await counter.read()
        await counter.write(value + 1)

    setup.task("A", increment)
    setup.task("B", increment)
    result = explore(setup, lambda end: end["counter"] == 2)
    assert result.verdict == "violated" and result.labels == ("A", "B", "A", "B")

Violations are: an assertion or any other exception in a task, tasks that wait for ever or go on for ever, and a
``check`` of what the cells and the tasks' results are in the end that says False or fails. Besides, a setup can state
what holds of the cells `Setup.always`, `Setup.sometimes`, and `Setup.eventually`
(`shadowshare.verify.cells.properties`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from shadowshare.verify.cells.setup import Array, Cell, Lock, Setup, flush, rest
from shadowshare.verify.cells.task_world import END_RULES, AsksForAlike, Check, End, SpansReaders, TaskWorld
from shadowshare.verify.exploration.liveness import ENDLESS_RULES
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.result import Exploration, sum_of, with_unmet
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.strategy import Strategy

__all__ = ["Array", "Cell", "Check", "End", "Lock", "Setup", "TaskWorld", "explore", "flush", "rest"]

GUESS_EXECUTION_COUNT = 4
"""Random schedules from which it is guessed which tasks only read."""


def explore(
    setup: Setup,
    check: Check | None = None,
    *,
    strategy: Strategy | None = None,
    budget: Budget | None = None,
    merges: bool = True,
    readers_apart: bool = True,
    alike_merge: bool = True,
    progress: Progress | None = None,
) -> Exploration:
    """Explore interleavings of tasks; every one of them, unless ``strategy`` says otherwise.

    Args:
        setup: cells and tasks.
        check: judges each end; says False or fails if it is wrong.
        strategy: which interleavings to run, and in which order.
        budget: how much may be spent.
        merges: whether tasks at `rest` merge by their key; without, by their whole history.
        readers_apart: whether to explore tasks that only read one at a time, where that cannot change the verdict.
        alike_merge: whether to take tasks that do the same for one another, where that cannot change the verdict.
        progress: told how far it is.
    """
    budget, strategy = budget or Budget(), strategy or Exhaustive()
    run = _Run(setup, check, strategy, budget, merges, progress)
    if strategy.is_sampling:
        return run.together(alike_merge=False)
    found, refused = None, ""
    if readers_apart and len(setup.tasks) > 1:
        try:
            found = _with_alike_if_possible(run.apart, alike_merge)
        except SpansReaders as reason:
            refused = f"readers one at a time: {reason}"
    if found is None:
        # Other strategies follow each task by itself.
        found = _with_alike_if_possible(run.together, alike_merge and isinstance(strategy, Exhaustive))
        assert found is not None, "all tasks together can always be explored"
    return replace(found, refused=(refused, *found.refused)) if refused else found


def _with_alike_if_possible(
    explore_them: Callable[[bool], Exploration | None], alike_merge: bool
) -> Exploration | None:
    """Take tasks that do the same for one another, unless the check tells them apart."""
    try:
        found = explore_them(alike_merge)
        if alike_merge and found and found.violation and found.violation.rule in ENDLESS_RULES:
            return explore_them(False)  # which of them is where matters for a way that leads back
        return found
    except AsksForAlike as reason:
        found = explore_them(False)
        refused = f"tasks that do the same taken for one another: {reason}"
        return found and replace(found, refused=(refused,))


class _Run:
    """One call of `explore`."""

    def __init__(
        self,
        setup: Setup,
        check: Check | None,
        strategy: Strategy,
        budget: Budget,
        merges: bool,
        progress: Progress | None,
    ) -> None:
        self._setup = setup
        self._check = check
        self._strategy = strategy
        self._budget = budget
        self._merges = merges
        self._progress = progress

    def together(self, alike_merge: bool) -> Exploration:
        """All tasks at once."""
        world = TaskWorld(self._setup, self._check, self._merges, alike_merge)
        found = self._explore(world)
        if world.product.has_alike:
            found = replace(found, reductions=("tasks that do the same were taken for one another",))
        return found

    def _explore(self, world: TaskWorld) -> Exploration:
        found = self._strategy.run(world.product, self._budget, self._progress)
        unmet = list(world.unmet()) if found.is_exhausted else []
        if not isinstance(self._strategy, Exhaustive):
            unmet += [one.name for one in self._setup.stated("eventually")]
        return replace(with_unmet(found, unmet), host_run_count=world.host_run_count)

    def apart(self, alike_merge: bool) -> Exploration | None:
        """Each task that only reads, with all those that do more; None if that cannot be done, or saves nothing.

        Which ones only read is a guess, from a few random schedules, until each was explored with all that do more;
        then it is known (docs/exploration.md).
        """
        writers = self._seen_to_write()
        while True:
            readers = [task.name for task in self._setup.tasks if task.name not in writers]
            if len(readers) < 2:
                return None
            parts: list[Exploration] = []
            for reader, *twins in self._groups(readers, alike_merge):
                setup = self._setup.only([*writers, reader])
                world = TaskWorld(setup, self._check, self._merges, reader=reader, twins=twins)
                parts.append(self._explore(world))
                if world.writes(reader):
                    writers.add(reader)
                    break
                violation = parts[-1].violation
                if violation is not None and violation.rule in END_RULES:
                    return None  # what is not explored yet might still write, and so change the ends
                if parts[-1].verdict != "verified":
                    return self._summed(parts, readers)
            else:
                return self._summed(parts, readers)

    def _seen_to_write(self) -> set[str]:
        """The tasks that write in one of a few random schedules, and those that another one recovers.

        The crash of such a one lets the other begin, which is more than to read.
        """
        world = TaskWorld(self._setup, None, self._merges)
        walk = RandomWalk()
        for number in range(GUESS_EXECUTION_COUNT):
            walk.run_one(world.product, number)
        tasks = self._setup.tasks
        recovered = {task.recovers for task in tasks if task.recovers}
        return recovered | {task.name for task in tasks if world.writes(task.name)}

    def _groups(self, readers: Collection[str], alike_merge: bool) -> Iterator[list[str]]:
        """The readers by what they do; each for itself unless those that do the same are one."""
        tasks = self._setup.tasks
        for group in self._setup.alike():
            names = [tasks[number].name for number in group if tasks[number].name in readers]
            if names:
                yield from [names] if alike_merge else [[name] for name in names]

    def _summed(self, parts: list[Exploration], readers: Collection[str]) -> Exploration:
        reductions = [f"{len(readers)} tasks explored one at a time: each only reads"]
        if len(parts) < len(readers) and parts[-1].verdict == "verified":
            reductions.append(f"of tasks that only read and do the same, one: {len(parts)} of {len(readers)}")
        return replace(sum_of(parts), reductions=tuple(reductions))
