"""What holds for every test: hypothesis profiles, which run first, and that in CI nothing is skipped unnoticed."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from shadowshare.verify.generated.profiles import use_profiles

IN_CI = os.environ.get("SHADOWSHARE_CI") == "1"
MAY_SKIP = "may_skip_in_ci"
REGRESSIONS = Path(__file__).parent / "regressions"

use_profiles("ci" if IN_CI else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker here, so that this file works alone."""
    config.addinivalue_line("markers", f"{MAY_SKIP}: a continuous-integration run may skip this test")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # In the background Ctrl-C is ignored, also by the commands that tests start; some of them test just that.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What went wrong once is looked at first."""
    items.sort(key=lambda item: not item.path.is_relative_to(REGRESSIONS))


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"CI is meant to run this test, but it was skipped: {reason.removeprefix('Skipped: ')}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In a continuous-integration run, a skipped test is a failed one. (An expected failure is not a skip.)"""
    report = yield
    is_skip = report.skipped and not hasattr(report, "wasxfail")
    if IN_CI and is_skip and item.get_closest_marker(MAY_SKIP) is None:
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole. It has no marker yet: it cannot be allowed to."""
    report = yield
    if IN_CI and report.skipped:
        _refuse_skip(report)
    return report
