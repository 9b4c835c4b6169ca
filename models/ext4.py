"""A real ext4 file system that really changes: images of it, made by e2fsprogs, one after each stage of the change.

Nothing here invents what a file system writes. ``mke2fs -d`` makes the first state from real files, the Python standard
library's own; ``debugfs`` adds, removes, renames and links files in it, and ``tune2fs`` and ``e2fsck -D`` finish. What
differs between two states, block by block, is what a computer would have written in between.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from shadowshare.protocol.errors import ShadowshareError

BLOCK_BYTES = 4096
_TOOLS = ("mke2fs", "debugfs", "tune2fs", "e2fsck")
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
"""Where Debian has the tools is not on an ordinary user's path."""

_SAID_WITHOUT_NEED = ("debugfs", "Allocated inode")
_TIME_SECONDS = "1700000000"
_FIRST_ID, _SECOND_ID = "5ad05ad0-0000-4000-8000-000000000001", "5ad05ad0-0000-4000-8000-000000000002"
_FIRST_SHARE, _ADDED_SHARE, _REWRITTEN_SHARE = 0.65, 0.15, 0.25
"""How much of the room for files the first ones take, those added to them, and those in the place of removed ones."""

_OVERHEAD_BYTES, _OVERHEAD_SHARE = 5 * 1024 * 1024, 0.08
"""What journal and tables of inodes take of a small file system, and a little more."""


class Ext4Error(ShadowshareError):
    """A tool of e2fsprogs failed."""


class Change(NamedTuple):
    """Bytes ``[offset, offset + length)`` differ between two states."""

    offset: int
    length: int


def missing_tools() -> str | None:
    """What to install, if a tool is not there; else None."""
    missing = [tool for tool in _TOOLS if shutil.which(tool, path=_PATH) is None]
    return f"{', '.join(missing)} not found: install e2fsprogs" if missing else None


def build_states(folder: Path, size_bytes: int) -> list[Path]:
    """Images of one file system, each made by changing the one before; the last one is clean, as is the first.

    Args:
        folder: an empty one, for the images.
        size_bytes: of the file system.

    Raises:
        Ext4Error: a tool is missing or failed.
    """
    files = _real_files()
    room_bytes = size_bytes * (1 - _OVERHEAD_SHARE) - _OVERHEAD_BYTES
    if room_bytes < _OVERHEAD_BYTES:
        raise Ext4Error(
            f"a file system of {size_bytes} bytes has too little room for files: make it 12 MiB or more"
        )
    tree = folder / "tree"
    first_names = _fill(tree, files, int(room_bytes * _FIRST_SHARE))
    states = [folder / f"state-{number}.img" for number in range(5)]
    _make(states[0], tree, size_bytes)
    stages = (
        _adding(folder / "added", files, int(room_bytes * _ADDED_SHARE), "/added"),
        _removing_and_renaming(first_names),
        _adding(folder / "rewritten", files, int(room_bytes * _REWRITTEN_SHARE), "/rewritten"),
    )
    for before, after, commands in zip(states, states[1:], stages, strict=False):
        shutil.copyfile(before, after)
        _debugfs(after, commands)
    shutil.copyfile(states[3], states[4])
    _run("tune2fs", "-L", "changed", "-U", _SECOND_ID, str(states[4]))
    _run("e2fsck", "-fyD", str(states[4]), accepted=(0, 1))
    return states


def check_clean(image: Path) -> str | None:
    """What ``e2fsck -fn`` has to complain of; None if the file system is clean."""
    done = _start("e2fsck", "-fn", str(image))
    return None if done.returncode == 0 else f"e2fsck -fn ends with {done.returncode}: {done.stdout.strip()}"


def changes_between(before: Path, after: Path, length_maximum: int) -> list[Change]:
    """The runs of blocks that differ, cut where they get longer than ``length_maximum``."""
    changes: list[Change] = []
    with before.open("rb") as old, after.open("rb") as new:
        for offset in count(0, BLOCK_BYTES):
            old_block, new_block = old.read(BLOCK_BYTES), new.read(BLOCK_BYTES)
            if not new_block:
                return changes
            if old_block == new_block:
                continue
            last = changes[-1] if changes else Change(0, 0)
            if last.length and last.offset + last.length == offset and last.length < length_maximum:
                changes[-1] = last._replace(length=last.length + BLOCK_BYTES)
            else:
                changes.append(Change(offset, BLOCK_BYTES))
    raise AssertionError("counting does not end")


# -- real files --------------------------------------------------------------------------------------------------


def _real_files() -> Iterator[tuple[Path, str]]:
    """Files of the standard library and names for them, over and over if they are not enough."""
    root = Path(sysconfig.get_path("stdlib"))
    paths = [
        path
        for path in sorted(root.rglob("*.py"))
        if "site-packages" not in path.parts and path.is_file() and 0 < path.stat().st_size < 256 * 1024
    ]
    if not paths:
        raise Ext4Error(f"no files of the standard library are in {root}")
    for copy in count():
        for number, path in enumerate(paths):
            yield path, f"{copy}-{number}-{path.name}"


def _fill(folder: Path, files: Iterator[tuple[Path, str]], size_bytes: int) -> list[str]:
    """Copy files into a new folder, a hundred in each folder below it, until ``size_bytes`` of blocks are full."""
    names: list[str] = []
    used_bytes = 0
    for source, name in files:
        below = folder / f"part-{len(names) // 100}"
        below.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, below / name)
        names.append(f"{below.name}/{name}")
        used_bytes += -(-source.stat().st_size // BLOCK_BYTES) * BLOCK_BYTES
        if used_bytes >= size_bytes:
            break
    return names


# -- stages ------------------------------------------------------------------------------------------------------


def _adding(source: Path, files: Iterator[tuple[Path, str]], size_bytes: int, target: str) -> list[str]:
    """Commands of debugfs that write new files into a new folder."""
    names = _fill(source, files, size_bytes)
    folders = sorted({name.partition("/")[0] for name in names})
    commands = [f"mkdir {target}", *(f"mkdir {target}/{folder}" for folder in folders)]
    for folder in folders:
        commands.append(f"cd {target}/{folder}")
        inside = [name.partition("/")[2] for name in names if name.startswith(f"{folder}/")]
        commands += [f'write "{source / folder / name}" {name}' for name in inside]
    return commands


def _removing_and_renaming(names: Sequence[str]) -> list[str]:
    """Commands of debugfs that remove every third file, and rename, link and symlink some of the others."""
    commands = ["mkdir /moved"]
    commands += [f"rm /{name}" for name in names[::3]]
    for number, name in enumerate(islice(names, 1, None, 12)):
        commands += [f"ln /{name} /moved/renamed-{number}", f"unlink /{name}"]
    for number, name in enumerate(islice(names, 2, None, 12)):
        commands += [f"ln /{name} /moved/linked-{number}", f"sif /{name} links_count 2"]
    commands += [f"symlink /moved/symbolic-{number} /{name}" for number, name in enumerate(names[2:60:12])]
    return commands


# -- tools -------------------------------------------------------------------------------------------------------


def _make(image: Path, tree: Path, size_bytes: int) -> None:
    options = f"lazy_itable_init=0,lazy_journal_init=0,hash_seed={_FIRST_ID}"
    size = f"{size_bytes // 1024}k"
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-b", str(BLOCK_BYTES), "-U", _FIRST_ID, "-E", options, "-d", str(tree),
         str(image), size)  # fmt: skip


def _debugfs(image: Path, commands: Sequence[str]) -> None:
    script = image.with_suffix(".debugfs")
    script.write_text("\n".join(commands) + "\n", encoding="utf-8")
    done = _run("debugfs", "-w", "-f", str(script), str(image))
    complaints = [
        line for line in done.stdout.splitlines() if line and not line.startswith(_SAID_WITHOUT_NEED)
    ]
    if complaints:
        raise Ext4Error(f"debugfs complains: {complaints[0]}")


def _run(tool: str, *arguments: str, accepted: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    done = _start(tool, *arguments)
    if done.returncode not in accepted:
        raise Ext4Error(f"{tool} ends with {done.returncode}: {done.stdout.strip()}")
    return done


def _start(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = shutil.which(tool, path=_PATH)
    if path is None:
        raise Ext4Error(f"{tool} not found: install e2fsprogs")
    environment = {**os.environ, "LC_ALL": "C", "E2FSPROGS_FAKE_TIME": _TIME_SECONDS}
    return subprocess.run(
        [path, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
