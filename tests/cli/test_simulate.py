"""``simulate``: figures, sweeps, files, refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.repository.tree import ROOT

MINE = """
name = "mine"
story = "Small, so that it is fast."
[parameters]
readers = 1
[store]
volume_mib = 1
slots = 64
journal_blocks = 2048
[active]
clients = 2
[passives]
count = "$readers"
clients = 1
[shadow_copies]
every_seconds = 0.01
[time]
warm_up_seconds = 0.01
measured_seconds = 0.03
"""
FAST = ("--replications", "2", "--jobs", "1")


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return str(path)


def test_without_a_name_all_are_listed() -> None:
    done = run("simulate")
    assert done.exit_code == 0
    assert "backup-of-a-busy-volume (readers=4, writes_per_second=2000)" in done.stdout
    assert {one["name"] for one in json.loads(run("simulate", "--json").stdout)} >= {"slow-path-to-a-reader"}


def test_a_sweep_has_a_point_for_each_value_and_the_same_seed_the_same_result(mine: str) -> None:
    arguments = ("simulate", "--file", mine, "--sweep", "readers=1..3", "--json")
    done = run(*arguments, *FAST)
    assert done.exit_code == 0, done.stderr
    points = json.loads(done.stdout)["points"]
    assert [point["parameters"]["readers"] for point in points] == [1, 2, 3]
    reads = [point["figures"]["passives.read.per_second"]["mean"] for point in points]
    assert reads == sorted(reads)
    assert all(point["figures"]["active.write.latency_mean_ratio"]["mean"] > 1 for point in points)
    in_processes = run(*arguments, "--replications", "2", "--jobs", "2")
    assert in_processes.stdout == done.stdout
    assert run(*arguments, *FAST, "--seed", "2").stdout != done.stdout


def test_files_of_figures_and_rows(mine: str, tmp_path: Path) -> None:
    rows, curves, sweep = tmp_path / "rows.csv", tmp_path / "curves.svg", tmp_path / "sweep.svg"
    done = run("simulate", "--file", mine, *FAST, "--csv", str(rows), "--figure", str(curves))
    assert done.exit_code == 0, done.stderr
    assert "times no copy" in done.stdout
    assert "write without shadow copies" in curves.read_text(encoding="utf-8")
    with rows.open(encoding="utf-8") as file:
        names = {row["figure"] for row in csv.DictReader(file)}
    assert {"active.write_amplification", "passives.recheck_saved_per_read"} <= names
    arguments = ("simulate", "--file", mine, *FAST, "--sweep", "readers=1,2", "--figure", str(sweep))
    assert run(*arguments).exit_code == 0
    drawn = sweep.read_text(encoding="utf-8")
    assert "saved by the re-check" in drawn
    assert run(*arguments).exit_code == 0
    assert sweep.read_text(encoding="utf-8") == drawn


def test_the_example_replays_its_trace_and_fields_are_set_by_their_place() -> None:
    example = ROOT / "examples" / "replayed-database.toml"
    shorter = ("--set", "time.measured_seconds=0.2", "--set", "device.servers=2", "--without-baseline")
    done = run("simulate", "--file", example, *FAST, *shorter, "--sweep", "active.speed=1,10", "--json")
    assert done.exit_code == 0, done.stderr
    points = json.loads(done.stdout)["points"]
    writes = [point["figures"]["active.write.per_second"]["mean"] for point in points]
    assert [point["parameters"]["active.speed"] for point in points] == [1, 10]
    assert writes[1] > 2 * writes[0]


def test_words_can_be_swept(mine: str) -> None:
    models = "device.latency=slc-flash,constant"
    done = run("simulate", "--file", mine, *FAST, "--without-baseline", "--sweep", models)
    assert done.exit_code == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "device.latency",
        "slc-flash",
        "constant",
    ]


def test_a_simulation_in_which_time_stands_still_is_refused(mine: str) -> None:
    done = run("simulate", "--file", mine, *FAST, "--set", "device.latency=instant")
    assert done.exit_code == 2
    assert "so that time stands still" in done.stderr


def test_readers_that_hold_up_every_write_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "starved.toml"
    greedy = MINE.replace("clients = 1", "clients = 64").replace(
        "[active]", '[device]\norder = "reads-first"\n[active]'
    )
    path.write_text(greedy, encoding="utf-8")
    done = run("simulate", "--file", path, *FAST)
    assert done.exit_code == 2
    assert "no write of the active was done in the measured time" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nope",), "there is no simulation 'nope'; there are: backup-of-a-busy-volume"),
        (
            ("slow-path-to-a-reader", "--set", "writers=3"),
            "there is no parameter 'writers'; there are: readers, path_us; and fields",
        ),
        (("slow-path-to-a-reader", "--sweep", "readers"), "write it as in readers=1,2,5 or readers=1..64"),
        (("slow-path-to-a-reader", "--sweep", "readers=9..1"), "cannot be read"),
        (("slow-path-to-a-reader", "--set", "readers=nan"), "cannot be read"),
        (("slow-path-to-a-reader", "--set", "readers=1.5"), "passives.count: must be `int`"),
        (("slow-path-to-a-reader", "--set", "readers=-1"), "count must be from 0 to 10000, not -1"),
        (("slow-path-to-a-reader", "--figure", "x.bmp"), "must end in .svg, .png, .pdf"),
        (("--file", "missing.toml"), "missing.toml: the simulation file cannot be read: No such file"),
        (("slow-path-to-a-reader", "--precision", "0.1", "--replications", "3"), "give one of them"),
    ],
)
def test_refusals(arguments: tuple[str, ...], message: str) -> None:
    done = run("simulate", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            'count = "$readers"',
            'count = "$others"',
        ),
        ("volume_mib = 1", "volume_mib = 0"),
        ('name = "mine"', 'names = "mine"'),
        ("clients = 2", "clients = 2\ncount = 2"),
        ("[time]", '[device]\nlatency = "tape"\n[time]'),
        ("story", "story ="),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(MINE.replace(change, message, 1), encoding="utf-8")
    done = run("simulate", "--file", str(path))
    assert done.exit_code == 2
    assert f"{path}: " in done.stderr
    assert "Traceback" not in done.stderr
