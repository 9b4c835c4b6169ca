"""``shadowshare calibrate``: a latency model out of a device, or out of a log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec
import numpy as np
from click.core import ParameterSource

from shadowshare.cli.output import SIZE, bytes_progress, human_size, json_option, print_json, print_table
from shadowshare.models.latency.calibration import (
    DEFAULT_SIZES,
    Measurement,
    Plan,
    check_scratch_file,
    measure,
    model_of,
    source_of,
)
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.fio_latency_log import read_fio_latency_log
from shadowshare.models.latency.model_file import Source, model_as_toml
from shadowshare.models.latency.sampled import Sampled, SizeClass
from shadowshare.models.latency.validation import Validation, validate
from shadowshare.reports.validation_figure import draw_validation

_EXIT_CODES = {"verified": 0, "violated": 1, "unknown": 2}
_QUANTILES = np.array([0.5, 0.99])
_MEANINGS = {
    "verified": "within the expected error of",
    "violated": "outside the expected error of",
    "unknown": "the device is too unsteady, its expected error is",
}
_PATH = click.Path(path_type=Path, readable=False)


@click.command()
@click.argument("target", type=_PATH)
@click.option("-o", "--output", type=_PATH, help="Write the model to this file.")
@click.option("--samples", default=2000, show_default=True, help="Requests of each kind and size.")
@click.option(
    "--size",
    "sizes",
    type=SIZE,
    multiple=True,
    default=DEFAULT_SIZES,
    help="Measure requests of this size; can be given several times.  [default: 4K, 64K and 1M]",
)
@click.option("--sequential", is_flag=True, help="Requests follow each other on the device, not anywhere.")
@click.option("--scratch-size", type=SIZE, default=64 << 20, help="Size of the scratch file.  [default: 64M]")
@click.option("--fio-log", is_flag=True, help="TARGET is a latency log of fio: fit that.")
@click.option(
    "--validate",
    "is_validated",
    is_flag=True,
    help="Scan a store in the folder TARGET, and simulate the scans.",
)
@click.option("--scans", default=60, show_default=True, help="With --validate: real and simulated scans.")
@click.option("--figure", type=_PATH, help="With --validate: draw both into this file (.svg, .png, .pdf).")
@json_option
def calibrate(
    target: Path,
    output: Path | None,
    samples: int,
    sizes: Sequence[int],
    sequential: bool,
    scratch_size: int,
    fio_log: bool,
    is_validated: bool,
    scans: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Measure how long a device takes, and fit a latency model to it.

    TARGET is a file or block device, which is only read, or a folder, in which a scratch file is written, read and
    removed. Nothing that exists is ever written to. Root is needed only where TARGET is not readable without.

    The model file (-o) can be given to whatever takes a latency model. With --validate, a store is made in the folder
    and scanned by the real passive, in turns with a calibration on what a scan asks for; the same scans are simulated:
    exit code 1 if the means differ by more than the calibration says they may, 2 if the device is too unsteady to tell.
    """
    _check(target, output, figure, fio_log, is_validated, scans)
    plan = Plan(samples, tuple(sizes), sequential, scratch_size)
    if fio_log:
        model = model_of(read_fio_latency_log(target))
        _tell(model, Source("fitted to a latency log of fio", str(target)), output, None, as_json)
        return
    if is_validated:
        _validate(target, scratch_size, scans, output, figure, as_json)
    with bytes_progress("measuring", plan.total_bytes) as advance:
        measurement = measure(target, plan, advance)
    _warn(measurement)
    _tell(model_of(measurement.latencies_ns), source_of(target, measurement), output, None, as_json)


def _validate(
    folder: Path, volume_bytes: int, scan_count: int, output: Path | None, figure: Path | None, as_json: bool
) -> NoReturn:
    context = click.get_current_context()
    for name in ("samples", "sizes", "sequential"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = {"sizes": "size"}.get(name, name)
            raise ModelError(
                f"--{option} says nothing with --validate, which measures what a scan asks for: leave it out"
            )
    check_scratch_file(folder, volume_bytes)
    with bytes_progress("measuring", 2 * scan_count * volume_bytes) as advance:
        validation = validate(folder, volume_bytes, scan_count, advance)
    _warn(validation.measurement)
    if figure is not None:
        _draw(validation, figure)
    _tell(validation.model, source_of(folder, validation.measurement), output, validation, as_json)
    context.exit(_EXIT_CODES[validation.verdict])


def _check(
    target: Path, output: Path | None, figure: Path | None, fio_log: bool, is_validated: bool, scans: int
) -> None:
    """Refuse what cannot be meant, before anything is measured."""
    if fio_log and is_validated:
        raise ModelError(
            "--fio-log and --validate: a log is no device that can be scanned; give one of the two"
        )
    if is_validated and not target.is_dir():
        raise ModelError(
            f"{target} is no folder: --validate makes a store in a folder, and writes to nothing else"
        )
    if figure is not None and not is_validated:
        raise ModelError("--figure draws what --validate finds: give both")
    if figure is not None and figure.suffix not in (".svg", ".png", ".pdf"):
        raise ModelError(f"{figure}: a figure is a .svg, .png or .pdf file")
    if scans < 2:
        raise ModelError("--scans must be 2 or more")
    for path in (output, figure):
        if (
            path is not None
            and path.exists()
            and (not path.is_file() or (target.exists() and path.samefile(target)))
        ):
            raise ModelError(f"{path} is no file to write to: name another one")


def _warn(measurement: Measurement) -> None:
    if not measurement.is_direct:
        click.echo(
            "shadowshare: O_DIRECT is refused here: what was measured is the operating system's cache",
            err=True,
        )


def _draw(validation: Validation, figure: Path) -> None:
    draw_validation(
        figure,
        [scan.latencies_ns for scan in validation.measured],
        [scan.latencies_ns for scan in validation.simulated],
        validation.error,
        validation.expected_error,
    )


def _tell(
    model: Sampled, source: Source, output: Path | None, validation: Validation | None, as_json: bool
) -> None:
    if output is not None:
        output.write_text(model_as_toml(model, source), encoding="utf-8")
    if as_json:
        found: dict[str, Any] = {"model": msgspec.to_builtins(model), "source": msgspec.to_builtins(source)}
        if validation is not None:
            found["validation"] = _as_fields(validation)
        print_json(found)
        return
    rows = [
        _row(verb, size_class) for verb in ("read", "write", "flush") for size_class in getattr(model, verb)
    ]
    print_table(
        ("verb", "size", "median us", "p99 us", "mean us", "components", "KS", "worst quantile"), rows
    )
    if source.error is not None:
        click.echo(f"expected error of the mean of another run: {source.error:.1%}")
    if validation is not None:
        _tell_validation(validation)
    if output is not None:
        click.echo(f"written: {output}")


def _row(verb: str, size_class: SizeClass) -> tuple[str, ...]:
    latency, fit = size_class.latency, size_class.fit
    median, p99 = latency.quantile_ns(_QUANTILES) / 1e3
    worst = max(fit.quantile_errors.values(), key=abs, default=0.0) if fit else 0.0
    return (
        verb,
        human_size(size_class.size_bytes) if size_class.size_bytes else "",
        f"{median:.1f}",
        f"{p99:.1f}",
        f"{latency.mean_ns() / 1e3:.1f}",
        str(len(getattr(latency, "components", ()))),
        f"{fit.ks_distance:.3f}" if fit else "",
        f"{worst:+.1%}",
    )


def _tell_validation(validation: Validation) -> None:
    fields = _as_fields(validation)
    rows = [
        (name, *(f"{fields[f'{kind}_{name}_ms']:.1f}" for kind in ("measured", "simulated")), f"{error:+.1%}")
        for name, error in (("device", validation.error), ("elapsed", validation.elapsed_error))
    ]
    click.echo()
    print_table(("time of a scan", "measured ms", "simulated ms", "difference"), rows)
    click.echo(f"KS distance of the latencies of requests: {validation.ks_distance:.3f}")
    click.echo(f"{validation.verdict}: {_MEANINGS[validation.verdict]} {validation.expected_error:.1%}")


def _as_fields(validation: Validation) -> dict[str, Any]:
    times = {
        f"{kind}_{name}_ms": sum(getattr(scan, f"{name}_ns") for scan in scans) / len(scans) / 1e6
        for kind, scans in (("measured", validation.measured), ("simulated", validation.simulated))
        for name in ("device", "elapsed")
    }
    return {
        **times,
        "scan_count": len(validation.measured),
        "error": validation.error,
        "elapsed_error": validation.elapsed_error,
        "expected_error": validation.expected_error,
        "ks_distance": validation.ks_distance,
        "verdict": validation.verdict,
    }


commands = [calibrate]
