from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from shadowshare.models import ext4
from tests.e2fsprogs import needs_e2fsprogs

SIZE_BYTES = 12 * 1024 * 1024


@needs_e2fsprogs
def test_the_first_and_the_last_state_are_clean_and_every_stage_changes_something(tmp_path: Path) -> None:
    states = ext4.build_states(tmp_path, SIZE_BYTES)
    assert ext4.check_clean(states[0]) is None
    assert ext4.check_clean(states[-1]) is None
    for before, after in pairwise(states):
        assert before.stat().st_size == after.stat().st_size == SIZE_BYTES
        changes = ext4.changes_between(before, after, 64 * 1024)
        image, target = bytearray(before.read_bytes()), after.read_bytes()
        for offset, length in changes:
            assert length <= 64 * 1024
            image[offset : offset + length] = target[offset : offset + length]
        assert changes
        assert image == target


@needs_e2fsprogs
def test_a_damaged_file_system_is_not_clean(tmp_path: Path) -> None:
    image = ext4.build_states(tmp_path, SIZE_BYTES)[0]
    with image.open("r+b") as file:
        file.seek(1024 + 0x10)  # the superblock's count of free inodes
        file.write(bytes(4))
    assert "e2fsck -fn ends with " in (ext4.check_clean(image) or "")


def test_missing_tools_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ext4, "_PATH", "")
    assert ext4.missing_tools() == "mke2fs, debugfs, tune2fs, e2fsck not found: install e2fsprogs"
