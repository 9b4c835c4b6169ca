"""Shadow copies of several volumes at one instant, through the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import refuse, succeed, succeed_with_json

SIZE = 256 * 1024
SIZES = ("--extent-size", "16K", "--area-size", "256K")


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Two stores as the command is to be told of them; the second one has its area on a device of its own."""
    first, second, area = tmp_path / "data.img", tmp_path / "log.img", tmp_path / "log.area"
    for image in (first, second):
        image.write_bytes(bytes(SIZE))
    succeed("store", "format", first, *SIZES)
    succeed("store", "format", second, "--area", area, *SIZES)
    return [str(first), f"{second}={area}"]


def listed(image: str) -> list[dict[str, object]]:
    path, _, area = image.partition("=")
    found: list[dict[str, object]] = succeed_with_json(
        "store", "list", path, *(["--area", area] if area else [])
    )["shadow_copies"]
    return found


def test_all_members_record_the_time_that_is_the_name_of_the_set(images: list[str]) -> None:
    answer = succeed_with_json("store", "create-set", *images)
    assert [member["id"] for member in answer["shadow_copies"]] == ["1.1", "1.1"]
    for image in images:
        assert [copy["created_ns"] for copy in listed(image)] == [answer["created_ns"]]
    assert succeed("store", "create-set", *images).stdout == "2.1  {}\n2.1  {}\n".format(
        images[0], images[1].partition("=")[0]
    )


def test_a_store_that_cannot_be_opened_means_no_shadow_copy_anywhere(images: list[str]) -> None:
    assert "not a shadowshare store" in refuse("store", "create-set", images[0], images[1].partition("=")[0])
    assert "named twice" in refuse("store", "create-set", images[0], images[0])
    assert "does not exist" in refuse("store", "create-set", images[0], images[1] + "x")
    assert "Missing argument" in refuse("store", "create-set")
    assert listed(images[0]) == []


def test_hooks_run_around_the_whole_set(images: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    hooks = ["--freeze", f"echo frozen >>{log}", "--thaw", f"echo thawed >>{log}; exit 3"]
    assert "a set of 1.1, 1.1 was created, but the thaw hook" in refuse(
        "store", "create-set", *images, *hooks
    )
    assert log.read_text() == "frozen\nthawed\n"
    assert "freeze hook" in refuse("store", "create-set", *images, "--freeze", "false")
    assert [len(listed(image)) for image in images] == [1, 1]
