"""The life of a store, through the commands."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import MEBIBYTE, refuse, run, run_process, succeed, succeed_with_json

VOLUME = random.Random(1).randbytes(2 * MEBIBYTE)
SIZES = ("--area-size", "3M", "--journal-size", "256K", "--extent-size", "16K")


@pytest.fixture(params=["area behind the volume", "area on a device of its own"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """A fresh store, as the commands are to be told of it."""
    image = tmp_path / "disk.img"
    image.write_bytes(VOLUME)
    area = [] if "behind" in request.param else ["--area", str(tmp_path / "area.img")]
    succeed("store", "format", image, *area, *SIZES)
    return [str(image), *area]


def read(place: list[str], *arguments: object) -> bytes:
    return succeed("store", "read", *place, *arguments).stdout_bytes


def test_a_shadow_copy_keeps_what_the_volume_held(place: list[str], tmp_path: Path) -> None:
    expected = bytearray(VOLUME)
    assert succeed_with_json("store", "create", *place) == {"id": "1.1"}
    changes = [(0, b"start"), (5000, b"x" * 70_000), (2 * MEBIBYTE - 3, b"end"), (99 * 4096, b"y" * 4096)]
    for number, (offset, data) in enumerate(changes):
        expected[offset : offset + len(data)] = data
        file = tmp_path / f"piece-{number}"
        file.write_bytes(data)
        source = [file] if number % 2 else []
        answer = succeed_with_json("store", "write", *place, offset, *source, stdin=None if source else data)
        assert answer == {"written_bytes": len(data)}
    assert succeed_with_json("store", "discard", *place, "1M", "64K") == {"discarded_bytes": 65536}
    expected[MEBIBYTE : MEBIBYTE + 65536] = bytes(65536)
    assert read(place, "1.1") == VOLUME
    assert read(place, "--live") == expected
    assert read(place, "newest", "--offset", 4990, "--length", 33) == VOLUME[4990 : 4990 + 33]
    assert succeed("store", "check", *place).stdout.startswith("intact: 1 shadow copies")


def test_several_shadow_copies_and_their_names(place: list[str]) -> None:
    for number in range(3):
        succeed("store", "create", *place)
        succeed("store", "write", *place, number * 16384, stdin=bytes([number]) * 16384)
    ids = [one["id"] for one in succeed_with_json("store", "list", *place)["shadow_copies"]]
    assert ids == ["1.1", "3.1", "5.1"]
    assert read(place, "oldest") == VOLUME
    assert read(place, "newest", "--length", 3) == bytes(3)
    succeed("store", "delete", *place, "3.1")
    assert read(place, "1.1") == VOLUME
    assert "there is no shadow copy 3.1" in refuse("store", "read", *place, "3.1")
    shown = succeed_with_json("store", "show", *place)
    assert [(one["own_copy_count"], one["inherited_copy_count"]) for one in shown["shadow_copies"]] == [
        (2, 1),
        (1, 0),
    ]
    assert shown["slots"]["used_count"] == 3
    assert shown["store"]["volume_bytes"] == len(VOLUME)
    assert shown["journal"]["used_block_count"] + shown["journal"]["free_block_count"] == 32


def test_export_is_whole_sparse_and_named_only_at_the_end(place: list[str], tmp_path: Path) -> None:
    succeed("store", "discard", *place, "1M", "512K")
    succeed("store", "create", *place)
    succeed("store", "write", *place, 0, stdin=b"z" * MEBIBYTE * 2)
    target = tmp_path / "export.img"
    target.write_bytes(b"old")
    answer = succeed_with_json("store", "export", *place, "newest", "-o", target)
    assert (answer["id"], answer["exported_bytes"]) == ("2.1", len(VOLUME))
    assert target.read_bytes() == VOLUME[:MEBIBYTE] + bytes(MEBIBYTE // 2) + VOLUME[3 * MEBIBYTE // 2 :]
    assert target.stat().st_blocks * 512 < len(VOLUME)
    assert target.stat().st_mode & 0o077 == 0o066 & ~_umask()
    assert succeed("store", "export", *place, "newest", "-o", "-").stdout_bytes == target.read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask & 0o077


def test_an_export_that_fails_leaves_nothing(place: list[str], tmp_path: Path) -> None:
    succeed("store", "create", *place)
    succeed("store", "write", *place, 0, stdin=b"new")
    before = {path.name for path in tmp_path.iterdir()}
    assert "no shadow copy" in refuse("store", "export", *place, "7.7", "-o", tmp_path / "export.img")
    assert "cannot be written" in refuse(
        "store", "export", *place, "1.1", "-o", tmp_path / "none" / "export.img"
    )
    assert {path.name for path in tmp_path.iterdir()} == before


def test_formatting_again_needs_force_and_keeps_the_volume(place: list[str], tmp_path: Path) -> None:
    image = Path(place[0])
    succeed("store", "create", *place)
    assert "--force" in refuse("store", "format", *place)
    size_bytes = image.stat().st_size
    sizes = SIZES if len(place) == 1 else SIZES[2:]  # the size of an existing area file is what it is
    shown = succeed_with_json("store", "format", *place, *sizes, "--force")["store"]
    assert shown["volume_bytes"] == len(VOLUME)
    assert image.stat().st_size == size_bytes
    assert image.read_bytes()[: len(VOLUME)] == VOLUME
    assert succeed_with_json("store", "list", *place) == {"shadow_copies": []}


def test_formatting_changes_no_byte_of_the_volume_and_nothing_before_it(place: list[str]) -> None:
    assert Path(place[0]).read_bytes()[: len(VOLUME)] == VOLUME


@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_default_sizes_make_a_store_that_can_be_used(tmp_path: Path, sector_bytes: int) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(VOLUME[: 4096 * 3])
    store = succeed_with_json("store", "format", image, "--sector-size", sector_bytes)["store"]
    assert store["slot_count"] >= 64
    assert store["half_block_count"] >= store["slot_count"]
    succeed("store", "create", image)
    succeed("store", "write", image, 1, stdin=b"new")
    assert succeed("store", "read", image, "newest").stdout_bytes == VOLUME[: 4096 * 3]


def test_passive_commands_write_nothing_and_need_no_permission_to(place: list[str], tmp_path: Path) -> None:
    succeed("store", "create", *place)
    paths = [Path(path) for path in place if not path.startswith("--")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    for path in paths:
        path.chmod(0o444)
    for command in (
        ["list"],
        ["show"],
        ["check"],
        ["read", "newest"],
        ["export", "newest", "-o", tmp_path / "out"],
    ):
        succeed("store", command[0], *place, *command[1:])
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths] == before


def test_a_damaged_store_is_told_of_with_exit_code_1(place: list[str]) -> None:
    area = Path(place[-1])
    raw = bytearray(area.read_bytes())
    raw[-100] ^= 1
    area.write_bytes(raw)
    result = run("store", "check", *place, "--json")
    described: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, described["verdict"]) == (1, "damaged")
    fields = {"what", "where", "advice", "device", "sector", "sector_count", "repair"}
    assert set(described["findings"][0]) == fields
    assert described["repaired"] == []
    assert run("store", "check", *place).stdout.endswith("damaged: 1 finding\n")


# -- in processes of their own -----------------------------------------------------------------------------------


def test_a_pipe_can_be_written_and_read(place: list[str]) -> None:
    assert run_process("store", "create", *place).stdout == b"1.1\n"
    written = run_process("store", "write", *place, 3 * 4096 + 1, stdin=b"w" * 100_000)
    assert (written.returncode, written.stdout, written.stderr) == (0, b"100000\n", b"")
    exported = run_process("store", "export", *place, "newest", "-o", "-")
    assert (exported.returncode, exported.stdout == VOLUME, exported.stderr) == (0, True, b"")


def test_a_table_in_a_pipe_is_plain(place: list[str]) -> None:
    run_process("store", "create", *place)
    lines = run_process("store", "list", *place).stdout.decode("ascii").splitlines()
    assert lines[0].split() == ["ID", "CREATED", "STATE", "COPIES"]
    assert lines[1].split()[0] == "1.1"


def test_a_closed_pipe_ends_the_command_without_a_word(place: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    succeed("store", "create", *place)
    done = subprocess.run(
        [sys.executable, "-m", "shadowshare", "store", "read", *place, "newest"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_what_changed_between_shadow_copies_and_now(place: list[str]) -> None:
    succeed("store", "create", *place)
    succeed("store", "write", *place, 0, stdin=b"x")
    succeed("store", "create", *place)
    succeed("store", "write", *place, 2 * MEBIBYTE - 1, stdin=b"x")
    first, last = (
        {"offset": 0, "length_bytes": 16384},
        {"offset": 2 * MEBIBYTE - 16384, "length_bytes": 16384},
    )
    assert succeed_with_json("store", "changed", *place, "oldest", "newest") == {"changed": [first]}
    assert succeed_with_json("store", "changed", *place, "oldest") == {"changed": [first, last]}
    assert succeed_with_json("store", "changed", *place, "newest") == {"changed": [last]}
    assert (
        succeed("store", "changed", *place, "newest").stdout == f"OFFSET   BYTES\n{last['offset']}  16384\n"
    )
    assert "no shadow copy 7.7" in refuse("store", "changed", *place, "7.7")


def test_hooks_around_a_creation(place: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    succeed("store", "create", *place, "--freeze", f"echo freeze >> {log}", "--thaw", f"echo thaw >> {log}")
    told = refuse("store", "create", *place, "--freeze", "exit 5", "--thaw", f"echo thaw >> {log}")
    assert "freeze hook" in told
    assert log.read_text().split() == ["freeze", "thaw", "thaw"]
    assert len(succeed_with_json("store", "list", *place)["shadow_copies"]) == 1
