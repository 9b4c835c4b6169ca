"""Small setups of tasks, and explorations of them with and without each reduction."""

from __future__ import annotations

from typing import Any

from shadowshare.verify.result import Exploration
from shadowshare.verify.tasks import Cell, Check, Lock, Setup, explore, rest


async def increment(cell: Cell) -> int:
    value: int = await cell.read()
    await cell.write(value + 1)
    return value


async def increment_at_once(cell: Cell) -> int:
    while not await cell.compare_and_write(value := await cell.read(), value + 1):
        await rest("again")
    return int(value)


async def increment_locked(lock: Lock, cell: Cell) -> int:
    async with lock:
        return await increment(cell)


async def read_one(cell: Cell) -> Any:
    return await cell.read()


async def write_one(cell: Cell, value: Any) -> None:
    await cell.write(value)


def counting(function: Any, count: int = 2, **faults: Any) -> Setup:
    setup = Setup(**faults)
    cell = setup.cell("n")
    for number in range(count):
        setup.task("ABCDEFG"[number], function, cell)
    return setup


def locked(count: int = 2, **faults: Any) -> Setup:
    setup = Setup(**faults)
    lock, cell = setup.lock("lock"), setup.cell("n")
    for number in range(count):
        setup.task("ABCDEFG"[number], increment_locked, lock, cell)
    return setup


def rule_of(exploration: Exploration) -> str | None:
    return None if exploration.violation is None else exploration.violation.rule


def in_every_way(setup: Setup, check: Check | None = None) -> list[Exploration]:
    """With and without each reduction."""
    ways = [(True, True, True), (True, True, False), (True, False, True), (False, True, True), (False,) * 3]
    return [
        explore(setup, check, merges=merges, readers_apart=apart, alike_merge=alike)
        for merges, apart, alike in ways
    ]


def verdict_in_every_way(setup: Setup, check: Check | None = None) -> tuple[str, str | None]:
    """Verdict and rule, which no reduction changes."""
    (found,) = {(one.verdict, rule_of(one)) for one in in_every_way(setup, check)}
    return found


def readers_and_writer(*names: str) -> Setup:
    setup = Setup()
    cell = setup.cell("n")
    setup.task("W", write_one, cell, 1)
    for name in names:
        setup.task(name, read_one, cell)
    return setup
