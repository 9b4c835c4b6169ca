"""Failures as folders: all that is needed to see a violation again, and to see that it is gone.

A folder holds ``failure.json``, which says what was found, and ``scenario.toml``, the whole scenario, so that it does
not depend on the built-in ones; only these two are read back. ``schedule.txt``, ``trace.txt`` and ``README.txt`` are
for people. The same failure gives the same folder, and the same content if it is found with the same versions.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from shadowshare.models.computers import Implementation
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.scenarios.catalogue import built_in_names, built_in_text
from shadowshare.scenarios.definition import FILE_BYTES_MAXIMUM, Scenario, ScenarioError, parse_scenario
from shadowshare.sim.schedule import Schedule, ScheduleError, parse_schedule
from shadowshare.verify.counterexamples.counterexample import Counterexample, explain, replay, replay_command
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import UnknownMutant, mutant
from shadowshare.verify.result import Exploration, Violation

FORMAT = 1
DESCRIPTION_BYTES_MAXIMUM = 64 * 1024 * 1024
DESCRIPTION, SCENARIO, SCHEDULE, TRACE, README = (
    "failure.json",
    "scenario.toml",
    "schedule.txt",
    "trace.txt",
    "README.txt",
)


class FailureError(ShadowshareError):
    """A failure cannot be written, or a folder cannot be read as one."""


class Versions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it was found with."""

    shadowshare: str
    python: str


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ``failure.json`` says.

    Attributes:
        format: version of the format.
        scenario: name of the scenario.
        mutant: name of the mutant in which it was found; None for the protocol as it is.
        rule: what is violated by the shrunk schedule.
        message: in words.
        host: who saw it; empty if it is nobody's.
        extent: where; None if it is about no extent.
        schedule: as it was found.
        shrunk: easier to follow, and violates the same rule.
        versions: what it was found with.
        implementation: where the code is in which it was found, as ``module:name``, if it is somebody's own.
    """

    format: int
    scenario: str
    mutant: str | None
    rule: str
    message: str
    host: str
    extent: int | None
    schedule: str
    shrunk: str
    versions: Versions
    implementation: str | None = None


class Failure(NamedTuple):
    """A violation that was found, and what it was found in.

    Attributes:
        description: what was found.
        scenario_text: the scenario file.
    """

    description: Description
    scenario_text: str

    @property
    def scenario(self) -> Scenario:
        """What the text means."""
        return parse_scenario(self.scenario_text)

    @property
    def implementation(self) -> Implementation:
        """The code in which it was found.

        Raises:
            FailureError: it is somebody's own, which does not come with the package.
        """
        name = self.description.mutant
        if self.description.implementation is not None:
            raise FailureError(f"it was found in {self.description.implementation}, which is not known here")
        return Implementation() if name is None else mutant(name).implementation

    @property
    def name(self) -> str:
        """Of its folder: the scenario, what is violated, and what tells it from others of these."""
        told = self.description
        content = "\n".join([self.scenario_text, told.mutant or told.implementation or "", told.shrunk])
        digest = blake2b(content.encode(), digest_size=4).hexdigest()
        return f"{told.scenario}-{told.rule}-{digest}"

    @property
    def command(self) -> str:
        """What replays it, typed in its folder."""
        told = self.description
        files = [] if told.scenario in built_in_names() else [SCENARIO]
        return replay_command(told.shrunk, files, told.mutant, told.implementation)


def failure_of(
    scenario_text: str,
    exploration: Exploration,
    mutant_name: str | None = None,
    own: tuple[str, Implementation] | None = None,
) -> tuple[Failure, Counterexample]:
    """A failure, and the counterexample that explains it, from what an exploration found.

    Args:
        scenario_text: of the file of the scenario that was explored.
        exploration: its result, with a violation.
        mutant_name: of the mutant that was explored; None for the protocol as it is.
        own: somebody's own code that was explored: where it is, as ``module:name``, and the code.

    Raises:
        ScenarioError: the text is no scenario.
        UnknownMutant: there is no such mutant.
        ScheduleError: the exploration is of something else, or nothing was violated in it.
        FailureError: running code does not show it; or the scenario has the name of a built-in one, and is another.
    """
    scenario = parse_scenario(scenario_text)
    if scenario.name in built_in_names() and scenario_text != built_in_text(scenario.name):
        raise FailureError(
            f"{scenario.name!r} is the name of a built-in scenario, which is another one: choose another name"
        )
    path, implementation = own or (None, Implementation())
    if mutant_name is not None:
        implementation = mutant(mutant_name).implementation
    files = [] if scenario.name in built_in_names() else [SCENARIO]
    explained = explain(scenario, exploration, implementation, files, mutant_name, path)
    violation = explained.replay.violation
    if violation is None:
        raise FailureError("the schedule that was found violates nothing on running code")
    found = str(Schedule(scenario.name, exploration.labels))
    versions = Versions(version("shadowshare"), platform.python_version())
    description = Description(
        FORMAT, scenario.name, mutant_name, *violation, found, explained.replay.schedule, versions, path
    )
    return Failure(description, scenario_text), explained


# -- folders -----------------------------------------------------------------------------------------------------


def save_failure(parent: Path, failure: Failure, trace: str) -> Path:
    """Write a failure into a folder of its own.

    Args:
        parent: where the folder goes; it is made if it is not there.
        failure: what to write.
        trace: the steps of the shrunk schedule as people look at them, for ``trace.txt``.

    Returns:
        The folder.

    Raises:
        FailureError: it cannot be written.
    """
    folder = parent / failure.name
    description = msgspec.json.format(msgspec.json.encode(failure.description), indent=2).decode()
    texts = {
        DESCRIPTION: f"{description}\n",
        SCENARIO: failure.scenario_text,
        SCHEDULE: f"{failure.description.shrunk}\n",
        TRACE: trace,
        README: _readme(failure),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise FailureError(f"{folder}: the failure cannot be written: {error.strerror}") from None
    return folder


def _readme(failure: Failure) -> str:
    told = failure.description
    code = "" if told.mutant is None else f", in the protocol with the bug {told.mutant!r}"
    if told.implementation is not None:
        code = f", in {told.implementation}"
    return f"""\
{told.rule} is violated in scenario {told.scenario!r}{code}:
{told.message}

To see it again, in this folder:

    {failure.command}

{TRACE} shows the steps of that schedule, {SCHEDULE} has it alone, and {DESCRIPTION} also has it as it was found,
before it was shrunk. {SCENARIO} is the scenario. It was found with shadowshare {told.versions.shadowshare} on Python
{told.versions.python}. In tests/regressions of the repository, this folder is a test that it does not come back.
"""


def load_failure(folder: Path) -> Failure:
    """Read a failure's folder.

    Raises:
        FailureError: it is none; says what is wrong and where.
    """
    raw = _read(folder / DESCRIPTION, DESCRIPTION_BYTES_MAXIMUM)
    description = _described(folder / DESCRIPTION, raw)
    path = folder / SCENARIO
    try:
        text = _read(path, FILE_BYTES_MAXIMUM).decode()
        scenario = parse_scenario(text)
    except (UnicodeDecodeError, ScenarioError) as error:
        reason = error if isinstance(error, ScenarioError) else "it is not UTF-8 text"
        raise FailureError(f"{path}: {reason}") from None
    if scenario.name != description.scenario:
        raise FailureError(
            f"{folder}: {DESCRIPTION} is about scenario {description.scenario!r}, {SCENARIO} is {scenario.name!r}"
        )
    return Failure(description, text)


def _read(path: Path, size_bytes_maximum: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(size_bytes_maximum + 1)
    except OSError as error:
        raise FailureError(
            f"{path.parent} is no failure: {path.name} cannot be read: {error.strerror}"
        ) from None
    if len(content) > size_bytes_maximum:
        raise FailureError(f"{path}: has more than {size_bytes_maximum} bytes")
    return content


def _described(path: Path, raw: bytes) -> Description:
    """What the file says; its names and schedules are looked at, too."""
    try:
        head = msgspec.json.decode(raw, type=_Head)
        if head.format != FORMAT:
            raise FailureError(f"{path}: this is of format {head.format}; this program reads format {FORMAT}")
        description = msgspec.json.decode(raw, type=Description)
        if description.mutant is not None:
            mutant(description.mutant)
        schedules = [parse_schedule(text) for text in (description.schedule, description.shrunk)]
    except (msgspec.DecodeError, UnicodeDecodeError, UnknownMutant, ScheduleError) as error:
        raise FailureError(f"{path}: {error}") from None
    for schedule in schedules:
        if schedule.scenario != description.scenario:
            raise FailureError(
                f"{path}: a schedule is of scenario {schedule.scenario!r}, the failure of {description.scenario!r}"
            )
    return description


class _Head(msgspec.Struct):
    """As much as every version of the format has."""

    format: int


# -- seeing that it is gone --------------------------------------------------------------------------------------


class Recheck(NamedTuple):
    """Whether a failure is still there.

    Attributes:
        state: ``violated`` if it, or another violation, is there; ``gone`` if it is not; ``unknown`` if that is not
            known.
        reason: how that is known, or why it is not.
    """

    state: Literal["violated", "gone", "unknown"]
    reason: str


def recheck(
    failure: Failure, implementation: Implementation | None = None, budget: Budget | None = None
) -> Recheck:
    """Look whether a failure is gone.

    Its schedules are run again. If nothing is violated, but one does not fit any more, or ends while operations are in
    flight, that shows little, and the whole scenario is explored.

    Args:
        failure: what was found once.
        implementation: the protocol code under test; the real one by default.
        budget: for exploring; without, what a search takes by default.
    """
    scenario = failure.scenario
    schedules = [failure.description.shrunk, failure.description.schedule]
    is_over = [
        _replays_to_the_end(scenario, parse_schedule(text).labels, implementation) for text in schedules
    ]
    violation = next((found for found in is_over if isinstance(found, Violation)), None)
    if violation is not None:
        return Recheck("violated", f"{violation.rule}: {violation.message}")
    if all(is_over):
        return Recheck("gone", "nothing is violated in its schedules")
    found = explore(scenario, implementation, budget)
    if found.violation is not None:
        schedule = Schedule(scenario.name, found.labels)
        return Recheck("violated", f"{found.violation.rule}: {found.violation.message}, in {schedule}")
    if found.verdict == "verified":
        return Recheck("gone", "nothing is violated in any schedule of the scenario")
    return Recheck("unknown", found.reason)


def _replays_to_the_end(
    scenario: Scenario, labels: Sequence[str], implementation: Implementation | None
) -> Violation | bool:
    """What a schedule violates; if nothing, whether it still fits and brings everything to its end."""
    try:
        replayed = replay(scenario, labels, implementation)
    except ScheduleError:
        return False
    return replayed.violation or replayed.is_over
