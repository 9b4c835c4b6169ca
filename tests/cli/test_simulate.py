"""``simulate``: figures, sweeps, files, refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from shadowshare.reports.simulation_questions import QUESTIONS
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
THREE = ("readers", "path_us", "device.servers")
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
    drawn = curves.read_text(encoding="utf-8")
    assert "How long does a write of the active take?" in drawn
    assert "without shadow copies" in drawn
    with rows.open(encoding="utf-8") as file:
        names = {row["figure"] for row in csv.DictReader(file)}
    assert {"active.write_amplification", "passives.recheck_saved_per_read"} <= names
    arguments = ("simulate", "--file", mine, *FAST, "--sweep", "readers=1,2", "--figure", str(sweep))
    assert run(*arguments).exit_code == 0
    drawn = sweep.read_text(encoding="utf-8")
    assert "How often does the re-check save a read?" in drawn
    assert run(*arguments).exit_code == 0
    assert sweep.read_text(encoding="utf-8") == drawn


def test_each_question_has_its_columns_and_its_panel(mine: str, tmp_path: Path) -> None:
    figure = tmp_path / "asked.svg"
    arguments = ("--sweep", "readers=1,2", "--sweep", "device.servers=2,8", "--figure", figure)
    asked = [f"--ask={name}" for name in QUESTIONS]
    done = run("simulate", "--file", mine, *FAST, *arguments, *asked)
    assert done.exit_code == 0, done.stderr
    headings = [figure.heading for question in QUESTIONS.values() for figure in question.figures.values()]
    assert [heading for heading in headings if heading not in done.stdout.splitlines()[0]] == [
        "2nd busy %",
        "fail-over ms",
    ]
    drawn = figure.read_text(encoding="utf-8")
    titles = [question.words for question in QUESTIONS.values() if question.figures]
    assert [title for title in titles if title not in drawn] == []
    assert "servers 8" in drawn
    done = run(
        "simulate", "--file", mine, *FAST, "--ask", "amplification", "--figure", figure, "--without-baseline"
    )
    assert done.stdout.splitlines()[0].split() == ["amplification"]
    assert QUESTIONS["amplification"].words in figure.read_text(encoding="utf-8")


def test_what_is_rare_has_its_counts_and_an_exact_interval(mine: str) -> None:
    done = run("simulate", "--file", mine, *FAST, "--without-baseline", "--json")
    figures = json.loads(done.stdout)["points"][0]["figures"]
    saved, mean = figures["passives.recheck_saved_per_read"], figures["active.write.latency_mean"]
    assert saved["mean"] == saved["seen_count"] / saved["of_count"]
    reads_in_both_runs = figures["passives.read.per_second"]["mean"] * 0.03 * 2
    assert saved["of_count"] == pytest.approx(reads_in_both_runs)
    assert saved["low"] <= saved["mean"] < saved["high"]
    assert "seen_count" not in mean
    assert mean["high"] - mean["mean"] == pytest.approx(mean["half_width"])


def test_one_long_run_says_what_it_left_out(mine: str) -> None:
    arguments = ("simulate", "--file", mine, "--replications", "1", "--jobs", "1", "--without-baseline")
    longer = ("--set", "time.measured_seconds=0.5", "--set", "active.clients=8")
    basis = json.loads(run(*arguments, *longer, "--json").stdout)["points"][0]["basis"]
    assert (basis["run_count"], basis["batch_count"], basis["warm_up_seconds"]) == (1, 20, 0.01)
    assert basis["measured_seconds"] + basis["found_warm_up_seconds"] <= 0.5
    told = run(*arguments, *longer).stdout.splitlines()[-1]
    assert (
        "in 20 batches, ± 95 % interval; left out at the start: 0.01 s, as the simulation says, and " in told
    )
    assert "found by MSER-5" in told


def test_runs_until_the_means_are_as_precise_as_asked(mine: str) -> None:
    done = run(
        "simulate", "--file", mine, "--precision", "60%", "--jobs", "1", "--without-baseline", "--json"
    )
    point = json.loads(done.stdout)["points"][0]
    assert point["basis"]["precision"] == 0.6
    assert point["basis"]["imprecise"] == []
    mean = point["figures"]["passives.read.latency_mean"]
    assert mean["half_width"] / mean["mean"] <= 0.6


def test_the_example_replays_its_trace_and_fields_are_set_by_their_place() -> None:
    example = ROOT / "examples" / "replayed-database.toml"
    shorter = ("--set", "time.measured_seconds=0.2", "--set", "device.servers=2", "--without-baseline")
    done = run("simulate", "--file", example, *FAST, *shorter, "--sweep", "active.speed=1,10", "--json")
    assert done.exit_code == 0, done.stderr
    points = json.loads(done.stdout)["points"]
    writes = [point["figures"]["active.write.per_second"]["mean"] for point in points]
    assert [point["parameters"]["active.speed"] for point in points] == [1, 10]
    assert writes[1] > 2 * writes[0]


def test_a_trace_that_is_wrong_further_on_is_told_of_when_it_is_met(tmp_path: Path) -> None:
    lines = (ROOT / "examples" / "traces" / "sqlite-on-ext4.blkparse").read_text().splitlines()
    (tmp_path / "traces").mkdir()
    trace = tmp_path / "traces" / "sqlite-on-ext4.blkparse"
    trace.write_text("\n".join([*lines[:40], "7,0 nonsense"]))
    path = tmp_path / "mine.toml"
    path.write_text((ROOT / "examples" / "replayed-database.toml").read_text())
    for jobs in ("1", "2"):
        done = run("simulate", "--file", path, "--replications", "2", "--jobs", jobs)
        assert done.exit_code == 2
        assert f"{trace}: line 41: must be 'DEVICE CPU" in done.stderr


def test_a_question_without_an_answer_says_so(mine: str) -> None:
    done = run("simulate", "--file", mine, *FAST, "--without-baseline", "--ask", "fail-over")
    assert done.stdout.startswith("nothing happened of what was asked about")


def test_words_can_be_swept(mine: str) -> None:
    models = "device.latency=slc-flash,constant"
    done = run("simulate", "--file", mine, *FAST, "--without-baseline", "--sweep", models)
    assert done.exit_code == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[:3]] == [
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
        (("slow-path-to-a-reader", "--precision", "500%"), "'500%' is no share: write it as in 0.05 or 5%"),
        (("slow-path-to-a-reader", "--ask", "cost"), "'cost' is not one of 'throughput'"),
        (
            (
                "slow-path-to-a-reader",
                *("--sweep=readers=1", "--sweep=path_us=1", "--sweep=device.servers=1"),
                "--figure=x.svg",
            ),
            "shows 2 swept parameters at most, not 3",
        ),
        (("fail-over-under-load", "--replications", "1", "--jobs", "1"), "a fail-over happens once"),
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


def test_a_page_and_a_trace(mine: str, tmp_path: Path) -> None:
    page, trace = tmp_path / "page.html", tmp_path / "trace.pftrace"
    arguments = ("simulate", "--file", mine, "--sweep", "readers=1,2", "--ask", "latency", "--html", page)
    done = run(*arguments, "--perfetto", trace, *FAST)
    assert (done.exit_code, done.stderr) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert "<title>simulation mine - shadowshare</title>" in text
    assert "us on average at readers 1, and " in text
    assert text.count('download="latency.csv"') == 1
    assert b"device 0: waiting" in trace.read_bytes()
    assert b"slots in use" in trace.read_bytes()


def test_a_page_that_cannot_be_written_is_refused_before_anything_runs(mine: str, tmp_path: Path) -> None:
    done = run("simulate", "--file", mine, "--html", tmp_path / "nowhere" / "page.html")
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr
