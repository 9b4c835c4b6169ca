"""A checkpoint that says something else than the journal is found as soon as it may be loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.checkpoint import checkpoint_records
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Checkpoint, Copied, Created, Record, Settings, ShadowCopyId
from shadowshare.protocol.policy import Policy
from shadowshare.protocol.recovery import Recovery
from shadowshare.protocol.turnover import Part, Turnover
from shadowshare.verify.explorer import explore
from shadowshare.verify.rules.checkpoints import completes_checkpoint
from tests.verify.programs import small

SCENARIO = small(
    'W = ["write 0", "write 1"]\nR = ["read s 0 1"]', extra="[store]\nslots = 4\nhalf_blocks = 4"
)


def _later(record: Record) -> Record:
    return record._replace(created_ns=0) if isinstance(record, Created) else record


def _elsewhere(record: Record) -> Record:
    return record._replace(slot=record.slot + 1) if isinstance(record, Copied) else record


def _nothing(record: Record) -> Record | None:
    return None if isinstance(record, Copied) else record


def _a_policy_instead(record: Record) -> Record:
    return Settings(Policy.INVALIDATE, 0) if isinstance(record, Copied) else record


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_later, "times of creation"),
        (_elsewhere, "slots of copies"),
        (_nothing, "slots of copies"),
        (_a_policy_instead, "slots of copies"),
    ],
)
def test_each_fact_that_changes_is_a_violation(change: Callable[[Record], Record | None], words: str) -> None:
    class Changing(Turnover):
        def _parts(self, generation: int, part_count: int) -> Iterator[Part]:
            appender = self._appender
            cursor = appender.follower.cursor
            changed = [change(record) for record in checkpoint_records(appender.follower.view)]
            records = iter([record for record in changed if record is not None])
            contents = (Checkpoint(1, 1), *islice(records, appender.budget.records_per_part))
            sector = self._geometry.block_sector(generation, 0)
            block, raw = appender.encode(sector, generation, cursor.sequence + 1, cursor.checksum, contents)
            yield Part(sector, block, raw)

    class Appender(JournalAppender):
        turnover_class = Changing

    class Taking(Recovery):
        appender_class = Appender

    violation = explore(SCENARIO, Implementation(Taking)).violation
    assert violation is not None
    assert violation.rule == "checkpoint"
    assert words in violation.message


def test_the_real_one_changes_nothing() -> None:
    assert explore(SCENARIO).verdict == "verified"


def test_only_the_last_part_completes_it() -> None:
    created = Created(ShadowCopyId(1, 1), 0)
    assert completes_checkpoint((Checkpoint(2, 2), created))
    assert not completes_checkpoint((Checkpoint(1, 2), created))
    assert not completes_checkpoint((created,))
    assert not completes_checkpoint(())
