"""Wakeup trees: which sequences of events are to be run from a state, in which order.

Of Abdulla, Aronis, Jonsson, Sagonas: Source Sets: A Foundation for Optimal Dynamic Partial Order Reduction, JACM 64(4),
2017, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.verify.exploration.traces import Event


class WakeupTree:
    """Sequences of events: one for each way from here to a leaf, the first ones first.

    Args:
        event: that leads here; None at the root.
    """

    __slots__ = ("branches", "event")

    def __init__(self, event: Event | None = None) -> None:
        self.event = event
        self.branches: list[WakeupTree] = []

    def insert(self, sequence: Sequence[Event]) -> bool:
        """See to it that a sequence will be run, unless one in the tree will lead to all that it leads to.

        As much of it as possible is shared with what is in the tree: a branch is followed if its event can come first
        in what is left of the sequence, or depends on nothing in it. What is left then becomes a branch behind the
        others; if a leaf was reached, which stands for everything that can go on from there, nothing does.

        Returns:
            Whether the tree changed.
        """
        tree, rest = self, list(sequence)
        while rest:
            for branch in tree.branches:
                left = branch.left_of(rest)
                if left is not None:
                    tree, rest = branch, left
                    break
            else:
                if tree.event is not None and not tree.branches:
                    return False
                tree.add(rest)
                return True
        return False

    def left_of(self, sequence: list[Event]) -> list[Event] | None:
        """What is left of a sequence where the event that leads here came first; None if that is another sequence."""
        event = self.event
        assert event is not None
        for position, other in enumerate(sequence):
            if other.lane == event.lane:
                return sequence[:position] + sequence[position + 1 :]
            if other.depends_on(event):
                return None
        return sequence

    def add(self, sequence: Sequence[Event]) -> None:
        """Add a sequence as a branch behind the others."""
        tree = self
        for event in sequence:
            tree.branches.append(WakeupTree(event))
            tree = tree.branches[-1]
