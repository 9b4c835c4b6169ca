"""Searches that stop and go on come to the same as in one go; a checkpoint of anything else is refused."""

from __future__ import annotations

import json
import zlib
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import Scenario
from shadowshare.verify.exploration import checkpoint
from shadowshare.verify.exploration.checkpoint import (
    MAGIC,
    Checkpoint,
    CheckpointError,
    check_writable,
    code_digest,
    save_checkpoint,
)
from shadowshare.verify.exploration.search import Budget, Search
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.random_walk import RandomWalk
from tests.cli.running import digests
from tests.verify.programs import small

IDENTITY = "a search"
TWO_PASSIVES = small(
    'W = ["write 0"]\nR = ["read s 0"]\nS = ["read s 0 1"]',
    before='"W: create s", "R: open", "S: open"',
    extra='[hosts]\nW = "active"\nR = "passive"\nS = "passive"',
)
CRASH = small(
    'W = ["write 0"]\nR = ["read s 0"]',
    extra='catch_up_blocks = 8\n[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1',
)
WITH_BUG = mutant("no-recheck").implementation
DOES_NOT_FIT = """\
the checkpoint does not fit: the code behaves otherwise than when it was written; \
delete it to begin again"""


def searched(scenario: Scenario, state_count: int) -> Search:
    search = Search(Race(scenario).product)
    search.run(Budget(state_count))
    return search


def comparable(exploration: Exploration) -> Exploration:
    """Without how often code ran: whoever goes on runs it again."""
    return replace(exploration, host_run_count=0)


def chain(path: Path, scenario: Scenario, implementation: Implementation, states: int) -> list[Exploration]:
    """Explore with a budget of so many states more each time, until the end."""
    found: list[Exploration] = []
    while not found or (found[-1].verdict == "unknown" and not found[-1].is_exhausted):
        budget = Budget(states * (len(found) + 1))
        found.append(explore(scenario, implementation, budget, checkpoint=path))
        assert path.exists() == (not found[-1].is_exhausted and found[-1].violation is None)
    return found


# -- the same as in one go ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scenario", [TWO_PASSIVES, CRASH, built_in("slot-reuse-during-read")], ids=lambda s: s.name
)
def test_a_search_restored_at_any_point_ends_as_one_that_never_stopped(
    scenario: Scenario, tmp_path: Path
) -> None:
    whole = searched(scenario, 1_000_000)
    path = tmp_path / "c"
    for state_count in range(1, len(whole.states), max(1, len(whole.states) // 25)):
        stopped = searched(scenario, state_count)
        save_checkpoint(path, IDENTITY, [], stopped)
        restored = Search(Race(scenario).product)
        Checkpoint(path, IDENTITY).restore(restored)
        assert (restored.parents, restored.position) == (stopped.parents, stopped.position)
        assert restored.step_count == stopped.step_count
        assert restored.run(Budget()) == ""
        assert (restored.parents, restored.position) == (whole.parents, whole.position)
        assert restored.step_count == whole.step_count
        assert restored.schedule_count() == whole.schedule_count()
        assert restored.depth_steps() == whole.depth_steps()
        assert restored.choice_counts() == whole.choice_counts()


@pytest.mark.parametrize("implementation", [Implementation(), WITH_BUG], ids=["right", "bug"])
@pytest.mark.parametrize(("scenario", "states"), [(TWO_PASSIVES, 1), (TWO_PASSIVES, 7), (CRASH, 30)])
def test_a_chain_of_stops_comes_to_what_one_go_comes_to(
    scenario: Scenario, implementation: Implementation, states: int, tmp_path: Path
) -> None:
    whole = explore(scenario, implementation)
    found = chain(tmp_path / "c", scenario, implementation, states)
    assert comparable(found[-1]) == comparable(whole)
    assert whole.verdict == ("violated" if implementation is WITH_BUG else "verified")
    assert len(found) > 2
    assert all(one.verdict == "unknown" for one in found[:-1])
    assert digests(tmp_path) == {}, "nothing is left at the end"


def test_what_was_finished_before_is_not_searched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c"
    whole = explore(TWO_PASSIVES)
    first = explore(small('W = ["write 0"]\nR = ["read s 0"]')).state_count
    stopped = explore(TWO_PASSIVES, budget=Budget(first + 1), checkpoint=path)
    assert (stopped.verdict, stopped.apart_count) == ("unknown", 2)
    made: list[str] = []
    race = Race.__init__

    def noted(self: Race, scenario: Scenario, *rest: Any) -> None:
        made.append(" ".join(plan.name for plan in scenario.hosts))
        race(self, scenario, *rest)

    monkeypatch.setattr(Race, "__init__", noted)
    assert comparable(explore(TWO_PASSIVES, checkpoint=path)) == comparable(whole)
    assert made == ["W S"]


def test_a_read_that_is_reached_before_the_checkpoint_only_is_reached(tmp_path: Path) -> None:
    """The verdict needs to know; the search that goes on does not come there again."""
    scenario = small('W = ["write 0", "write 1", "write 0"]\nR = ["read s 0"]')
    path, strategy = tmp_path / "c", Exhaustive(counts_schedules=False)
    for state_count in range(2, len(searched(scenario, 1_000_000).states), 9):
        stopped = explore(scenario, budget=Budget(state_count), strategy=strategy, checkpoint=path)
        assert stopped.verdict == "unknown"
        assert explore(scenario, strategy=strategy, checkpoint=path).verdict == "verified"


def test_a_search_that_ends_unknown_with_nothing_left_deletes_its_checkpoint(tmp_path: Path) -> None:
    """A read that never gets data shows nothing, but there is nothing to go on with."""
    scenario = small('W = ["delete s"]\nR = ["read s 0"]', before='"W: create s", "W: delete s", "R: open"')
    path = tmp_path / "c"
    assert explore(scenario, budget=Budget(2), checkpoint=path).verdict == "unknown"
    assert path.exists()
    found = explore(scenario, checkpoint=path)
    assert (found.verdict, found.is_exhausted, path.exists()) == ("unknown", True, False)


# -- refused -----------------------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "c"
    save_checkpoint(path, IDENTITY, [], searched(CRASH, 40))
    return path


def refused(path: Path, identity: str = IDENTITY) -> str:
    """Read and restore a checkpoint that must be refused; what is said, which names the file."""
    before = digests(path.parent)
    with pytest.raises(CheckpointError) as caught:
        Checkpoint(path, identity).restore(Search(Race(CRASH).product))
    assert digests(path.parent) == before
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def rewritten(path: Path, body: bytes | None = None, **changes: Any) -> None:
    """Change a checkpoint as only a program can that writes checkpoints."""
    content = path.read_bytes().removeprefix(MAGIC).partition(b"\n")[2]
    head, _, old_body = content.partition(b"\n")
    content = json.dumps(json.loads(head) | changes).encode() + b"\n" + (old_body if body is None else body)
    path.write_bytes(MAGIC + checkpoint._digest(content) + b"\n" + content)


def test_every_single_damaged_byte_is_noticed(written: Path) -> None:
    whole = written.read_bytes()
    for position in range(len(whole)):
        written.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(CheckpointError):
            Checkpoint(written, IDENTITY)


def test_every_end_that_is_missing_is_noticed(written: Path) -> None:
    whole = written.read_bytes()
    for size in range(len(whole)):
        written.write_bytes(whole[:size])
        with pytest.raises(CheckpointError):
            Checkpoint(written, IDENTITY)


def test_more_at_the_end_is_damage(written: Path) -> None:
    written.write_bytes(written.read_bytes() + b"\n")
    assert refused(written) == "the checkpoint is damaged: delete it to begin again"


@pytest.mark.parametrize("content", [b"", b"\n", b"hello\n", MAGIC[:-2] + b"9\n", bytes(100)])
def test_another_file_is_no_checkpoint(written: Path, content: bytes) -> None:
    written.write_bytes(content)
    assert refused(written) == "this is no checkpoint of this version: name another file"


def test_a_checkpoint_of_another_search(written: Path) -> None:
    assert refused(written, "another search") == (
        "the checkpoint is one of a search, not of another search: name another file, or delete it to begin again"
    )


def test_a_checkpoint_of_other_code(written: Path) -> None:
    rewritten(written, code="0" * 32)
    message = "the checkpoint was written by another version of the code: delete it to begin again"
    assert refused(written) == message


def test_moves_that_there_are_not(written: Path) -> None:
    parents, moves = body_of(written)
    for wrong in (moves[:-1] + array("H", [60_000]), array("H", [len(moves)] * len(moves))):
        rewritten(written, zlib.compress(parents.tobytes() + wrong.tobytes()))
        assert refused(written) == DOES_NOT_FIT


def test_a_state_that_was_met_before(written: Path) -> None:
    parents, moves = body_of(written)
    parents[-1], moves[-1] = parents[-2], moves[-2]
    rewritten(written, zlib.compress(parents.tobytes() + moves.tobytes()))
    assert refused(written) == DOES_NOT_FIT


def test_states_that_come_from_later_ones(written: Path) -> None:
    parents, moves = body_of(written)
    parents[0] = len(parents)
    rewritten(written, zlib.compress(parents.tobytes() + moves.tobytes()))
    assert refused(written) == DOES_NOT_FIT


@pytest.mark.parametrize("change", [{"position": 10_000}, {"states": 5}, {"states": 10_000}], ids=str)
def test_numbers_that_do_not_go_together(written: Path, change: dict[str, Any]) -> None:
    rewritten(written, **change)
    assert refused(written) == DOES_NOT_FIT


def body_of(path: Path) -> tuple[array[int], array[int]]:
    content = path.read_bytes().removeprefix(MAGIC).partition(b"\n")[2]
    head, _, body = content.partition(b"\n")
    raw, count = zlib.decompress(body), json.loads(head)["states"] - 1
    return array("Q", raw[: 8 * count]), array("H", raw[8 * count :])


@pytest.mark.parametrize(
    "other",
    [
        {"scenario": TWO_PASSIVES},
        {"implementation": WITH_BUG},
        {"scenario": small('W = ["write 0"]\nR = ["read s 0"]', extra="catch_up_blocks = 8")},
    ],
    ids=["scenario", "implementation", "faults"],
)
def test_an_exploration_of_something_else_goes_not_on(tmp_path: Path, other: dict[str, Any]) -> None:
    path = tmp_path / "c"
    explore(CRASH, budget=Budget(20), checkpoint=path)
    before = digests(tmp_path)
    with pytest.raises(CheckpointError, match=r"the checkpoint is one of small .* not of small "):
        explore(**({"scenario": CRASH} | other), checkpoint=path)
    assert digests(tmp_path) == before


def test_passives_together_do_not_go_on_where_passives_apart_stopped(tmp_path: Path) -> None:
    path = tmp_path / "c"
    explore(TWO_PASSIVES, budget=Budget(20), checkpoint=path)
    with pytest.raises(CheckpointError, match="the checkpoint is one of small"):
        explore(TWO_PASSIVES, passives_apart=False, checkpoint=path)


def test_what_draws_schedules_has_no_checkpoint(tmp_path: Path) -> None:
    for jobs in (1, 2):
        with pytest.raises(
            CheckpointError, match="a search with strategy 'random' cannot go on from a checkpoint"
        ):
            explore(
                CRASH,
                strategy=RandomWalk(),
                budget=Budget(execution_count=1),
                checkpoint=tmp_path / "c",
                jobs=jobs,
            )
    assert digests(tmp_path) == {}


# -- files -------------------------------------------------------------------------------------------------------


def test_a_directory_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        explore(CRASH, checkpoint=tmp_path)


def test_where_it_cannot_be_written_is_said_before_the_search(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "c"
    with pytest.raises(CheckpointError, match="the checkpoint cannot be written: No such file or directory"):
        explore(CRASH, progress=lambda *_: pytest.fail("the search began"), checkpoint=path)
    with pytest.raises(CheckpointError, match="the checkpoint cannot be written: Not a directory"):
        check_writable(Path(__file__) / "c")
    with pytest.raises(CheckpointError, match="the checkpoint cannot be written: No such file or directory"):
        save_checkpoint(path, IDENTITY, [], searched(CRASH, 5))


def test_a_checkpoint_that_cannot_replace_the_old_one_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.mkdir()
    with pytest.raises(CheckpointError, match="the checkpoint cannot be written"):
        save_checkpoint(path, IDENTITY, [], searched(CRASH, 5))
    assert [found.name for found in tmp_path.iterdir()] == ["c"]


def test_a_checkpoint_is_replaced_and_not_written_over(written: Path) -> None:
    """Whoever reads it meanwhile reads a whole one."""
    before = written.read_bytes()
    with written.open("rb") as opened:
        save_checkpoint(written, IDENTITY, [], searched(CRASH, 50))
        assert opened.read() == before != written.read_bytes()


def test_the_old_checkpoint_stays_until_the_new_one_is_whole(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(written.parent)

    def fails(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save_checkpoint(written, IDENTITY, [], searched(CRASH, 5))
    assert digests(written.parent) == before


# -- the code ----------------------------------------------------------------------------------------------------


def test_the_digest_is_of_every_source_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Package:
        __name__ = "some"
        __path__ = (str(tmp_path),)

    monkeypatch.setattr(checkpoint, "_PACKAGES", (Package,))
    (tmp_path / "inner").mkdir()

    def digest() -> str:
        return code_digest.__wrapped__()

    seen = [digest()]
    for name, content in [
        ("a.py", b"1"),
        ("inner/a.py", b"1"),
        ("a.py", b"2"),
        ("a.py", b""),
        ("a.txt", b"1"),
    ]:
        (tmp_path / name).write_bytes(content)
        seen.append(digest())
    assert len(set(seen)) == 5
    assert seen[-1] == seen[-2], "what is no code does not matter"
    (tmp_path / "inner").rename(tmp_path / "other")
    assert digest() not in seen


def test_the_digest_covers_all_that_a_search_rests_on() -> None:
    names = {package.__name__ for package in checkpoint._PACKAGES}
    assert names == {f"shadowshare.{part}" for part in ("protocol", "sim", "models", "scenarios", "verify")}
