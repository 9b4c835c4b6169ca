"""What git would commit: the files of this checkout, those not yet added included, ignored ones not."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("models", "protocol", "reports", "scenarios", "sim", "verify")


def tracked_files(*under: str) -> list[PurePosixPath]:
    """Paths from the root, links as links (not what lies behind them)."""
    options = ["-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    command = ["git", "ls-files", *options, "--", *under]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [PurePosixPath(name) for name in listing.split("\0") if name]
    return sorted(path for path in paths if (ROOT / path).is_symlink() or (ROOT / path).exists())


def python_files(*under: str) -> list[PurePosixPath]:
    """Those of `tracked_files` that are Python source."""
    return [path for path in tracked_files(*under) if path.suffix == ".py"]
