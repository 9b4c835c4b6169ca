"""Measured and simulated latencies in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

_MEASURED, _SIMULATED = "#1b6ca8", "#d9772b"


def draw_validation(
    path: Path,
    measured_ns: Sequence[Sequence[int]],
    simulated_ns: Sequence[Sequence[int]],
    error: float,
    expected_error: float,
) -> None:
    """Draw the distribution of the latencies of requests, and the time that each scan spent in the device.

    Args:
        path: of the figure; its suffix says the format.
        measured_ns: latencies of each real scan.
        simulated_ns: those of each simulated one.
        error: (simulated - measured) / measured, of the mean time of a scan.
        expected_error: what the model says about itself.

    Raises:
        OSError, ValueError: the file cannot be written, or its format is unknown.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    shares, times = figure.subplots(1, 2, width_ratios=(3, 2))
    for label, scans, colour in (
        ("measured", measured_ns, _MEASURED),
        ("simulated", simulated_ns, _SIMULATED),
    ):
        ordered = np.sort(np.concatenate([np.asarray(scan) for scan in scans])) / 1e3
        shares.step(
            ordered, np.arange(1, len(ordered) + 1) / len(ordered), where="post", color=colour, label=label
        )
        totals_ms = [sum(scan) / 1e6 for scan in scans]
        times.plot(range(1, len(totals_ms) + 1), totals_ms, "o", color=colour, label=label)
        times.axhline(float(np.mean(totals_ms)), color=colour, linewidth=1)
    mean_ms = float(np.mean([sum(scan) / 1e6 for scan in measured_ns]))
    low, high = mean_ms * (1 - expected_error), mean_ms * (1 + expected_error)
    times.axhspan(low, high, color=_MEASURED, alpha=0.12, label=f"measured mean ± {expected_error:.1%}")
    shares.set(xscale="log", xlabel="latency of a request, µs", ylabel="share of requests up to it")
    times.set(xlabel="scan", ylabel="time in the device, ms", title=f"simulated - measured: {error:+.1%}")
    times.set_ylim(bottom=0)
    for axes in (shares, times):
        axes.legend(loc="lower right", frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "shadowshare"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
