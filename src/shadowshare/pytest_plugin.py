"""For pytest: races of shadow copies in a test suite of one's own.

Installed with shadowshare, found by pytest by itself. ``docs/own-protocol.md`` shows how to use it::

    @pytest.mark.shadowshare("reader-before-volume-read", "slot-reuse-during-read")
    def test_my_reader(race, verify_race):
        verify_race(race, passive=MyPassive)

``pytest --shadowshare-replay 's1/...'`` runs one schedule again, in the tests of its scenario, and skips the others. If
no test is of its scenario nothing was replayed, and pytest ends as where there are no tests.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from shadowshare.scenarios.definition import Scenario

MARKER = "shadowshare"
REPLAY_OPTION = "--shadowshare-replay"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that replays."""
    group = parser.getgroup("shadowshare", "races of shadow copies")
    group.addoption(REPLAY_OPTION, metavar="SCHEDULE", help="run this schedule only, as a failure printed it")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and look at the schedule that is to be replayed."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(*scenarios): the test runs once for each of these scenarios, names or paths of files, "
        "as its fixture race",
    )
    schedule = config.getoption(REPLAY_OPTION)
    if schedule is not None:
        config.pluginmanager.register(_Replaying(_scenario_name(schedule)))


def _scenario_name(schedule: str) -> str:
    from shadowshare.sim.schedule import ScheduleError, parse_schedule

    try:
        return parse_schedule(schedule).scenario
    except ScheduleError as error:
        raise pytest.UsageError(f"{REPLAY_OPTION}: {error}") from None


class _Replaying:
    """Notes whether any test has run the schedule: a replay of nothing must not look like one that went well."""

    def __init__(self, scenario_name: str) -> None:
        self._scenario_name = scenario_name
        self._has_run = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        is_replay = any(name == REPLAY_OPTION for name, _ in report.user_properties)
        self._has_run = self._has_run or (is_replay and report.when == "call" and not report.skipped)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if not self._has_run and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._has_run:
            terminalreporter.write_line(
                f"{REPLAY_OPTION}: nothing was replayed: no test that ran is of scenario {self._scenario_name!r}"
            )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a marked test once for each scenario."""
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is not None and "race" in metafunc.fixturenames:
        if not marker.args or marker.kwargs:
            raise pytest.UsageError(
                f"{metafunc.definition.nodeid}: @pytest.mark.{MARKER} takes the names of scenarios, one after the "
                "other, and nothing else"
            )
        metafunc.parametrize(
            "race", marker.args, indirect=True, ids=[Path(name).stem for name in marker.args]
        )


@pytest.fixture
def race(request: pytest.FixtureRequest) -> Scenario:
    """The scenario of a test that is marked with `MARKER`."""
    if not hasattr(request, "param"):
        raise pytest.UsageError(
            f"{request.node.nodeid}: the fixture race needs @pytest.mark.{MARKER}(...) with the names of scenarios"
        )
    return _scenario(request.param)


@pytest.fixture
def verify_race(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that explores a scenario, and fails with a counterexample if its verdict is not the expected one.

    It takes the scenario (or its name, or the path of its file), and may take ``recovery`` and ``passive``, the classes
    to test, and ``seconds``, the time that it may take.
    """
    from shadowshare.cli.race_testing import verify

    schedule = request.config.getoption(REPLAY_OPTION)

    def verify_one(scenario: Any, **options: Any) -> None:
        if schedule is not None:
            request.node.user_properties.append((REPLAY_OPTION, schedule))
        verify(_scenario(scenario), schedule, **options)

    return verify_one


def _scenario(wanted: Any) -> Scenario:
    from shadowshare.cli.race_testing import scenario_of

    return scenario_of(wanted)
