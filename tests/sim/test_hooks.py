"""Hooks around a creation: the order, and that thawing always happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from shadowshare.sim.real.hooks import HookFailed, Hooks


def hooks(log: Path, freeze: str = "true", thaw: str = "true", timeout_seconds: float = 60) -> Hooks:
    """Hooks that note that they were started."""
    return Hooks(f"echo freeze >> {log}; {freeze}", f"echo thaw >> {log}; {thaw}", timeout_seconds)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def creating(log: Path) -> str:
    with log.open("a") as file:
        file.write("create\n")
    return "1.1"


def failing() -> str:
    raise ZeroDivisionError


def what_happened(log: Path) -> list[str]:
    return log.read_text().split()


def test_the_creation_is_between_the_hooks(log: Path) -> None:
    assert hooks(log).around(lambda: creating(log)) == "1.1"
    assert what_happened(log) == ["freeze", "create", "thaw"]


def test_without_hooks_there_is_only_the_creation(log: Path) -> None:
    assert Hooks().around(lambda: creating(log)) == "1.1"
    assert what_happened(log) == ["create"]


def test_after_a_failed_freeze_nothing_is_created_and_thawing_happens(log: Path) -> None:
    with pytest.raises(HookFailed, match=r"freeze hook.* exit code 3: it does not freeze"):
        hooks(log, freeze="echo it does not freeze >&2; exit 3").around(lambda: creating(log))
    assert what_happened(log) == ["freeze", "thaw"]


def test_a_freeze_that_takes_too_long_is_killed_with_what_it_started(log: Path) -> None:
    """If a process of it lived on, its output would be waited for: for ever."""
    with pytest.raises(HookFailed, match=r"freeze hook.* longer than 0\.01 seconds"):
        Hooks("sleep 1000000 & sleep 1000000", f"echo thaw >> {log}", 0.01).around(lambda: creating(log))


def test_after_a_timeout_thawing_is_started(log: Path) -> None:
    slow = Hooks("sleep 1000000", f"echo thaw >> {log}; sleep 1000000", 2)
    with pytest.raises(HookFailed, match="freeze hook") as caught:
        slow.around(lambda: creating(log))
    assert "thaw hook" in caught.value.__notes__[0]
    assert what_happened(log) == ["thaw"]


def test_after_a_failed_creation_thawing_happens(log: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        hooks(log).around(failing)
    assert what_happened(log) == ["freeze", "thaw"]


def test_a_failed_thaw_says_that_the_shadow_copy_exists(log: Path) -> None:
    with pytest.raises(HookFailed, match=r"^1\.1 was created, but the thaw hook .* exit code 1"):
        hooks(log, thaw="false").around(lambda: creating(log))


def test_two_failures_are_both_told(log: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        hooks(log, thaw="false").around(failing)
    assert "thaw hook" in caught.value.__notes__[0]


def test_a_program_that_does_not_exist(log: Path) -> None:
    with pytest.raises(HookFailed, match="exit code 127"):
        hooks(log, freeze="/no/such/program").around(lambda: creating(log))
