"""Hooks around a creation: an application makes the volume consistent, and waits until the shadow copy exists.

Whatever happens after the freeze hook was started (it fails, takes too long, the creation fails, the user presses
Ctrl-C), the thaw hook runs, once, and behind everything else: an application that stays frozen is worse than a shadow
copy too few. Thawing what is not frozen must therefore do no harm.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shadowshare.protocol.errors import Refusal

DEFAULT_TIMEOUT_SECONDS = 30.0
"""How long a hook may take: writes wait meanwhile."""

_OUTPUT_CHARACTERS_MAXIMUM = 500

_T = TypeVar("_T")


class HookFailed(Refusal):
    """A hook could not be run, ended with an error, or took too long."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Two commands of the shell; an empty one does nothing.

    Attributes:
        freeze: run before the creation. If it fails nothing is created.
        thaw: run when the creation has ended, however it did, and also if ``freeze`` failed.
        timeout_seconds: how long each of them may take; then it is killed, with all that it has started.
    """

    freeze: str = ""
    thaw: str = ""
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS

    def around(self, create: Callable[[], _T]) -> _T:
        """What ``create`` returns, called while the application is frozen.

        Raises:
            HookFailed: the freeze hook failed, and ``create`` was not called; or the thaw hook did, and it was: then
                the message says what it returned.
            Exception: whatever ``create`` raises; if the thaw hook fails too, a note says so.
        """
        try:
            _run("freeze", self.freeze, self.timeout_seconds)
            created = create()
        except BaseException as error:
            try:
                _run("thaw", self.thaw, self.timeout_seconds)
            except HookFailed as second:
                error.add_note(str(second))
            raise
        try:
            _run("thaw", self.thaw, self.timeout_seconds)
        except HookFailed as error:
            raise HookFailed(f"{created} was created, but {error}") from None
        return created


def _run(name: str, command: str, timeout_seconds: float) -> None:
    """Run one hook to its end, in a process group of its own, so that all of it can be killed."""
    if not command:
        return
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout_seconds)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise HookFailed(
                f"the {name} hook {command!r} took longer than {timeout_seconds:g} seconds, and was killed"
            ) from None
        raise
    if process.returncode:
        text = " ".join(output.decode(errors="replace").split())[:_OUTPUT_CHARACTERS_MAXIMUM]
        raise HookFailed(
            f"the {name} hook {command!r} ended with exit code {process.returncode}"
            + (f": {text}" if text else "")
        )
