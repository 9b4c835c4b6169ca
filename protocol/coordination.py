"""How the tasks of one host wait for each other. No disk operation is involved.

Tasks of a host never run at the same time: what stands between two awaits is atomic.
"""

from __future__ import annotations

from types import TracebackType

from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Event


class Mutex:
    """At most one task is inside. ``async with mutex: ...``; waiting tasks enter in the order they came."""

    __slots__ = ("_is_held", "_waiting")

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: list[Event] = []

    async def __aenter__(self) -> None:
        if not self._is_held:
            self._is_held = True
            return
        turn = Event()
        self._waiting.append(turn)
        await turn

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._waiting:
            self._waiting.pop(0).set()
        else:
            self._is_held = False


class Gate:
    """Many pass together, or one alone.

    ``enter`` and ``leave`` surround what may go on together (writes); ``close`` waits until nobody is inside and holds
    newcomers until ``reopen`` (a creation).
    """

    __slots__ = ("_alone", "_emptied", "_inside_count", "_reopened")

    def __init__(self) -> None:
        self._inside_count = 0
        self._alone = Mutex()
        self._reopened: Event | None = None
        self._emptied: Event | None = None

    def try_enter(self) -> bool:
        """Pass if the gate is open; whether it is."""
        if self._reopened is not None:
            return False
        self._inside_count += 1
        return True

    async def enter(self) -> None:
        """Pass, or wait until the gate is open again."""
        while self._reopened is not None:
            await self._reopened
        self._inside_count += 1

    def leave(self) -> None:
        """Say that one who entered is done."""
        self._inside_count -= 1
        if self._inside_count == 0 and self._emptied is not None:
            self._emptied.set()

    async def close(self) -> None:
        """Hold newcomers, and wait until nobody is inside."""
        await self._alone.__aenter__()
        self._reopened = Event()
        if self._inside_count:
            reached(Mark.CREATION_WAITED_FOR_WRITES)
            self._emptied = Event()
            await self._emptied
            self._emptied = None

    async def reopen(self) -> None:
        """Let newcomers pass again."""
        if self._reopened is not None:
            self._reopened.set()
            self._reopened = None
        await self._alone.__aexit__(None, None, None)
