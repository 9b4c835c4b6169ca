"""What is in flight in a world, what else may happen, and the entries of a trace."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from shadowshare.protocol.operations import Operation

Answer = Any
"""What the device gave back."""


class Flight:
    """A piece of an operation that is in flight, and may take effect next."""

    __slots__ = ("host", "label", "operation", "piece", "task")

    def __init__(self, host: int, task: int, piece: int, operation: Operation, label: str) -> None:
        self.host = host
        self.task = task
        self.piece = piece
        self.operation = operation
        self.label = label

    def identity(self) -> tuple[object, ...]:
        """Equal for flights that will have the same effects."""
        return (self.host, self.task, self.piece, self.operation.identity())

    def with_operation(self, operation: Operation) -> Flight:
        """The same with another operation."""
        return Flight(self.host, self.task, self.piece, operation, self.label)


class Gathering:
    """The answers so far to a request that takes effect in several pieces."""

    __slots__ = ("answers", "is_single", "piece_counts")

    def __init__(self, piece_counts: list[int], is_single: bool) -> None:
        self.piece_counts = piece_counts
        self.is_single = is_single
        self.answers: dict[int, Answer] = {}

    def joined(self) -> Any:
        """The answer to the request: that of its one operation, or the list of those of its operations."""
        pieces = [self.answers[piece] for piece in range(len(self.answers))]
        answers, first = [], 0
        for piece_count in self.piece_counts:
            answers.append(_joined(pieces[first : first + piece_count]))
            first += piece_count
        return answers[0] if self.is_single else tuple(answers)

    def key(self) -> Hashable:
        """The answers so far."""
        return tuple(sorted(self.answers.items()))

    def fork(self) -> Gathering:
        """An independent copy."""
        copy = Gathering(self.piece_counts, self.is_single)
        copy.answers = dict(self.answers)
        return copy


def _joined(pieces: Sequence[Answer]) -> Answer:
    """The answer to an operation whose pieces were answered so: its first error, its data, or None."""
    if len(pieces) == 1:
        return pieces[0]
    for piece in pieces:
        if isinstance(piece, Exception):
            return piece
    if isinstance(pieces[0], tuple):
        return tuple(chain.from_iterable(pieces))
    return None if pieces[0] is None else b"".join(piece for piece in pieces if isinstance(piece, bytes))


class Strike(NamedTuple):
    """How a fault strikes a flight: the number of its budget in the rules, and the mark of the way."""

    budget: int
    mark: str


class Happening(NamedTuple):
    """A choice that is no plain effect of a flight."""

    label: str
    kind: str
    """crash, power, keep, late, or fault."""
    subject: Any
    """Which host crashes; what is decided; or the flight that lands late, or that a fault strikes."""
    fault: Strike | None = None
    """How a fault strikes."""


Choice = Flight | Happening


class Step(NamedTuple):
    """One entry of a trace."""

    label: str
    host: int | None
    operation: Operation | None
    answer: Answer
    reports: tuple[Any, ...]
