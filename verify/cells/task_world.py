"""Tasks on shared cells as a product of automata, and the end that a check gets to see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from functools import partial
from traceback import extract_tb
from typing import Any

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.disks.sector_store import SectorStore, under_every_survival
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import Client, SteppedWorld
from shadowshare.verify.cells.properties import Property, values_of
from shadowshare.verify.cells.setup import Setup, TaskEnded, computer_of
from shadowshare.verify.exploration.memoised import Automaton, MemoisedHost
from shadowshare.verify.exploration.product import Eventual, Product
from shadowshare.verify.result import Violation

END_RULES = ("deadlock", "check")
"""Rules that are judged where no operation can take effect; all others at once."""


class SpansReaders(Exception):
    """A check speaks of the results of two tasks that only read."""


class AsksForAlike(Exception):
    """A check asks for the result of one of several tasks that do the same."""


class _NotOfThisReader(Exception):
    """A check asks for the result of a reader that is not being explored: this end is none of its business."""


class End:
    """What the cells hold and what the tasks returned when no operation can take effect any more."""

    def __init__(
        self, cells: Sequence[Any], setup: Setup, results: dict[str, Any], reader: str, alike: frozenset[str]
    ) -> None:
        self._values = setup.values(cells)
        self._left_out = setup.left_out
        self._results = results
        self._reader = reader
        self._alike = alike
        self._asked_reader = False

    def __getitem__(self, name: str) -> Any:
        """What the cell, or array, of that name holds."""
        return self._values[name]

    def result(self, task: str) -> Any:
        """What a task returned; None if it crashed or has not begun.

        Raises:
            KeyError: there is no such task.
        """
        if task in self._alike:
            raise AsksForAlike(f"the check asks for the result of {task}")
        if task == self._reader:
            self._asked_reader = True
        elif task in self._left_out:
            if self._asked_reader:
                raise SpansReaders(f"the check speaks of both {self._reader} and {task}")
            raise _NotOfThisReader
        elif task not in self._results:
            raise KeyError(f"there is no task {task!r}")
        return self._results[task]


Check = Callable[[End], "bool | None"]
"""Judges an end: says False, or fails, if it is wrong."""


class TaskWatcher:
    """Sees every exception that a task does not catch, and what is stated of the cells."""

    def __init__(self, setup: Setup) -> None:
        self.violation: Violation | None = None
        self.met: set[str] = set()
        """What must hold sometimes, and did: in this world, and in all that were forked from it."""
        self._setup = setup
        self._names = [task.name for task in setup.tasks]
        self._stated = [*setup.stated("always"), *setup.stated("sometimes")]

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        """The cells hold something else."""
        self.look(shared, self._names[host])

    def look(self, shared: SharedState, name: str = "") -> None:
        """Note what is stated and holds, and what does not; ``name`` is the task after whose step that is."""
        for cells in values_of(shared, self._setup.values) if self._stated else ():
            for one in self._stated:
                if one.holds(cells):
                    if one.kind == "sometimes":
                        self.met.add(one.name)
                elif one.kind == "always" and self.violation is None:
                    self.violation = Violation("always", f"{one.name}: not so in {dict(cells)}", name)

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        """Every task may do everything."""

    def lost_power(self, shared: SharedState) -> None:
        """The cells may hold something else."""
        self.look(shared)

    def inspects(self, operation: Operation) -> Sequence[tuple[int, range]]:
        """All cells, if anything is stated of them: it may depend on any two of them at once."""
        if not self._stated or operation.access is not Access.WRITE:
            return ()
        return [(operation.device, range(len(self._setup.initial)))]

    def notes(self, operation: Operation) -> Sequence[tuple[str, bool]]:
        """Nothing: what is stated is stated of the cells."""
        return ()

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        """A task ended with an exception."""
        if self.violation is None:
            rule = "assertion" if isinstance(report, AssertionError) else "error"
            self.violation = Violation(rule, _describe(report), self._names[host])

    def fork(self) -> TaskWatcher:
        """An independent copy."""
        copy = object.__new__(TaskWatcher)
        copy.__dict__.update(self.__dict__)
        return copy

    def key(self) -> Hashable:
        """It remembers nothing but a violation."""
        return None


def _describe(error: BaseException) -> str:
    """An exception in one line: the first that it says, or the one that raised it."""
    if isinstance(error, AssertionError) and not str(error):
        frames = extract_tb(error.__traceback__)
        if frames:
            return f"line {frames[-1].lineno} of {frames[-1].name}: {frames[-1].line}"
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"


class TaskWorld:
    """Tasks of a setup, ready to be explored.

    Args:
        setup: cells and tasks.
        check: judges each end.
        merges: whether tasks at rest merge by their key.
        alike_merge: whether to take tasks that do the same for one another.
        reader: name of the only task that is taken to be one that only reads; empty if all are there.
        twins: names of tasks that are left out because they do the same as ``reader``.
    """

    def __init__(
        self,
        setup: Setup,
        check: Check | None = None,
        merges: bool = True,
        alike_merge: bool = False,
        reader: str = "",
        twins: Collection[str] = (),
    ) -> None:
        self.setup = setup
        self._check = check
        self._reader = reader
        rules = setup.rules()
        alike = setup.alike()
        automata = {
            number: automaton
            for group in alike
            for automaton in [Automaton(partial(computer_of, setup.tasks[group[0]]), merges)]
            for number in group
        }
        self._automata = [automata[number] for number in range(len(setup.tasks))]
        groups = (
            [group for group in alike if len(group) > 1] if alike_merge and not rules.has_happenings else []
        )
        self._alike = frozenset([*twins, *(setup.tasks[number].name for group in groups for number in group)])
        self._judged: dict[Hashable, Violation | None] = {}
        hosts = [MemoisedHost(automaton) for automaton in self._automata]
        self._watcher = TaskWatcher(setup)
        world = SteppedWorld([setup.cells()], hosts, rules, self._watcher)
        self._watcher.look(world.shared)
        for number, task in enumerate(setup.tasks):
            if not task.recovers:
                world.start(number, 0)
        self._held: dict[tuple[int, str], bool] = {}
        eventual = [Eventual(one.name, partial(self._holds, one)) for one in setup.stated("eventually")]
        self.product = Product(world, self._judge_end, groups, eventual=eventual)

    @property
    def host_run_count(self) -> int:
        """How often code of the tasks really ran."""
        return sum(automaton.run_count for automaton in dict.fromkeys(self._automata))

    def _holds(self, stated: Property, state: int) -> bool:
        """Whether something that is stated holds in a state of the product, whatever survived."""
        shared = self.product.shared(state)
        key = (id(shared), stated.name)  # the product keeps each of its shared parts
        if key not in self._held:
            self._held[key] = all(stated.holds(cells) for cells in values_of(shared, self.setup.values))
        return self._held[key]

    def unmet(self) -> tuple[str, ...]:
        """What must hold sometimes, and held in no state that was met."""
        return tuple(one.name for one in self.setup.stated("sometimes") if one.name not in self._watcher.met)

    def writes(self, task: str) -> bool:
        """Whether a task asked, in any schedule that was run, for anything but reads."""
        names = [one.name for one in self.setup.tasks]
        requests = self._automata[names.index(task)].requests()
        return any(operation.access is not Access.READ for operation in requests)

    def _judge_end(self, shared: SharedState, clients: Sequence[Client | None]) -> Violation | None:
        waiting = [
            task.name
            for task, client in zip(self.setup.tasks, clients, strict=True)
            if client is not None and client.host.unfinished_count
        ]
        results = {task.name: _result(client) for task, client in zip(self.setup.tasks, clients, strict=True)}
        return self.judge(shared, waiting, results)

    def judge(self, shared: SharedState, waiting: Sequence[str], results: dict[str, Any]) -> Violation | None:
        """What is wrong with an end: the tasks that wait, or what the check says.

        Args:
            shared: the cells.
            waiting: names of tasks that have begun and not ended.
            results: by name of a task, what it returned, or None.
        """
        if waiting:
            return Violation("deadlock", f"wait for ever: {', '.join(waiting)}", waiting[0])
        if self._check is None:
            return None
        wrong: list[Violation] = []
        under_every_survival(shared.disks, partial(self._judge_cells, results, wrong))
        return wrong[0] if wrong else None

    def _judge_cells(
        self, results: dict[str, Any], wrong: list[Violation], disks: Sequence[SectorStore]
    ) -> None:
        assert self._check is not None
        cells = disks[0]
        cells.check_decided(range(cells.sector_count))
        end = End(cells.sectors, self.setup, results, self._reader, self._alike)
        try:
            if self._check(end) is False:
                held = dict(self.setup.values(cells.sectors))
                wrong.append(Violation("check", f"the check says False of {held}", ""))
        except _NotOfThisReader:
            pass
        except AssertionError as error:
            wrong.append(Violation("check", _describe(error), ""))


def _result(client: Client | None) -> Any:
    boundary = (
        client.host.boundary() if client is not None and isinstance(client.host, MemoisedHost) else None
    )
    return boundary.result if isinstance(boundary, TaskEnded) else None
