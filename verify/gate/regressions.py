"""Failures of the past, each a folder: they must not come back."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from shadowshare.models.computers import Implementation
from shadowshare.verify.counterexamples.failures import DESCRIPTION, FailureError, load_failure, recheck
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.gate.check import Check
from shadowshare.verify.gate.work import SCOPE_SECONDS_MAXIMUM, Work, timed
from shadowshare.verify.result import Verdict

DEFAULT_FOLDER = Path("tests/regressions")

_VERDICTS: dict[str, Verdict] = {"gone": "verified", "violated": "violated", "unknown": "unknown"}


def regressions_in(folder: Path | None, implementation: Implementation) -> list[Work]:
    """A check for each failure in a folder.

    Args:
        folder: where the failures' folders are; None for `DEFAULT_FOLDER`, if that is there.
        implementation: the protocol code under test.

    Raises:
        FailureError: the folder cannot be read, or has something in it that is no failure.
    """
    if folder is None:
        if not DEFAULT_FOLDER.is_dir():
            return []
        folder = DEFAULT_FOLDER
    try:
        found = sorted(path for path in folder.iterdir() if (path / DESCRIPTION).exists())
    except OSError as error:
        raise FailureError(f"{folder}: the folder of failures cannot be read: {error.strerror}") from None
    for path in found:
        load_failure(path)
    return [partial(check_regression, path, implementation) for path in found]


def check_regression(folder: Path, implementation: Implementation) -> Check:
    """Look whether a failure is gone."""
    return timed(partial(_regression, folder, implementation), "regressions", folder.name)


def _regression(folder: Path, implementation: Implementation) -> dict[str, Any]:
    failure = load_failure(folder)
    found = recheck(failure, implementation, Budget(seconds=SCOPE_SECONDS_MAXIMUM))
    verdict = _VERDICTS[found.state]
    if verdict == "verified":
        return {"verdict": verdict}
    return {
        "verdict": verdict,
        "reason": found.reason,
        "schedule": failure.description.shrunk,
        "scenario_text": failure.scenario_text,
    }
