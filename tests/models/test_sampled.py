"""A sampled model draws from the right class, scaled to the size of the request."""

from __future__ import annotations

import numpy as np
import pytest

from shadowshare.models.latency.built_in import VIRTUAL_NVME_READ, VIRTUAL_NVME_WRITE
from shadowshare.models.latency.distributions import Constant
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.goodness import goodness_of_fit
from shadowshare.models.latency.sampled import Sampled, SizeClass
from shadowshare.protocol.operations import Discard, Flush, Read, Reserve, Write, WriteZeroes
from tests.models.latencies import served

SIZES = Sampled(
    read=(SizeClass(Constant(400.0), 65536), SizeClass(Constant(100.0), 4096)),
    write=(SizeClass(Constant(10.0), 0),),
    flush=(SizeClass(Constant(1.0)),),
)


def test_each_verb_has_its_distribution() -> None:
    model = Sampled.of(VIRTUAL_NVME_READ, VIRTUAL_NVME_WRITE)
    reads = served(model, [Read(0, 0, 8)] * 10_000)
    writes = served(model, [Write(0, 0, 8, bytes(4096))] * 10_000)
    assert goodness_of_fit(reads, VIRTUAL_NVME_READ).ks_distance < 0.02
    assert goodness_of_fit(writes, VIRTUAL_NVME_WRITE).ks_distance < 0.02
    assert goodness_of_fit(writes, VIRTUAL_NVME_READ).ks_distance > 0.1


@pytest.mark.parametrize(
    ("sector_count", "latency_us"),
    [(1, 100), (8, 100), (128, 400), (68, 250), (248, 700)],
)
def test_means_lie_on_the_line_through_the_classes(sector_count: int, latency_us: int) -> None:
    assert served(SIZES, [Read(0, 0, sector_count)]).tolist() == [latency_us * 1000]


def test_verbs_that_nobody_measures_take_the_time_of_others() -> None:
    operations = [WriteZeroes(0, 0, 8), Discard(0, 0, 8), Reserve(0), Flush(0)]
    assert served(SIZES, operations).tolist() == [10_000, 10_000, 1000, 1000]


def test_what_was_not_measured_is_an_error_that_says_so() -> None:
    with pytest.raises(ModelError, match="no latencies of write operations"):
        served(Sampled((SizeClass(Constant(1.0)),)), [Write(0, 0, 1, bytes(512))])


def test_the_same_seed_draws_the_same() -> None:
    model, operations = Sampled.of(VIRTUAL_NVME_READ), [Read(0, 0, 8), Flush(0)] * 50
    assert served(model, operations, 4).tolist() == served(model, operations, 4).tolist()
    assert served(model, operations, 4).tolist() != served(model, operations, 5).tolist()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sampled(()), "read: there must be"),
        (lambda: Sampled((SizeClass(Constant(1.0)),) * 2), "same size_bytes"),
        (
            lambda: Sampled(
                (SizeClass(Constant(1.0)),), (), tuple(SizeClass(Constant(1.0), n) for n in (0, 1))
            ),
            "no size",
        ),
        (lambda: SizeClass(Constant(1.0), -1), "size_bytes"),
    ],
)
def test_what_cannot_be_is_refused(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        make()


def test_a_draw_is_cheap_compared_with_drawing_one_by_one() -> None:
    """Batches: a thousand draws ask the generator for numbers a few times, not a thousand times."""

    class Counting(np.random.Generator):
        call_count = 0

        def standard_normal(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
            Counting.call_count += 1
            return super().standard_normal(*arguments, **options)  # type: ignore[call-overload]

    service_time = Sampled.of(VIRTUAL_NVME_READ).start(Counting(np.random.PCG64(1)), 512, 1024)
    operation = Read(0, 0, 8)
    for _ in range(4000):
        service_time(operation, 0)
    assert Counting.call_count == 1
