"""The plugin in the test suite of somebody else, in a pytest of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = [Path(__file__).parents[2] / "examples" / name for name in ("own_reader.py", "own_active.py")]
SUITE = """
import pytest
from own_active import CarefulRecovery, NaiveRecovery
from own_reader import CarefulReader, NaiveReader

@pytest.mark.shadowshare("reader-before-volume-read", "deletion-during-read")
@pytest.mark.parametrize("passive", [NaiveReader, CarefulReader])
def test_reader(race, verify_race, passive):
    verify_race(race, passive=passive)

@pytest.mark.shadowshare("two-writers-two-extents")
@pytest.mark.parametrize("recovery", [NaiveRecovery, CarefulRecovery])
def test_active(race, verify_race, recovery):
    verify_race(race, recovery=recovery)
"""


def run(folder: Path, suite: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    for example in EXAMPLES:
        (folder / example.name).write_bytes(example.read_bytes())
    (folder / "test_suite.py").write_text(suite, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "shadowshare.pytest_plugin",
    ]
    plugin_is_found = ["-p", "no:shadowshare"]  # once is enough, however it is installed
    return subprocess.run(
        [*command, *plugin_is_found, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_naive_code_fails_with_a_counterexample_and_careful_code_passes(tmp_path: Path) -> None:
    done = run(tmp_path, SUITE)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 failed, 3 passed" in done.stdout
    assert "image is violated" in done.stdout
    assert "replay: pytest --shadowshare-replay 's1/reader-before-volume-read/" in done.stdout
    assert "Traceback" not in done.stdout


def test_the_line_that_is_printed_replays_in_the_tests_of_its_scenario(tmp_path: Path) -> None:
    shown = run(tmp_path, SUITE).stdout
    match = re.search(r"--shadowshare-replay '(s1/reader-before-volume-read/[^']*)'", shown)
    assert match is not None
    done = run(tmp_path, SUITE, "--shadowshare-replay", match[1])
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "4 skipped" in done.stdout


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        (SUITE.replace("deletion-during-read", "no-such-race"), "there is no scenario 'no-such-race'"),
        (SUITE.replace("deletion-during-read", "nowhere.toml"), "nowhere.toml"),
        ("def test_it(race):\n    pass\n", "needs @pytest.mark.shadowshare"),
        (
            SUITE.replace('shadowshare("two-writers', 'shadowshare(names="two-writers'),
            "takes the names of scenarios",
        ),
        (
            SUITE.replace('shadowshare("two-writers-two-extents")', "shadowshare"),
            "takes the names of scenarios",
        ),
    ],
)
def test_what_cannot_be_is_one_clear_message(tmp_path: Path, suite: str, message: str) -> None:
    done = run(tmp_path, suite)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            "s1/deletion-during-read/X*3",
            "step 1 of the schedule does not fit scenario 'deletion-during-read'",
        ),
        ("s1/deletion-during-read/W*", "step 'W*' of the schedule is neither LABEL nor LABEL*TIMES"),
        ("anything", "a schedule reads s1/SCENARIO/STEPS"),
    ],
)
def test_a_schedule_that_cannot_be_replayed_is_no_failed_test(
    tmp_path: Path, schedule: str, message: str
) -> None:
    done = run(tmp_path, SUITE, "--shadowshare-replay", schedule)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("parallel", [(), ("-p", "xdist", "-n", "1")])
def test_a_replay_of_nothing_is_not_green(tmp_path: Path, parallel: tuple[str, ...]) -> None:
    done = run(tmp_path, SUITE, "--shadowshare-replay", "s1/old-cached-view/W", *parallel)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "nothing was replayed: no test that ran is of scenario 'old-cached-view'" in done.stdout
