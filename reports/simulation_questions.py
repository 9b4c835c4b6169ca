"""What simulations can be asked, and which figures answer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Figure(NamedTuple):
    """A figure that is part of an answer.

    Attributes:
        heading: of its column in a table.
        curve: of its curve in a figure.
        factor: what it is multiplied by to be in the question's unit.
    """

    heading: str
    curve: str
    factor: float = 1.0


class Question(NamedTuple):
    """A question.

    Attributes:
        words: what is asked: the title of a figure.
        unit: of what is drawn.
        figures: that answer it, by name; none if the answer is the distributions of latency.
    """

    words: str
    unit: str
    figures: Mapping[str, Figure]


QUESTIONS: Mapping[str, Question] = {
    "throughput": Question(
        "How many requests are served?",
        "per second",
        {
            "active.write.per_second": Figure("writes/s", "writes"),
            "passives.read.per_second": Figure("reads/s", "reads of passives"),
        },
    ),
    "latency": Question(
        "How long does a request take?",
        "mean, us",
        {
            "active.write.latency_mean": Figure("write us", "writes", 1e6),
            "passives.read.latency_mean": Figure("read us", "reads of passives", 1e6),
        },
    ),
    "tail": Question(
        "How long do the slowest 1 % of requests take, at least?",
        "99 % quantile, us",
        {
            "active.write.latency_p99": Figure("write p99 us", "writes", 1e6),
            "passives.read.latency_p99": Figure("read p99 us", "reads of passives", 1e6),
        },
    ),
    "copying": Question(
        "What does copying on write cost?",
        "times what it is without shadow copies",
        {
            "active.write.latency_mean_ratio": Figure("times no copy", "mean latency of writes"),
            "active.write.latency_p99_ratio": Figure("p99 times", "their 99 % quantile"),
        },
    ),
    "recheck": Question(
        "How often does the re-check save a read?",
        "of 1000 reads",
        {"passives.recheck_saved_per_read": Figure("saved/1000 reads", "reads saved", 1e3)},
    ),
    "extra-reads": Question(
        "How many reads of the disk does one read of a passive take?",
        "for each read",
        {
            "passives.data_operations_per_read": Figure("data/read", "of data"),
            "passives.journal_operations_per_read": Figure("journal/read", "of the journal"),
        },
    ),
    "area": Question(
        "How full is the differential area?",
        "% of its slots",
        {"active.slots_used_share": Figure("slots used %", "slots in use at the end", 100.0)},
    ),
    "journal": Question(
        "How fast does the journal grow?",
        "per second",
        {
            "active.journal_blocks_per_second": Figure("blocks/s", "journal blocks"),
            "active.copies_per_second": Figure("copies/s", "copies"),
        },
    ),
    "amplification": Question(
        "How much is written for each byte?",
        "bytes",
        {"active.write_amplification": Figure("amplification", "bytes written")},
    ),
    "devices": Question(
        "How busy are the devices?",
        "% of the time",
        {
            "device.0.utilisation": Figure("busy %", "of the first device", 100.0),
            "device.1.utilisation": Figure("2nd busy %", "of the second device", 100.0),
        },
    ),
    "fail-over": Question(
        "How long does a fail-over take?",
        "ms",
        {
            "active.recover.latency_mean": Figure(
                "fail-over ms", "from the crash until another host serves", 1e3
            )
        },
    ),
    "distribution": Question(
        "How are latencies distributed, with and without shadow copies?", "latency, us", {}
    ),
}

IN_TABLE = (
    "active.write.per_second",
    "active.write.latency_mean",
    "active.write.latency_mean_ratio",
    "active.write.latency_p99",
    "active.write_amplification",
    "passives.read.per_second",
    "passives.read.latency_mean",
    "passives.read.latency_p99",
    "passives.recheck_saved_per_read",
    "device.0.utilisation",
)
"""What the table shows if nothing particular is asked."""

IN_FIGURE = ("throughput", "latency", "recheck")
"""What is drawn of a sweep if nothing particular is asked."""

FIGURES: Mapping[str, Figure] = {
    name: figure for question in QUESTIONS.values() for name, figure in question.figures.items()
}
