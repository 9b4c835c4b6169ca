"""Runs commands, in this process or in one of their own, and looks at what they did to files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from shadowshare.cli import main

MEBIBYTE = 1024 * 1024


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    """Run a command in this process."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def succeed(*arguments: object, stdin: bytes | None = None) -> Result:
    """Run a command that must succeed, without a word on standard error."""
    result = run(*arguments, stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, ""), (result.exit_code, result.stderr)
    return result


def succeed_with_json(*arguments: object, stdin: bytes | None = None) -> Any:
    return json.loads(succeed(*arguments, "--json", stdin=stdin).stdout)


def refuse(*arguments: object, stdin: bytes | None = None) -> str:
    """Run a command that must refuse: exit code 2, and one message on standard error, which is returned."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 2, (result.exit_code, result.output)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.endswith("\n")
    if not result.stderr.startswith("Usage:"):
        assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def run_process(
    *arguments: object,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m shadowshare`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "shadowshare", *[str(argument) for argument in arguments]],
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
        user=user,
        cwd=folder,
        extra_groups=None if user is None else [],
    )


def digests(folder: Path) -> dict[str, str]:
    """What every file in a folder holds."""
    return {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
