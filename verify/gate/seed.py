"""The seed of a gate: that of the commit, so that each commit explores anew, and the same commit the same."""

from __future__ import annotations

import os
import re
import subprocess

_COMMIT = re.compile(r"[0-9a-f]{8,64}")


def seed_of_commit() -> int | None:
    """The first 32 bits of the commit's name; None where nobody knows of a commit.

    The commit is that of ``GITHUB_SHA``, else the one that is checked out in the working directory.
    """
    named = os.environ.get("GITHUB_SHA", "").lower() or _checked_out()
    return int(named[:8], 16) if _COMMIT.fullmatch(named) else None


def _checked_out() -> str:
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
