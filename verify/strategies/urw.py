"""Uniform random walk over interleavings, by the events that remain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.strategies.threads import Thread, ThreadSampler


class UniformInterleavings(ThreadSampler):
    """The thread that goes on is drawn with a probability in proportion to the events that it still has.

    The base of SURW ("Selectively Uniform Concurrency Testing", ASPLOS 2025). If each thread has the same number of
    events in every schedule, that number is known, and no thread ever has to wait for another one, then every
    interleaving of the threads has the same probability: with counts n1, n2, ... that is n1! n2! ... / (n1+n2+...)!,
    however far apart the steps are that a violation needs. (A walk with uniform choices prefers
    interleavings in which one thread is done long before the others.)

    Here the count of a thread is its average in random schedules in which nothing cuts it short. Where the number
    varies, because what a thread reads makes its way longer, or because a crash ends it, and where threads wait for
    others, the distribution is near uniform as far as the counts are near the truth. A thread that goes on beyond
    its count keeps the weight of what was left last, at most one event. Crashes, late writes and errors are threads
    (`shadowshare.verify.strategies.threads`).
    """

    name = "urw"

    def begin(self, product: Product) -> None:
        """Every event remains."""
        self._left = dict(self.event_counts)

    def choose_thread(self, threads: Mapping[Thread, Sequence[Move]]) -> Thread:
        """In proportion to the events left."""
        left = self._left
        total = 0.0
        for thread in threads:
            total += left.get(thread, 1)
        point = self.random.random() * total
        chosen: Thread = None
        for chosen in threads:
            point -= left.get(chosen, 1)
            if point < 0:
                break
        if left.get(chosen, 1) > 1:
            left[chosen] -= 1
        return chosen

    def remark(self, product: Product) -> str:
        """What is uniform, and by which counts."""
        return (
            f"drawn near uniformly from the interleavings of {self.thread_count} threads with some "
            f"{sum(self.event_counts.values()):.0f} events; {super().remark(product)}"
        )
