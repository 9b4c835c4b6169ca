"""Small scenarios as Hypothesis draws them, made so that their verdict must be *verified*.

Every step before the race can be done; every name is known; every shadow copy that is read exists in at least one
schedule; and the errors that may come of the faults, or of a store that runs full, are allowed, and no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import msgspec
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.protocol.policy import POLICIES
from shadowshare.scenarios.definition import ACTIVE, PASSIVE, Document, Faults, Scenario, StoreShape
from shadowshare.scenarios.meaning import understand
from shadowshare.verify.generated.schedules import Interleaving, schedules
from shadowshare.verify.generated.steps import CHANGES, ReadWish, Wish
from shadowshare.verify.generated.store_model import StoreModel
from shadowshare.verify.generated.workloads import TASK_COUNT_MAXIMUM, Reader, Workload, geometries, workloads

NAMES = ("s", "t", "u", "v", "w", "x", "y", "z", *"abcdefgh")
"""Of the shadow copies, in the order of their creation: more than are ever wished."""

ACTIVES = ("W", "V", "U")
"""The first active, who recovers it, and who recovers that one."""

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
        self._wishes = [self._share(wish) for wish in workload.race]
        self._may_fill_journal = self._records_needed() > self._model.free_record_count

    def document(self) -> Document:
        """The file, but for its name."""
        workload = self._workload
        actives = ACTIVES[: 1 + workload.faults.crashes]
        race: dict[str, list[str | list[str]]] = {"W": [*self._active_tasks()]}
        for task, name in enumerate(actives[1:], TASK_COUNT_MAXIMUM):
            wishes = [wish for wish in self._wishes if wish.task == task]
            race[name] = [self._step(wish, may_create=name == ACTIVES[1]) for wish in wishes]
        readers = dict(zip(PASSIVES, workload.readers, strict=False))
        for name, reader in readers.items():
            race[name] = [*self._reader_tasks(reader)]
        recovering = {name: f"recovers {other}" for other, name in pairwise(actives)}
        return Document(
            name="generated",
            story="A race that was generated.",
            race=race,
            hosts={"W": ACTIVE, **recovering, **dict.fromkeys(readers, PASSIVE)},
            before=self._lines_before(readers),
            store=self._shape,
            faults=self._faults(),
            catch_up_blocks=workload.catch_up_blocks,
        )

    # -- before the race -----------------------------------------------------------------------------------------

    def _step_before(self, wish: Wish) -> str:
        """A step that can be done after those before it; empty if it can not."""
        model = self._model
        if wish.verb == "create":
            return f"create {self._unused.pop()}" if model.create(self._unused[-1]) else ""
        if wish.verb == "delete":
            name = _one_of([*model.copies], wish.number)
            return f"delete {name}" if name and model.delete(name) else ""
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

    def _share(self, wish: Wish) -> Wish:
        """The wish of a host that is not there, since there are fewer crashes, is that of the last one that is."""
        is_first_active = wish.task < TASK_COUNT_MAXIMUM
        last = TASK_COUNT_MAXIMUM - 1 + self._workload.faults.crashes
        if is_first_active or wish.task <= last:
            return wish
        return wish._replace(task=last if self._workload.faults.crashes else 0)

    def _active_tasks(self) -> list[list[str]]:
        """What each task of the first active does; one of them at most creates."""
        wishes = tuple(wish for wish in self._wishes if wish.task < TASK_COUNT_MAXIMUM)
        creator = next((wish.task for wish in wishes if wish.verb == "create"), 0)
        wishes = tuple(wish._replace(task=creator) if wish.verb == "create" else wish for wish in wishes)
        numbers = sorted({wish.task for wish in wishes})
        if self._workload.faults.tears and len(numbers) > 1:
            # Each sector is read at a moment of its own then, but the oracle judges all of them at the last one.
            wishes = tuple(wish._replace(verb="flush") if wish.verb == "verify" else wish for wish in wishes)
        return [[self._step(wish) for wish in wishes if wish.task == number] for number in numbers]

    def _step(self, wish: Wish, may_create: bool = True) -> str:
        """A step of an active in the race; a write instead of what cannot be had."""
        if wish.verb == "create" and may_create and not self._may_fill_journal:
            self._known.append(self._unused.pop())
            return f"create {self._known[-1]}"
        if wish.verb == "delete" and self._known:
            return f"delete {_one_of(self._known, wish.number)}"
        return _plain_step(wish._replace(verb="write") if wish.verb in ("create", "delete") else wish)

    def _reader_tasks(self, reader: Reader) -> list[list[str]]:
        """What each task of a passive does; one that opens the store in the race has one task."""
        if reader.opening.is_in_race:
            return [["open", *map(self._read_step, reader.wishes)]]
        numbers = sorted({wish.task for wish in reader.wishes})
        return [
            [self._read_step(wish) for wish in reader.wishes if wish.task == number] for number in numbers
        ]

    def _read_step(self, wish: ReadWish) -> str:
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
        changing = [wish for wish in self._wishes if wish.verb not in ("flush", "verify")]
        return sum(1 + len(wish.place.extents) for wish in changing)  # a shadow copy may give way to it

    def _faults(self) -> Faults:
        """The faults, with the errors that may come of them or of a store that runs full."""
        faults, shape = self._workload.faults, self._shape
        errors = set()
        if faults.write_errors:
            errors |= {"WriteError", "ActiveStopped"}
        if faults.flush_errors:
            errors |= {"FlushError", "ActiveStopped"}
        if faults.read_errors:
            errors.add("ReadError")
        if self._may_fill_journal:
            errors.add("JournalFull")
        if shape.slots < shape.extents * (len(self._known) + faults.write_errors):
            errors.add("AreaFull")
        return msgspec.structs.replace(faults, allowed_errors=tuple(sorted(errors)))


def _plain_step(wish: Wish) -> str:
    if wish.verb == "policy":
        return f"policy {POLICIES[wish.number].value}"
    return "flush" if wish.verb == "flush" else f"{wish.verb} {wish.place.text}"


def _one_of(names: Sequence[str], number: int) -> str:
    return names[number % len(names)] if names else ""
