"""What is printed is what is read; what cannot be a schedule is refused with the part that is wrong."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.sim.schedule import STEP_COUNT_MAXIMUM, Schedule, ScheduleError, parse_schedule

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
LABELS = st.one_of(
    st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,4}(\.[A-Za-z0-9]{1,3})?[!~]?", fullmatch=True),
    st.sampled_from(["W", "R", "W.1", "crash.W", "power", "keep.0", "late.2", "W!", "R~", "W.3!"]),
)


@given(NAMES, st.lists(LABELS, max_size=30))
def test_round_trip(scenario: str, labels: list[str]) -> None:
    schedule = Schedule(scenario, tuple(labels))
    assert parse_schedule(str(schedule)) == schedule
    assert parse_schedule(f"  {schedule}\n") == schedule


@given(NAMES, st.lists(st.sampled_from(["W", "R"]), max_size=40))
def test_repetitions_are_counted_whole(scenario: str, labels: list[str]) -> None:
    steps = str(Schedule(scenario, tuple(labels))).split("/")[2]
    items = [item.partition("*")[0] for item in steps.split(",") if item]
    assert all(one != other for one, other in pairwise(items))


def test_it_reads_as_documented() -> None:
    schedule = parse_schedule("s1/slot-reuse/W*3,R,W.1,power,keep.0")
    assert schedule == Schedule("slot-reuse", ("W", "W", "W", "R", "W.1", "power", "keep.0"))
    assert str(schedule) == "s1/slot-reuse/W*3,R,W.1,power,keep.0"


def test_a_schedule_may_have_no_steps() -> None:
    assert str(parse_schedule("s1/slot-reuse/")) == "s1/slot-reuse/"


MALFORMED = {
    "": "SCENARIO/STEPS",
    "s1": "SCENARIO/STEPS",
    "s1/slot-reuse": "SCENARIO/STEPS",
    "s1/slot-reuse/W/R": "SCENARIO/STEPS",
    "s2/slot-reuse/W": "version 's2'",
    "/slot-reuse/W": "version ''",
    "S1/slot-reuse/W": "version 'S1'",
    "s1//W": "'' in the schedule is not the name",
    "s1/Slot/W": "'Slot' in the schedule",
    "s1/-slot/W": "'-slot' in the schedule",
    "s1/slot reuse/W": "'slot reuse' in the schedule",
    "s1/slot\n/W": "in the schedule is not the name",
    "s1/slot/W R": "step 'W R'",
    "s1/slot/1": "step '1'",
    "s1/slot/W.": "step 'W.'",
    "s1/slot/W.1.2": "step 'W.1.2'",
    "s1/slot/W!~": "step 'W!~'",
    "s1/slot/!": "step '!'",
    "s1/slot/R,W*": r"step 'W\*'",
    "s1/slot/W*0": r"step 'W\*0'",
    "s1/slot/W*-1": r"step 'W\*-1'",
    "s1/slot/W*1.5": r"step 'W\*1.5'",
    "s1/slot/W*01": r"step 'W\*01'",
    "s1/slot/W*2*2": r"step 'W\*2\*2'",
    "s1/slot/*2": r"step '\*2'",
    "s1/slot/W*123456789": "step 'W",
    "s1/slot/W*\u0661": "step 'W",
    "s1/slot/Ω": "step 'Ω'",
    f"s1/slot/R,W*{STEP_COUNT_MAXIMUM}": f"more than {STEP_COUNT_MAXIMUM} steps",
}


@pytest.mark.parametrize(("text", "message"), MALFORMED.items(), ids=map(repr, MALFORMED))
def test_what_is_malformed_is_refused(text: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        parse_schedule(text)


@given(st.text(alphabet="s12/-.,*!~WRabc \n", max_size=25))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = parse_schedule(text)
    except ScheduleError:
        return
    assert parse_schedule(str(schedule)) == schedule
