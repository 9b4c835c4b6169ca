"""Measured and simulated latencies in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shadowshare.reports.style import FIGURE_METADATA, MARKERS, SERIES, figure_style

_STEP_COUNT = 400
"""Steps of a distribution that can be seen."""


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
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second, and only a figure needs it

    with figure_style():
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        shares, times = figure.subplots(1, 2, width_ratios=(3, 2))
        kept = np.linspace(0.0, 1.0, _STEP_COUNT)
        for number, (label, scans) in enumerate((("measured", measured_ns), ("simulated", simulated_ns))):
            colour, style = SERIES[number], ("-", "--")[number]
            latencies_us = np.concatenate([np.asarray(scan) for scan in scans]) / 1e3
            quantiles = np.quantile(latencies_us, kept, method="inverted_cdf")
            shares.plot(quantiles, kept, style, drawstyle="steps-post", color=colour, label=label)
            totals_ms = [sum(scan) / 1e6 for scan in scans]
            places = range(1, len(totals_ms) + 1)
            times.plot(places, totals_ms, MARKERS[number], markersize=3, color=colour, label=label)
            times.axhline(float(np.mean(totals_ms)), linestyle=style, color=colour, linewidth=1)
        mean_ms = float(np.mean([sum(scan) / 1e6 for scan in measured_ns]))
        low, high = mean_ms * (1 - expected_error), mean_ms * (1 + expected_error)
        times.axhspan(low, high, color=SERIES[0], alpha=0.12, label=f"measured mean ± {expected_error:.1%}")
        shares.set(xscale="log", xlabel="latency of a request, us", ylabel="share that takes no longer")
        shares.set_title("Is a simulated request as fast as a real one?", fontsize="medium")
        times.set(xlabel="scan", ylabel="time in the device, ms")
        times.set_title(f"Is a simulated scan? Simulated - measured: {error:+.1%}", fontsize="medium")
        times.set_ylim(bottom=0)
        for axes in (shares, times):
            axes.grid(visible=True)
            axes.legend(loc="lower right", frameon=False, fontsize="small")
        figure.savefig(path, metadata=dict(FIGURE_METADATA) if path.suffix == ".svg" else None)
