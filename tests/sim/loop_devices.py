"""Loop devices for tests that need a block device."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def attach(path: Path, sector_bytes: int) -> str:
    """Make a loop device of a file, or skip where that is not possible."""
    if os.geteuid() != 0:
        pytest.skip("only root sets up loop devices")
    if shutil.which("losetup") is None or not Path("/dev/loop-control").exists():
        pytest.skip("this machine has no losetup or no loop devices")
    command = ["losetup", "--find", "--show", "--direct-io=on", f"--sector-size={sector_bytes}", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"losetup failed: {done.stderr.strip()}")
    return done.stdout.strip()


def detach(device: str) -> None:
    """Give a loop device back."""
    subprocess.run(["losetup", "--detach", device], check=True)
