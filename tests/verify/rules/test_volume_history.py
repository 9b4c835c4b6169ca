"""What a sector of the live volume may hold, write by write."""

from shadowshare.models.observations import Piece
from shadowshare.verify.rules.evidence import Evidence
from shadowshare.verify.rules.volume_history import VolumeHistory

INITIAL = [b"i", b"j"]


def history() -> VolumeHistory:
    return VolumeHistory(INITIAL)


def may_hold(volume: VolumeHistory, content: bytes) -> bool:
    return volume.find_wrong([Piece(0, content)]) is None


def write(volume: VolumeHistory, key: str) -> None:
    volume.change_began(key, ((0, key.encode()),))
    volume.change_ended(key)


def test_an_unwritten_sector_holds_what_it_held() -> None:
    assert may_hold(history(), b"i")
    assert history().find_wrong([Piece(1, b"i")]) == Evidence(1, b"i", (b"j",), None)


def test_a_write_in_flight_may_have_landed_or_not() -> None:
    volume = history()
    volume.change_began("a", ((0, b"a"),))
    assert may_hold(volume, b"a")
    assert may_hold(volume, b"i")


def test_an_acknowledged_write_is_there() -> None:
    volume = history()
    write(volume, "a")
    assert may_hold(volume, b"a")
    assert not may_hold(volume, b"i")


def test_a_later_write_supersedes_it() -> None:
    volume = history()
    write(volume, "a")
    write(volume, "b")
    assert not may_hold(volume, b"a")
    assert may_hold(volume, b"b")


def test_of_two_concurrent_writes_either_may_be_there() -> None:
    volume = history()
    volume.change_began("a", ((0, b"a"),))
    volume.change_began("b", ((0, b"b"),))
    volume.change_ended("b")
    volume.change_ended("a")
    assert may_hold(volume, b"a")
    assert may_hold(volume, b"b")
    assert not may_hold(volume, b"i")


def test_a_power_loss_may_bring_back_what_was_not_flushed_over() -> None:
    volume = history()
    write(volume, "a")
    write(volume, "b")
    volume.lost_power()
    assert all(may_hold(volume, content) for content in (b"i", b"a", b"b"))


def test_a_flush_covers_what_was_acknowledged_before_it_was_requested() -> None:
    volume = history()
    write(volume, "a")
    volume.flush_began("f")
    write(volume, "b")
    volume.flush_ended("f")
    volume.lost_power()
    assert not may_hold(volume, b"i")
    assert may_hold(volume, b"a")
    assert may_hold(volume, b"b")


def test_a_flush_that_did_not_end_covers_nothing() -> None:
    volume = history()
    write(volume, "a")
    volume.flush_began("f")
    volume.lost_power()
    assert may_hold(volume, b"i")


def test_a_fenced_hosts_write_is_superseded_by_a_later_one() -> None:
    volume = history()
    volume.change_began("a", ((0, b"a"),))
    volume.settle_unacknowledged()
    write(volume, "b")
    assert not may_hold(volume, b"a")
    assert not may_hold(volume, b"i")


def test_without_power_losses_only_the_visible_is_kept() -> None:
    volume = VolumeHistory(INITIAL, can_lose_power=False)
    write(volume, "a")
    assert may_hold(volume, b"a")
    assert not may_hold(volume, b"i")
    assert volume.key() == volume.fork().key()
