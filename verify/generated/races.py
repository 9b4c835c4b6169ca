"""Small scenarios as Hypothesis draws them, made so that their verdict must be *verified*.

Every step before the race can be done; every name is known; every shadow copy that is read exists in at least one
schedule; and the errors that may come of the faults, of a store that runs full, or of another host that takes over, are
allowed, and no others. Of what is wished in the race there is as much as leaves it small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TypeVar

import msgspec
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.protocol.policy import Policy
from shadowshare.scenarios.definition import ACTIVE, PASSIVE, Document, Faults, Scenario, StoreShape
from shadowshare.scenarios.meaning import understand
from shadowshare.sim.faults.catalogue import FAULTS
from shadowshare.verify.generated.schedules import Interleaving, schedules
from shadowshare.verify.generated.sizes import Sizes
from shadowshare.verify.generated.steps import CHANGES, ReadWish, Wish
from shadowshare.verify.generated.store_model import StoreModel
from shadowshare.verify.generated.workloads import (
    RACE_STEP_COUNT_MAXIMUM,
    READ_STEP_COUNT_MAXIMUM,
    TASK_COUNT_MAXIMUM,
    Opening,
    Reader,
    Workload,
    geometries,
    workloads,
)

_W = TypeVar("_W", Wish, ReadWish)

NAMES = (*"stuvwxyz", *"abcdefghijklmnopqr")
"""Of the shadow copies, in the order of their creation: more than are ever wished."""

ACTIVES = ("W", "V", "U")
"""The first active, and those who take over."""

PASSIVES = ("R", "S")


def races() -> st.SearchStrategy[Scenario]:
    """Small scenarios: one active with several tasks, faults, who recovers, and one or two passives."""
    return geometries().flatmap(workloads).map(race_of)


def interleavings(implementation: Implementation | None = None) -> st.SearchStrategy[Interleaving]:
    """Schedules of generated races: one each."""
    return races().flatmap(lambda scenario: schedules(scenario, implementation))


def race_of(workload: Workload) -> Scenario:
    """The scenario of a workload: of its wishes, those that can be had."""
    document = _Maker(workload).document()
    digest = blake2b(msgspec.json.encode(document), digest_size=4).hexdigest()
    return understand(msgspec.structs.replace(document, name=f"generated-{digest}"))


class _Maker:
    """Makes the file of a scenario.

    Args:
        workload: what is wished.
    """

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._shape: StoreShape = workload.shape
        self._unused = list(reversed(NAMES))
        self._model = StoreModel(self._shape)
        self._before = [step for wish in workload.before if (step := self._step_before(wish))]
        self._known = list(self._model.copies)
        """Shadow copies that exist when the race begins, or that somebody creates in it."""
        self._wishes: list[Wish] = []
        self._reads: dict[str, list[ReadWish]] = {name: [] for name, _ in self._passives}
        self._have_as_much_as_is_small()
        self._may_fill_journal = self._records_needed() > self._model.free_record_count

    def document(self) -> Document:
        """The file, but for its name."""
        workload = self._workload
        others = self._others()
        race: dict[str, list[str | list[str]]] = {"W": [*self._active_tasks()]}
        for task, name in enumerate(others, TASK_COUNT_MAXIMUM):
            may_create = name == ACTIVES[1] and self._is_second_epoch_known()
            race[name] = [self._step(wish, may_create) for wish in _of_task(self._wishes, task)]
        for name, reader in self._passives:
            race[name] = [*self._reader_tasks(reader.opening, self._reads[name])]
        return Document(
            name="generated",
            story="A race that was generated.",
            race=race,
            hosts={"W": ACTIVE, **others, **dict.fromkeys(self._reads, PASSIVE)},
            before=self._lines_before(dict(self._passives)),
            store=self._store(),
            faults=self._faults(),
            catch_up_blocks=workload.catch_up_blocks,
        )

    def _others(self) -> dict[str, str]:
        """Who takes over, and the role of each."""
        cast = self._workload.cast
        recovering = [f"recovers {name}" for name in ACTIVES[: cast.crash_count]]
        return dict(zip(ACTIVES[1:], recovering + ["relieves W"] * cast.relief_count, strict=False))

    def _is_second_epoch_known(self) -> bool:
        """Whether nobody but the second active can take over from the first one."""
        cast = self._workload.cast
        return cast.relief_count <= 1 and not (cast.crash_count and cast.relief_count)

    # -- before the race -----------------------------------------------------------------------------------------

    def _step_before(self, wish: Wish) -> str:
        """A step that can be done after those before it; empty if it can not."""
        model = self._model
        if wish.verb == "create":
            return f"create {self._unused.pop()}" if model.create(self._unused[-1]) else ""
        if wish.verb == "delete":
            name = _one_of([*model.copies], wish.number)
            return f"delete {name}" if name and model.delete(name) else ""
        if wish.verb == "revert":
            name = _one_of([*model.copies], wish.number)
            return f"revert {name}" if name and model.revert(name) else ""
        if wish.verb == "grow":
            return self._growth(wish) if model.grow(self._grown_slot_count(wish)) else ""
        if wish.verb == "policy" and not model.free_record_count:
            return ""
        if wish.verb in CHANGES and not model.change(wish.place.extents):
            return ""
        return _plain_step(wish)

    def _lines_before(self, readers: dict[str, Reader]) -> list[str]:
        lines = [f"W: {step}" for step in self._before]
        youngest_first = sorted(readers, key=lambda name: readers[name].opening.age)
        for name in youngest_first:
            opening = readers[name].opening
            if not opening.is_in_race:
                lines.insert(max(0, len(self._before) - opening.age), f"{name}: open")
        return lines

    # -- in the race ---------------------------------------------------------------------------------------------

    @property
    def _passives(self) -> list[tuple[str, Reader]]:
        return list(zip(PASSIVES, self._workload.readers, strict=False))

    def _have_as_much_as_is_small(self) -> None:
        """Take the wishes in turn, each unless the race would have too many states with it; of each host the first."""
        wishes = [*map(self._share, self._workload.race)]
        for number in range(max(RACE_STEP_COUNT_MAXIMUM, READ_STEP_COUNT_MAXIMUM)):
            for wish in wishes[number : number + 1]:
                self._have(self._wishes, wish)
            for name, reader in self._passives:
                for read in reader.wishes[number : number + 1]:
                    self._have(self._reads[name], read)

    def _have(self, wishes: list[_W], wish: _W) -> None:
        wishes.append(wish)
        if len(wishes) > 1 and self._state_count() > self._workload.state_count:
            wishes.pop()

    def _state_count(self) -> int:
        workload = self._workload
        passives = [_by_task(wishes) for wishes in self._reads.values()]
        fault_count = sum(getattr(workload.faults, name) for name in FAULTS)
        actives = _by_task(self._wishes)
        sizes = Sizes(self._shape, workload.catch_up_blocks, workload.faults.tears)
        return sizes.state_count(actives, workload.cast.other_count, passives, fault_count)

    def _share(self, wish: Wish) -> Wish:
        """The wish of a host that is not there, since fewer take over, is that of the last one that is."""
        is_first_active = wish.task < TASK_COUNT_MAXIMUM
        other_count = self._workload.cast.other_count
        last = TASK_COUNT_MAXIMUM - 1 + other_count
        if is_first_active or wish.task <= last:
            return wish
        return wish._replace(task=last if other_count else 0)

    def _active_tasks(self) -> list[list[str]]:
        """What each task of the first active does; one of them at most creates."""
        wishes = tuple(wish for wish in self._wishes if wish.task < TASK_COUNT_MAXIMUM)
        creator = next((wish.task for wish in wishes if wish.verb == "create"), 0)
        wishes = tuple(wish._replace(task=creator) if wish.verb == "create" else wish for wish in wishes)
        return [[*map(self._step, task)] for _, task in sorted(_by_task(wishes).items())]

    def _may_verify(self) -> bool:
        """Whether nobody writes the live volume while it is read piece by piece.

        Each sector is read at a moment of its own then, but the oracle judges all of them at the last one.
        """
        tasks = {wish.task for wish in self._wishes if wish.task < TASK_COUNT_MAXIMUM}
        return not (self._workload.faults.tears and (len(tasks) > 1 or self._workload.cast.relief_count))

    def _step(self, wish: Wish, may_create: bool = True) -> str:
        """A step of an active in the race; a write instead of what cannot be had."""
        if wish.verb == "create" and may_create and not self._may_fill_journal:
            self._known.append(self._unused.pop())
            return f"create {self._known[-1]}"
        if wish.verb in ("delete", "revert") and self._known:
            return f"{wish.verb} {_one_of(self._known, wish.number)}"
        if wish.verb in ("create", "delete", "revert"):
            return _plain_step(wish._replace(verb="write"))
        if wish.verb == "grow":
            return self._growth(wish) if self._may_grow() else _plain_step(wish._replace(verb="write"))
        return "flush" if wish.verb == "verify" and not self._may_verify() else _plain_step(wish)

    def _may_grow(self) -> bool:
        """Whether nobody takes over from a host that lives.

        Who reads a superblock before the area grows, and the journal afterwards, is told that the two do not fit, and
        may try again (`docs/adr/0014`); no fault explains that error.
        """
        return not self._workload.cast.relief_count

    def _grown_slot_count(self, wish: Wish) -> int:
        return self._shape.slots + wish.growth

    def _growth(self, wish: Wish) -> str:
        return f"grow {self._grown_slot_count(wish)}"

    def _reader_tasks(self, opening: Opening, wishes: Sequence[ReadWish]) -> list[list[str]]:
        """What each task of a passive does; one that opens the store in the race has one task."""
        if opening.is_in_race:
            return [["open", *map(self._read_step, wishes)]]
        return [[*map(self._read_step, task)] for _, task in sorted(_by_task(wishes).items())]

    def _read_step(self, wish: ReadWish) -> str:
        if wish.verb == "list":
            return "list"
        if wish.verb == "catch-up" or not self._known:
            return "catch-up"
        name = _one_of(self._known, wish.number)
        if wish.verb == "changed":
            return f"changed {name}"
        if wish.verb == "changed between":
            return f"changed {name} {_one_of(self._known, wish.number + 1)}"
        return " ".join(["read", name, *(place.text for place in wish.places)])

    # -- what may go wrong ---------------------------------------------------------------------------------------

    def _records_needed(self) -> int:
        """Records that come to the journal in the race, at most."""
        return sum(map(self._record_count, self._wishes))

    def _record_count(self, wish: Wish) -> int:
        if wish.verb in ("flush", "verify"):
            return 0
        if wish.verb == "revert":
            return 1 + self._shape.extents
        return 1 + len(wish.place.extents)  # a shadow copy may give way to it

    def _store(self) -> StoreShape:
        """The store; where no slot can be lacking, none of the shadow copies may give way to another one."""
        may_delete = Policy.DELETE_OLDEST.value in (self._shape.policy, *self._policies())
        keeps = self._known if may_delete and not self._may_fill_area() else ()
        return msgspec.structs.replace(self._shape, keeps=tuple(keeps))

    def _policies(self) -> list[str]:
        """Those that anybody wants to be in force."""
        wishes = (*self._workload.before, *self._wishes)
        return [wish.policy.value for wish in wishes if wish.verb == "policy"]

    def _may_fill_area(self) -> bool:
        """Whether slots may be lacking: each shadow copy may need all extents, and failed writes take slots away."""
        faults = self._workload.faults
        lasting = faults.full_devices or faults.shrunk_devices
        failure_count = len(self._wishes) if lasting else faults.write_errors
        return self._model.slot_count < self._shape.extents * (len(self._known) + failure_count)

    def _may_shrink(self) -> bool:
        """Whether somebody wants fewer slots than there are by then."""
        grows = [wish for wish in self._wishes if wish.verb == "grow" and self._may_grow()]
        wanted = [self._grown_slot_count(wish) for wish in grows]
        return bool(wanted) and min(wanted) < max(self._model.slot_count, *wanted)

    def _faults(self) -> Faults:
        """The faults, with the errors that may come of them, of a store that runs full, or of a take-over."""
        faults = self._workload.faults
        errors = set().union(*(fault.errors for name, fault in FAULTS.items() if getattr(faults, name)))
        if self._workload.cast.relief_count:
            errors |= {"Fenced", "ActiveStopped"}
        if self._may_fill_journal:
            errors.add("JournalFull")
        if self._may_fill_area():
            errors.add("AreaFull")
        if self._may_shrink():
            errors.add("AreaInUse")
        return msgspec.structs.replace(faults, allowed_errors=tuple(sorted(errors)))


def _by_task(wishes: Iterable[_W]) -> dict[int, list[_W]]:
    """The wishes of each task."""
    found: dict[int, list[_W]] = {}
    for wish in wishes:
        found.setdefault(wish.task, []).append(wish)
    return found


def _of_task(wishes: Iterable[_W], task: int) -> list[_W]:
    return [wish for wish in wishes if wish.task == task]


def _plain_step(wish: Wish) -> str:
    if wish.verb == "policy":
        return f"policy {wish.policy.value}"
    return "flush" if wish.verb == "flush" else f"{wish.verb} {wish.place.text}"


def _one_of(names: Sequence[str], number: int) -> str:
    return names[number % len(names)] if names else ""
