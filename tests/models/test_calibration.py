"""Calibration: a device that is known comes out as it is; nothing that exists is written to."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.latency import calibration, validation
from shadowshare.models.latency.built_in import VIRTUAL_NVME_READ
from shadowshare.models.latency.calibration import Key, Plan, expected_error, measure, model_of, source_of
from shadowshare.models.latency.distributions import Constant, Nanoseconds
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.fio_latency_log import read_fio_latency_log
from shadowshare.models.latency.sampled import Sampled, SizeClass
from shadowshare.models.latency.validation import (
    Scan,
    Validation,
    calibration_pass,
    expected_error_of,
    measurement_of,
    scan_really,
    scan_simulated,
)
from shadowshare.protocol.errors import CannotOpen
from tests.sim.loop_devices import attach, detach

SMALL = Plan(sample_count=100, sizes=(4096, 8192), scratch_bytes=1 << 20)


def nothing(_: int) -> None: ...


def test_a_file_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1 << 20))
    path.chmod(0o444)
    before, changed = path.read_bytes(), path.stat().st_mtime_ns
    told: list[int] = []
    measurement = measure(path, SMALL, told.append)
    assert set(measurement.latencies_ns) == {("read", 4096), ("read", 8192)}
    assert all(
        len(latencies) == 100 and latencies.min() > 0 for latencies in measurement.latencies_ns.values()
    )
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, changed)
    assert sum(told) == SMALL.total_bytes
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("size_bytes", [4096, 512])
def test_the_operating_system_refuses_writes_to_what_is_measured(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(size_bytes))
    with calibration.open_for_reading(path) as disk:
        assert not disk.is_writable


def test_in_a_folder_writes_are_measured_too_and_nothing_is_left(tmp_path: Path) -> None:
    measurement = measure(tmp_path, SMALL, nothing)
    assert {verb for verb, _ in measurement.latencies_ns} == {"read", "write", "flush"}
    assert len(measurement.latencies_ns["flush", 0]) == 200
    assert list(tmp_path.iterdir()) == []


def test_after_an_error_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration, "_measure_all", fail)
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, SMALL, nothing)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (SMALL._replace(sample_count=99), "99 samples are too few"),
        (SMALL._replace(sizes=(1000,)), "multiple of 4096"),
        (SMALL._replace(sizes=()), "one size or more"),
        (SMALL._replace(sizes=(1 << 26,)), "less than every size"),
        (SMALL._replace(scratch_bytes=5), "1 MiB or more"),
        (SMALL._replace(scratch_bytes=1 << 60), "has room for"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: Plan, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        measure(tmp_path, plan, nothing)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="does not exist"):
        measure(tmp_path / "none", SMALL, nothing)


# -- models ------------------------------------------------------------------------------------------------------


def steady(count: int = 5000, factor: float = 1.0) -> dict[Key, Nanoseconds]:
    drawn = VIRTUAL_NVME_READ.sample(np.random.default_rng(1), count)
    return {("read", 4096): (drawn * factor).astype(np.int64)}


def test_the_model_has_the_quantiles_of_what_was_measured() -> None:
    model = model_of(
        {**steady(), ("write", 4096): steady(factor=2.0)["read", 4096], ("flush", 0): steady()["read", 4096]}
    )
    for classes, factor in ((model.read, 1.0), (model.write, 2.0), (model.flush, 1.0)):
        (only,) = classes
        assert only.fit is not None
        assert only.fit.ks_distance < 0.015
        probabilities = np.array([0.5, 0.9, 0.99])
        expected = VIRTUAL_NVME_READ.quantile_ns(probabilities) * factor
        assert only.latency.quantile_ns(probabilities) == pytest.approx(expected, rel=0.06)


def test_an_unsteady_device_says_so() -> None:
    drifting = steady()["read", 4096] * np.linspace(1.0, 2.0, 5000)
    assert expected_error(steady()) < 0.05
    assert expected_error({("read", 4096): drifting.astype(np.int64)}) > 0.4


def test_the_source_says_what_was_measured(tmp_path: Path) -> None:
    source = source_of(tmp_path, measure(tmp_path, SMALL, nothing))
    assert "scratch file" in source.text
    assert source.measured == str(tmp_path)


# -- validation --------------------------------------------------------------------------------------------------


def test_a_simulated_scan_asks_for_what_the_real_one_asks_for(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    shadow_copy = validation._make_store(image, 4 << 20)
    real, operations = scan_really(image, shadow_copy)
    model = Sampled((SizeClass(Constant(100.0)),))
    simulated = scan_simulated(image, shadow_copy, model, 7000, 1)
    assert simulated.latencies_ns == [100_000] * len(real.latencies_ns)
    assert simulated.elapsed_ns == len(real.latencies_ns) * 107_000
    assert real.device_ns <= real.elapsed_ns
    assert len(operations) == len(real.latencies_ns)
    one_pass = calibration_pass(image, operations, 1000)
    assert len(one_pass) == len(operations)
    measurement = measurement_of([one_pass, one_pass], operations, image)
    assert sum(latencies.sum() for latencies in measurement.latencies_ns.values()) == 2 * sum(one_pass)
    assert {verb for verb, _ in measurement.latencies_ns} == {"read"}
    assert len(measurement.latencies_ns["read", 1 << 20]) == 8


def drawn_scans(totals: Nanoseconds) -> list[Scan]:
    return [Scan([int(total)], int(total)) for total in totals]


def test_what_a_pair_has_in_common_is_no_error_and_the_rest_is_met_as_often_as_it_says() -> None:
    """A device that gets twice as slow, on which the two of a pair differ by 5 % of it."""
    random = np.random.default_rng(3)
    drift = np.linspace(1e6, 2e6, 20)
    met, stated = 0, []
    for _ in range(400):
        passes, scans = (drift * random.normal(1.0, 0.05, 20) for _ in range(2))
        simulated = random.normal(passes.mean(), 1e4, 20).astype(np.int64)
        expected = expected_error_of([[int(total)] for total in passes], drawn_scans(simulated))
        stated.append(expected)
        met += abs(simulated.mean() / scans.mean() - 1) <= expected
    assert 0.93 < met / 400 <= 1.0
    assert np.median(stated) < 0.07


def test_a_model_that_does_not_fit_states_an_error_as_large() -> None:
    passes = [[100], [101], [100], [101]]
    assert 0.2 < expected_error_of(passes, drawn_scans(np.array([121, 121, 121, 121]))) < 0.25


@pytest.mark.may_skip_in_ci  # only root sets up loop devices
def test_a_block_device_is_calibrated_and_only_read(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(os.urandom(1 << 20))
    device = attach(path, 4096)
    try:
        measurement = measure(Path(device), SMALL, nothing)
        source = source_of(Path(device), measurement)
    finally:
        detach(device)
    assert set(measurement.latencies_ns) == {("read", 4096), ("read", 8192)}
    assert "of a block device" in source.text
    assert [one.latency.mean_ns() > 0 for one in model_of(measurement.latencies_ns).read] == [True, True]


def scans(*totals: int) -> list[Scan]:
    return [Scan([total], total + 10) for total in totals]


@pytest.mark.parametrize(
    ("simulated", "expected", "verdict"),
    [(104, 0.05, "verified"), (106, 0.05, "violated"), (94, 0.05, "violated"), (200, 1.5, "unknown")],
)
def test_the_verdict_is_about_the_mean_and_the_expected_error(
    simulated: int, expected: float, verdict: str
) -> None:
    model = Sampled((SizeClass(Constant(1.0)),))
    measurement = calibration.Measurement({}, True)
    found = Validation(model, measurement, scans(90, 110), scans(simulated, simulated), expected)
    assert found.error == pytest.approx(simulated / 100 - 1)
    assert found.verdict == verdict


# -- logs of fio -------------------------------------------------------------------------------------------------


def test_a_log_of_fio_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x_clat.log"
    path.write_text(
        "0, 84120, 0, 4096, 61440, 0\n0, 79000, 1, 4096, 0\n1, 5, 2, 4096, 0\n1, 91000, 0, 8192\n"
    )
    found = {key: latencies.tolist() for key, latencies in read_fio_latency_log(path).items()}
    assert found == {("read", 4096): [84120], ("write", 4096): [79000], ("read", 8192): [91000]}


def test_of_a_long_log_evenly_spread_latencies_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shadowshare.models.latency.fio_latency_log.KEPT_COUNT_MAXIMUM", 64)
    path = tmp_path / "log"
    path.write_text("".join(f"0, {number}, 0, 4096\n" for number in range(1000)))
    kept = read_fio_latency_log(path)["read", 4096]
    assert 32 <= len(kept) < 64
    assert len(set(np.diff(kept).tolist())) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no read and no write"),
        ("0, 1, 0, 4096\n0, 1\n", "line 2: must be 'TIME"),
        ("0, x, 0, 4096\n", "line 1: the latency must be"),
        ("0, 1, 3, 4096\n", "line 1: the direction must be"),
        ("".join(f"0, 1, 0, {size}\n" for size in range(65)), "line 65: more than 64"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    with pytest.raises(ModelError, match=words) as caught:
        read_fio_latency_log(path)
    assert str(caught.value).startswith(f"{path}: ")


@given(st.binary(max_size=200) | st.text("0123456789, -\n", max_size=200).map(str.encode))
def test_anything_is_a_log_or_one_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.log"
    path.write_bytes(content)
    try:
        assert read_fio_latency_log(path)
    except ModelError:
        return
