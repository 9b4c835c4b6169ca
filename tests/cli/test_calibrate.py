"""``shadowshare calibrate``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shadowshare.cli import main
from shadowshare.models.latency.model_file import load_model
from shadowshare.models.latency.sampled import Sampled

FEW = ("--samples", "100", "--size", "4K", "--size", "64K", "--scratch-size", "4M")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["calibrate", *map(str, arguments)])


def test_a_folder_becomes_a_model_file(tmp_path: Path) -> None:
    output, folder = tmp_path / "model.toml", tmp_path / "folder"
    folder.mkdir()
    done = run(folder, *FEW, "-o", output)
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[1:6]] == [
        "read",
        "read",
        "write",
        "write",
        "flush",
    ]
    model, source = load_model(output)
    assert isinstance(model, Sampled)
    assert [one.size_bytes for one in model.read] == [4096, 65536]
    assert source is not None
    assert source.error is not None
    assert list(folder.iterdir()) == []


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1 << 20))
    found = json.loads(run(path, *FEW, "--json").stdout)
    assert [one["size_bytes"] for one in found["model"]["read"]] == [4096, 65536]
    assert found["model"]["read"][0]["fit"]["sample_count"] == 100
    assert found["model"]["write"] == []


def test_validation_compares_and_draws(tmp_path: Path) -> None:
    figure = tmp_path / "both.svg"
    folder = tmp_path / "folder"
    folder.mkdir()
    few = ("--scratch-size", "4M", "--scans", "25")
    done = run(folder, *few, "--validate", "--figure", figure, "--json")
    found = json.loads(done.stdout)["validation"]
    sizes = [one["size_bytes"] for one in json.loads(done.stdout)["model"]["read"]]
    assert len(sizes) == 2
    assert sizes[-1] == 1 << 20
    assert done.exit_code == {"verified": 0, "violated": 1, "unknown": 2}[found["verdict"]]
    assert found["measured_device_ms"] > 0
    assert found["simulated_device_ms"] > 0
    text = figure.read_text(encoding="utf-8")
    assert "Is a simulated request as fast as a real one?" in text
    assert list(folder.iterdir()) == []


def test_a_log_of_fio_becomes_a_model(tmp_path: Path) -> None:
    log = tmp_path / "x_clat.log"
    log.write_text(
        "".join(f"{number}, {80000 + number * 7 % 1000}, 0, 4096, 0, 0\n" for number in range(500))
    )
    done = run(log, "--fio-log")
    assert done.exit_code == 0, done.output
    assert "80.5" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none",), "none does not exist"),
        (("file", "-o", "file"), "no file to write to"),
        (("file", "-o", "."), "no file to write to"),
        (("file", "--validate"), "is no folder"),
        (("file", "--figure", "x.svg"), "give both"),
        ((".", "--validate", "--figure", "x.txt"), "a figure is a .svg"),
        ((".", "--validate", "--fio-log"), "give one of the two"),
        ((".", "--validate", "--scans", "1"), "2 or more"),
        ((".", "--validate", "--size", "4K"), "--size says nothing with --validate"),
        ((".", "--validate", "--scans", "3", "--scratch-size", "1M"), "3 scans of this volume are too few"),
        ((".", "--validate", "--scratch-size", "5K"), "1 MiB or more"),
        (("file", "--samples", "5"), "5 samples are too few"),
        (("file", "--fio-log"), "line 1: must be 'TIME"),
    ],
)
def test_what_is_refused_says_why_and_changes_nothing(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"content\n" * 1024)
    done = run(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert Path("file").read_bytes() == b"content\n" * 1024
