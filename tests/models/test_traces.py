"""Traces: what is written is read again; hostile input is one error with its line; a real recording replays."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.workloads.blkparse import as_blkparse, read_blkparse
from shadowshare.models.workloads.errors import TraceError, WorkloadError
from shadowshare.models.workloads.fio_iolog import as_fio_iolog, read_fio_iolog
from shadowshare.models.workloads.msr_cambridge import as_msr_cambridge, read_msr_cambridge
from shadowshare.models.workloads.replay import Replay, read_trace
from shadowshare.models.workloads.trace import Reader, TraceRequest, numbered
from shadowshare.sim.timed.workload import HostRequest
from tests.repository.tree import ROOT

RECORDED = ROOT / "examples" / "traces" / "sqlite-on-ext4.blkparse"


def requests(verbs: list[str], unit_ns: int, unit_bytes: int) -> st.SearchStrategy[list[TraceRequest]]:
    """Requests whose times do not go backwards."""
    steps = st.tuples(
        st.integers(0, 10**9), st.sampled_from(verbs), st.integers(0, 2**40), st.integers(1, 2**20)
    )

    def accumulate(drawn: list[tuple[int, str, int, int]]) -> list[TraceRequest]:
        now, made = 0, []
        for number, (gap, verb, offset, length) in enumerate(drawn):
            now += gap * unit_ns if number else 0
            place = (0, 0) if verb == "flush" else (offset * unit_bytes, length * unit_bytes)
            made.append(TraceRequest(now, verb, *place))
        return made

    return st.lists(steps, max_size=30).map(accumulate)


def read_lines(reader: Reader, lines: Iterator[str], device: str | None = None) -> list[TraceRequest]:
    return list(reader(iter(enumerate(lines, start=1)), device))


@given(requests(["read", "write", "discard", "flush"], 1000, 1), st.sampled_from([2, 3]))
def test_an_iolog_is_read_as_it_was_written(made: list[TraceRequest], version: int) -> None:
    assert read_lines(read_fio_iolog, as_fio_iolog(made, version, "a file")) == made


@given(requests(["read", "write", "discard", "flush"], 1, 512))
def test_blkparse_is_read_as_it_was_written(made: list[TraceRequest]) -> None:
    assert read_lines(read_blkparse, as_blkparse(made)) == made


@given(requests(["read", "write"], 100, 1))
def test_msr_cambridge_is_read_as_it_was_written(made: list[TraceRequest]) -> None:
    assert read_lines(read_msr_cambridge, as_msr_cambridge(made)) == made


def test_real_lines_of_fio() -> None:
    """As fio 3.33 wrote them."""
    text = "fio version 3 iolog\n18 /t/f add\n114 /t/f open\n121 /t/f read 61440 4096\n301318 /t/f write 491520 4096\n"
    text += "301319 /t/f datasync 0 0\n501548 /t/f close\n"
    assert list(read_fio_iolog(numbered(io.BytesIO(text.encode())), None)) == [
        TraceRequest(121_000, "read", 61440, 4096),
        TraceRequest(301_318_000, "write", 491520, 4096),
        TraceRequest(301_319_000, "flush", 0, 0),
    ]


def test_real_lines_of_msr_cambridge() -> None:
    lines = [
        "128166372003061629,usr,0,Read,7014609920,24576,41286",
        "128166372016382155,usr,0,Write,2657792,512,1963",
    ]
    assert read_lines(read_msr_cambridge, iter(lines)) == [
        TraceRequest(0, "read", 7014609920, 24576),
        TraceRequest(1_332_052_600, "write", 2657792, 512),
    ]


def test_flushes_and_forced_unit_access_of_blkparse() -> None:
    lines = [
        "  8,0    3        1     0.000000000   697  Q FWFSM 184 + 8 [jbd2/sda1-8]",
        "  8,0    3        2     0.000000500   697  G FWFSM 184 + 8 [jbd2/sda1-8]",
        "  8,0    1        3     1.000000001   697  Q FWS [sqlite3]",
        "  8,0    1        4     2.000000000   697  m   N cfq697 something",
        "  8,0    1        5     3.000000000   697  Q   D 8 + 16 [fstrim]",
        "CPU0 (8,0):",
        " Reads Queued: 0, 0KiB",
    ]
    assert read_lines(read_blkparse, iter(lines)) == [
        TraceRequest(0, "flush", 0, 0),
        TraceRequest(0, "write", 184 * 512, 4096),
        TraceRequest(0, "flush", 0, 0),
        TraceRequest(1_000_000_001, "flush", 0, 0),
        TraceRequest(3_000_000_000, "discard", 4096, 8192),
    ]


def test_of_several_devices_one_must_be_named() -> None:
    lines = ["1,a,0,Read,0,512,1", "2,b,0,Read,512,512,1", "3,a,0,Read,1024,512,1"]
    assert [request.offset for request in read_lines(read_msr_cambridge, iter(lines), "a.0")] == [0, 1024]
    with pytest.raises(TraceError, match=r"line 2: a second device, 'b.0', after 'a.0'"):
        read_lines(read_msr_cambridge, iter(lines))


# -- hostile input -----------------------------------------------------------------------------------------------

IOLOG = "fio version 3 iolog\n0 f add\n5 f read 0 512\n"
BLKPARSE = "8,0 0 1 0.000000000 1 Q R 8 + 8 [x]\n"
MSR = "1,a,0,Read,0,512,1\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("hello\n", "line 1: this is no trace"),
        (IOLOG + "6 f read 0\n", "line 4: must be 'FILE ACTION"),
        (IOLOG + "6 f jump 0 1\n", "line 4: the action must be one of read"),
        (IOLOG + "x f read 0 1\n", "line 4: the timestamp must be"),
        (IOLOG + "6 f read -1 1\n", "line 4: the offset must be"),
        (IOLOG + f"6 f read 0 {10**30}\n", "line 4: the length must be"),
        (IOLOG + f"6 f read {2**63 - 1} 1\n", "line 4: 1 bytes at .* end beyond"),
        (BLKPARSE + "8,0 0 1\n", "line 2: must be 'DEVICE"),
        (BLKPARSE + "nonsense\n", "line 2: must begin with a device"),
        (BLKPARSE + "8,0 0 1 0.1 1 Q R 8 + 8 [x]\n", "line 2: the time must be seconds"),
        (BLKPARSE + "8,0 0 1 0.000000000 1 Q r 8 + 8 [x]\n", "line 2: letters such as R"),
        (BLKPARSE + "8,0 0 1 0.000000000 1 Q R x + 8 [x]\n", "line 2: the sector must be"),
        (BLKPARSE + "8,1 0 1 0.000000000 1 Q R 8 + 8 [x]\n", "line 2: a second device, '8,1'"),
        (MSR + "1,a,0,Read,0\n", "line 2: must have 7 fields"),
        (MSR + "1,a,0,Erase,0,1,1\n", "line 2: the type must be Read or Write"),
        (MSR + "1,a,0,Read,0,1,1.5\n", "line 2: the response time must be"),
        (MSR + "9" * 5000, "line 2: it has more than 4096"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TraceError, match=words) as caught:
        list(read_trace(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("head", [IOLOG, "fio version 2 iolog\n", BLKPARSE, MSR, ""])
@given(tail=st.binary(max_size=300) | st.text("0123456789,. QRWDF+\n-", max_size=300).map(str.encode))
def test_anything_is_a_trace_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, head: str, tail: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(head.encode() + tail)
    with contextlib.suppress(TraceError):
        for request in read_trace(path):
            assert request.verb in ("read", "write", "discard", "flush")
            assert request.offset >= 0
            assert request.offset + request.length < 1 << 63


class Endless(io.BytesIO):
    """A file with one line that never ends."""

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 < size < 10_000
        return b"1" * size


def test_a_line_without_end_is_not_read_whole() -> None:
    with pytest.raises(TraceError, match="line 1: it has more than"):
        list(numbered(Endless()))


def test_a_long_trace_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "long.csv.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(f"{number},a,0,Read,{number * 512},512,1\n" for number in range(30_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_trace(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 30_000
    assert peak < 1_000_000


def test_a_damaged_compressed_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "trace.gz"
    path.write_bytes(gzip.compress(MSR.encode() * 2000)[:-20])
    with pytest.raises(TraceError, match="compressed file is damaged"):
        list(read_trace(path))
    with pytest.raises(TraceError, match="No such file"):
        list(read_trace(tmp_path / "none"))


# -- replay ------------------------------------------------------------------------------------------------------


def replayed(replay: Replay, volume_bytes: int = 64 << 20) -> list[HostRequest]:
    return list(replay.requests(np.random.default_rng(1), volume_bytes, 4096))


def test_the_recorded_trace_replays_as_it_was_recorded() -> None:
    recorded = list(read_trace(RECORDED))
    verbs = [request.verb for request in recorded]
    assert verbs.count("write") > 500
    assert verbs.count("flush") > 100
    assert verbs.count("read") >= 5
    assert max(request.offset + request.length for request in recorded) <= 64 << 20
    again = replayed(Replay(str(RECORDED)))
    assert [one[1] for one in again] == verbs
    assert sum(one[0] for one in again) == recorded[-1].time_ns - recorded[0].time_ns
    assert [one[2:4] for one in again] == [(one.offset, one.length) for one in recorded]


def test_speed_passes_and_small_volumes() -> None:
    once = replayed(Replay(str(RECORDED)))
    fast = replayed(Replay(str(RECORDED), speed=4.0))
    assert sum(one[0] for one in fast) == pytest.approx(sum(one[0] for one in once) / 4, rel=1e-3)
    assert {one[0] for one in replayed(Replay(str(RECORDED), speed=0.0))} == {0}
    assert len(replayed(Replay(str(RECORDED), pass_count=2))) == 2 * len(once)
    small = replayed(Replay(str(RECORDED)), 1 << 20)
    assert len(small) == len(once)
    assert all(one.offset + one.length <= 1 << 20 for one in small)
    assert all(one.length > 0 for one in small if one.verb != "flush")


def test_only_some_verbs_are_replayed_at_their_times() -> None:
    everything, at_ns = [], 0
    for request in replayed(Replay(str(RECORDED))):
        at_ns += request.gap_ns
        everything.append((at_ns, request.verb, request.offset))
    reads, at_ns = [], 0
    for request in replayed(Replay(str(RECORDED), verbs=("read",))):
        at_ns += request.gap_ns
        reads.append((at_ns, request.verb, request.offset))
    expected = [one for one in everything if one[1] == "read"]
    assert 0 < len(expected) < len(everything)
    assert [one[1:] for one in reads] == [one[1:] for one in expected]
    first = expected[0][0]
    assert [one[0] for one in reads] == [one[0] - first for one in expected]


@pytest.mark.parametrize("options", [{"speed": -1.0}, {"client_count": 0}, {"pass_count": -1}])
def test_what_cannot_be_replayed_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(WorkloadError, match=next(iter(options))):
        Replay("x", **options)  # type: ignore[arg-type]


def test_the_readme_tells_how_it_was_recorded() -> None:
    text = (RECORDED.parent / "README.md").read_text(encoding="utf-8")
    assert re.search(r"record\.sh.*as root", text)
    assert (RECORDED.parent / "record.sh").exists()
