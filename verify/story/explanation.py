"""Why a schedule went wrong, in a few plain sentences that name the steps.

For a wrong sector of a shadow copy the way of the wrong bytes is followed back: from the answer to the read that got
them, to the write that put them there; and it is asked what should have stopped them: the journal block that names the
copy, and the reader's look at the journal. What is said rests on what happened before what
(`shadowshare.verify.counterexamples.happens_before`), not on the protocol's own opinion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shadowshare.models.patterns import INITIAL, origin_of
from shadowshare.sim.schedule import kind_of
from shadowshare.verify.rules.evidence import Evidence
from shadowshare.verify.story.case import (
    Case,
    changes_of,
    changes_of_extent,
    copies_of,
    creation_of,
    deletion_of,
    end_of_block,
    last_change,
    looks_of,
    where_read,
    written_by,
)
from shadowshare.verify.story.holdings import Holding

RULES = {
    "image": "A read of a shadow copy must return what the volume held when the shadow copy was created, byte by byte.",
    "identity": "A shadow copy's id is never given twice.",
    "existence": "A shadow copy is there, and has its image, from its acknowledged creation until its deletion is "
    "requested, or the store's policy lets it give way.",
    "changes": "A list of changed extents has all that differ, and none that nobody wrote.",
    "live": "The volume holds each acknowledged write until a later one.",
    "checkpoint": "A checkpoint says what the journal said before it, all of it, and nothing else.",
    "settings": "A policy, or a number of slots, that was acknowledged stays until the next one.",
    "place": "An active writes within the volume, or within one part of the differential area.",
    "fence": "Nothing that a host wrote lands once another one has taken over: recovery fences it.",
    "read-only": "A passive only reads the disk. It writes nothing.",
    "error": "No step may end with an error that the scenario does not allow.",
    "progress": "No task may wait for ever.",
    "liveness": "A host that is left alone finishes within a stated number of steps; nothing goes on for ever.",
    "stopped": "An active whose flush failed does not know what is durable, and carries out nothing more.",
}
"""What each rule of the oracle asks for; those of tasks say it themselves."""

_WRITER = re.compile(r"([A-Z][A-Za-z]*) ('.*') \(.*\)")


class Explanation(NamedTuple):
    """Why it went wrong.

    Attributes:
        sentences: in the order in which they are to be read; "step 3" is the number of a step.
        way: numbers of the steps by which the wrong bytes came: written, read, returned.
        told: number of the step that told of the change, for who would look; None if there is none.
    """

    sentences: tuple[str, ...]
    way: tuple[int, ...] = ()
    told: int | None = None


def explain_violation(case: Case) -> Explanation:
    """Say why something is violated."""
    rule = RULES.get(case.violation.rule, "")
    if case.evidence is None or case.evidence.shadow_copy is None:
        at = "At the end" if case.violated_at is None else f"At step {case.violated_at}"
        message = case.violation.message.rstrip(".")
        return Explanation(tuple(filter(None, [rule, f"{at}: {message}.", *_faults(case)])))
    if case.violated_at is None or case.holding is None or not case.holding.step:
        return _explain_audit(case, case.evidence)
    return _explain_read(case, case.evidence, case.violated_at, case.holding)


def content_words(content: bytes) -> str:
    """What a sector holds, for a sentence: ``what W wrote into sector 0 ('write 0')``."""
    origin, of, sector = origin_of(content).partition(" of sector ")
    if not of:
        return origin
    if origin == INITIAL:
        return f"the initial content of sector {sector}"
    found = _WRITER.fullmatch(origin)
    return f"what {found[1]} wrote into sector {sector} ({found[2]})" if found else origin


# -- a wrong sector of a shadow copy, that a passive read --------------------------------------------------------


def _explain_read(case: Case, evidence: Evidence, violated_at: int, holding: Holding) -> Explanation:
    extent, shadow_copy = evidence.sector // case.geometry.extent_sectors, evidence.shadow_copy
    assert shadow_copy is not None
    read_at, is_slot = holding.step, holding.place != "volume"
    device, sector = where_read(case, holding)
    written_at = last_change(case, device, sector, read_at)
    copies = copies_of(case, extent, shadow_copy)
    freed_at = deletion_of(case, shadow_copy, read_at) if is_slot else None
    answer = (
        f"At step {violated_at} {case.violation.host} returns, for extent {extent} of shadow copy {shadow_copy}, "
        f"{content_words(evidence.got)}. {_must_be(evidence)}"
    )
    sentences = [answer]
    if is_slot:
        sentences += _from_slot(case, holding, evidence, written_at, freed_at)
    else:
        sentences += _from_volume(case, holding, evidence, written_at)
    told = [freed_at] if freed_at is not None else [] if is_slot else copies
    if is_slot or not _is_lost(case, written_at, evidence):
        sentences += _determining_again(case, read_at, written_at, violated_at, told, is_slot)
    sentences += _faults(case)
    way = dict.fromkeys(step for step in (written_at, read_at, violated_at) if step)
    before = [step for step in told if 0 < step < (written_at or read_at)]
    return Explanation(tuple(sentences), tuple(way), before[-1] if before else None)


def _must_be(evidence: Evidence) -> str:
    return f"When that shadow copy was created, the extent held {content_words(evidence.expected[0])}."


def _from_volume(case: Case, holding: Holding, evidence: Evidence, written_at: int | None) -> Iterator[str]:
    reader, read_at = case.who(holding.step), holding.step
    extent = evidence.sector // case.geometry.extent_sectors
    if written_at is None:
        yield f"{reader} read that from the volume, at step {read_at}. It was there before the first step."
    elif _is_lost(case, written_at, evidence):
        yield (
            f"{reader} read that from the volume, at step {read_at}. What {case.who(written_at)} had written there at "
            f"step {written_at} had not been flushed, and was lost."
        )
    else:
        yield (
            f"{reader} read that from the volume, at step {read_at}. It had come there at step {written_at}, when "
            f"{case.who(written_at)} overwrote extent {extent}."
        )
    created_at = creation_of(case)
    if created_at is not None and written_at is not None and created_at < written_at:
        yield f"The shadow copy had been created at step {created_at}, so the old data had to be kept by then."


def _is_lost(case: Case, written_at: int | None, evidence: Evidence) -> bool:
    """Whether what the volume was written with last is not what was read of it."""
    return written_at is not None and written_by(case, written_at, evidence.sector) != evidence.got


def _from_slot(
    case: Case, holding: Holding, evidence: Evidence, written_at: int | None, freed_at: int | None
) -> Iterator[str]:
    read_at, slot = holding.step, holding.place.removeprefix("slot ")
    extent = evidence.sector // case.geometry.extent_sectors
    sector = where_read(case, holding)[1]
    yield (
        f"{case.who(read_at)} read that from slot {slot} of the differential area, at step {read_at}: by what it knew "
        f"of the journal, the copy of extent {extent} is there."
    )
    if freed_at is not None:
        yield f"But shadow copy {evidence.shadow_copy} was deleted at step {freed_at}, and its slots were free then."
    if written_at is None:
        later = next(changes_of(case, *where_read(case, holding), sector + 1), None)
        when = f"only at step {later}" if later is not None and later > read_at else "by nobody"
        yield f"This part of the slot was filled {when}: the journal named it too early."
        return
    if written_by(case, written_at, sector) != evidence.got:
        yield (
            f"What {case.who(written_at)} had written into the slot at step {written_at} is not what was found there: "
            "it had not been flushed, and was lost."
        )
        return
    yield f"{case.who(written_at)} had put these bytes there at step {written_at}."
    before = last_change(case, *where_read(case, holding), written_at)
    if before is not None and written_by(case, before, sector) == evidence.expected[0]:
        yield f"Until then the right data was there, which {case.who(before)} had written at step {before}."
    overwritten = [number for number in changes_of_extent(case, extent) if number < written_at]
    if overwritten and freed_at is None and origin_of(evidence.got).endswith(f" of sector {evidence.sector}"):
        yield (
            f"By then the volume had been overwritten, at step {overwritten[-1]}: what was copied was not the old data "
            "any more."
        )
    yield from _ghost(case, evidence, read_at, int(slot))


def _ghost(case: Case, evidence: Evidence, read_at: int, slot: int) -> Iterator[str]:
    """What the reader knew of the slot was taken back, if it was, and was said again of other bytes."""
    extent, shadow_copy = evidence.sector // case.geometry.extent_sectors, evidence.shadow_copy
    assert shadow_copy is not None
    named = copies_of(case, extent, shadow_copy, slot)
    known = [number for number in named if 0 < number < read_at]
    gone = end_of_block(case, known[-1], len(case.moments)) if known else None
    if gone is None:
        return
    lost_at = next(
        (at for at, moment in case.numbered() if known[-1] < at and kind_of(moment.label) == "power"), 0
    )
    how = f"did not survive the power loss at step {lost_at}" if lost_at else f"{gone[1]} (step {gone[0]})"
    yield (
        f"{case.who(read_at)} knew of the copy from the journal block of step {known[-1]}. But that block {how}: "
        "whoever recovered the store heard nothing of the copy, and took the slot to be free."
    )
    again = [number for number in named if number > read_at]
    if again:
        yield (
            f"After the read, at step {again[0]}, the journal came to name the same slot for the extent again, with "
            "other bytes in it. So the place seemed never to have changed."
        )


def _determining_again(
    case: Case, read_at: int, written_at: int | None, violated_at: int, told: Sequence[int], is_slot: bool
) -> Iterator[str]:
    """What should have told the reader, and why it did not."""
    reader, changed_at = case.who(read_at), written_at or read_at
    looks = looks_of(case, reader, violated_at)
    after = [number for number in looks if number > read_at]
    before = [number for number in told if number < changed_at]
    if is_slot and not told:
        return
    if not before:
        late = next(iter(told), None)
        if late is not None:
            yield f"The journal named the copy only at step {late}, when the volume had changed already."
        else:
            yield "No journal block ever said that the extent had been copied for this shadow copy."
        if after:
            yield f"So {reader} found nothing when it determined again, at step {after[-1]}: no reader could."
        else:
            yield "So nothing could tell the reader that what it read is not the image."
        return
    since = f"from step {before[-1]} on" if before[-1] else "since before the first step"
    gone = end_of_block(case, before[-1], after[-1]) if after and before[-1] else None
    if gone is not None:
        yield f"The journal named the copy from step {before[-1]} on, but that block {gone[1]} (step {gone[0]})."
        yield f"So {reader} found nothing when it determined again, at step {after[-1]}: no reader could."
        return
    what = "said that the shadow copy was deleted" if is_slot else "named the copy of the extent"
    yield f"The journal {what} {since}: whoever looked at it after that could know."
    if after:
        yield (
            f"{reader} did look at the journal when it had read the data, at step {after[-1]}. It returned what it had "
            "read all the same."
        )
        return
    if looks:
        yield f"{reader} looked at the journal for the last time at step {looks[-1]}, before the read had ended."
    else:
        yield f"{reader} did not look at the journal again: it went by what it had known before."
    yield "Only a look that begins when the read has ended can tell that what was read must be discarded."


# -- a wrong sector that is found at the end ---------------------------------------------------------------------


def _explain_audit(case: Case, evidence: Evidence) -> Explanation:
    """The wrong sector was read by the oracle itself, or nobody knows from where."""
    extent, shadow_copy = evidence.sector // case.geometry.extent_sectors, evidence.shadow_copy
    assert shadow_copy is not None
    writes = changes_of_extent(case, extent)
    copies = copies_of(case, extent, shadow_copy)
    when = (
        "When nothing was in flight any more, a passive that opened the store"
        if case.violated_at is None
        else f"At step {case.violated_at} {case.violation.host}"
    )
    answer = (
        f"{when} got, for extent {extent} of shadow copy {shadow_copy}, {content_words(evidence.got)}. "
        f"{_must_be(evidence)}"
    )
    sentences = [answer]
    if writes and not copies:
        sentences.append(
            f"The volume was overwritten at step {writes[-1]}, and no journal block says that the extent had been "
            "copied for this shadow copy."
        )
    elif writes and copies[0] > writes[0]:
        sentences.append(
            f"The volume was overwritten at step {writes[0]}, but the journal named the copy only at step {copies[0]}."
        )
    elif copies:
        named = f"at step {copies[0]}" if copies[0] else "before the first step"
        sentences.append(f"The journal named a copy {named}; it is not the old data that is there.")
    return Explanation((*sentences, *_faults(case)), tuple(writes[-1:]))


# -- faults ----------------------------------------------------------------------------------------------------


def _faults(case: Case) -> Iterator[str]:
    """What crashes and power losses have to do with it."""
    for number, moment in case.numbered():
        if kind_of(moment.label) == "power":
            yield (
                f"At step {number} the disks lost power: of each sector that was written and not flushed, an older "
                "content may be what survived."
            )
    decided = [number for number, moment in case.numbered() if moment.survivor is not None]
    if decided:
        numbers = ", ".join(f"step {number}" for number in decided)
        yield f"What did survive was decided when somebody looked ({numbers})."
    for number, moment in case.numbered():
        if moment.is_late:
            yield f"The write of step {number} landed late: its host was dead by then, or had been told of an error."
