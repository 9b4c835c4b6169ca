"""Several functions at once, in a process each. The first error of one is told to the others."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import Any, NamedTuple

_GRACE_SECONDS = 10.0


class Failure(NamedTuple):
    """How a process failed."""

    what: str
    error: Exception | None
    """What it raised; None if it did not end by itself."""


def run_processes(
    context: SpawnContext,
    functions: Sequence[Callable[[], Any]],
    stop: Callable[[], None],
    limit_seconds: float,
) -> tuple[list[Any], Failure | None]:
    """Run each function in a process of its own, and wait for all of them.

    Args:
        context: how processes are started.
        functions: picklable, as are their results.
        stop: called at the first failure; it should make the other functions return soon.
        limit_seconds: how long all may take; processes that are left then are killed.

    Returns:
        The results in the order of the functions, None where there is none; and the first failure.
    """
    results: list[Any] = [None] * len(functions)
    failure: Failure | None = None
    processes, waiting = [], {}
    deadline = time.monotonic() + limit_seconds
    try:
        for number, function in enumerate(functions):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(theirs, function), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
            waiting[ours] = number
        while waiting:
            ready = wait(list(waiting), max(0.0, deadline - time.monotonic()))
            if not ready:
                return results, failure or Failure(
                    f"not all processes ended within {limit_seconds:.0f} s", None
                )
            for connection in ready:
                assert isinstance(connection, Connection)
                number = waiting.pop(connection)
                results[number], failed = _received(connection)
                if failed is not None and failure is None:
                    failure = failed
                    deadline = min(deadline, time.monotonic() + _GRACE_SECONDS)
                    stop()
        return results, failure
    finally:
        for process in processes:
            process.join(_GRACE_SECONDS if not waiting else 0)
            if process.is_alive():
                process.kill()
                process.join()


def _received(connection: Connection) -> tuple[Any, Failure | None]:
    try:
        result, error, text = connection.recv()
    except EOFError:
        return None, Failure("a process died", None)
    finally:
        connection.close()
    return result, None if text is None else Failure(text, error)


def _run(connection: Connection, function: Callable[[], Any]) -> None:
    """The main function of a process."""
    try:
        answer: tuple[Any, Exception | None, str | None] = (function(), None, None)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is to know
        answer = (None, error, "".join(traceback.format_exception_only(error)).strip())
    with contextlib.suppress(KeyboardInterrupt):
        connection.send(answer)
