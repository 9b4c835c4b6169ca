"""What gives way when the differential area is full, through the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import refuse, run, succeed, succeed_with_json

EXTENT = b"x" * 65536


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(1024 * 1024))
    return path


def small_store(image: Path, *options: str) -> None:
    """A store with two slots."""
    succeed("store", "format", image, "--area-size", "1160K", "--journal-size", "1M", *options)


def write_three_extents(image: Path) -> str:
    for number in range(2):
        run("store", "write", image, number * len(EXTENT), stdin=EXTENT)
    return run("store", "write", image, 2 * len(EXTENT), stdin=EXTENT).stderr


def test_the_oldest_are_deleted_and_the_command_says_so(image: Path) -> None:
    small_store(image, "--policy", "delete-oldest", "--warn-at", "50")
    succeed("store", "create", image)
    told = write_three_extents(image)
    assert "shadow copy 1.1 was deleted to make room" in told
    assert succeed_with_json("store", "list", image) == {"shadow_copies": []}


def test_they_lose_their_image_and_the_command_says_so(image: Path) -> None:
    small_store(image, "--policy", "invalidate")
    succeed("store", "create", image)
    assert "shadow copy 1.1 lost its image" in write_three_extents(image)
    assert "lost its image" in refuse("store", "read", image, "1.1")


def test_a_warning_from_the_threshold_on(image: Path) -> None:
    small_store(image, "--warn-at", "50")
    succeed("store", "create", image)
    told = run("store", "write", image, 0, stdin=EXTENT).stderr
    assert "nearly full: 1 of 2 slots are free" in told
    assert succeed_with_json("store", "show", image)["slots"]["is_low"] is True
    assert "nearly full" in succeed("store", "show", image).stdout


def test_the_policy_is_shown_and_changed(image: Path) -> None:
    small_store(image)
    assert succeed("store", "policy", image).stdout == "fail-write; no warning\n"
    changed = {"policy": "invalidate", "warning_percent": 80}
    assert succeed_with_json("store", "policy", image, "invalidate", "--warn-at", "80") == changed
    assert succeed_with_json("store", "policy", image) == changed
    assert succeed_with_json("store", "policy", image, "--warn-at", "0") == {**changed, "warning_percent": 0}
    assert succeed("store", "policy", image, "delete-oldest").stdout == "delete-oldest; no warning\n"
    assert "101" in refuse("store", "policy", image, "--warn-at", "101")
