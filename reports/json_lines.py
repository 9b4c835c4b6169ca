"""A schedule as JSON lines: first what it is and what it shows, then one line for each step with what it changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from shadowshare.reports.tables import replay_json
from shadowshare.verify.story.storyboard import Storyboard


def json_lines(board: Storyboard) -> str:
    """The whole storyboard, a JSON object a line; the first has ``"kind": "schedule"``, the others ``"step"``."""
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in _lines(board))


def _lines(board: Storyboard) -> Iterator[dict[str, Any]]:
    replay = replay_json(board.replay)
    yield {
        "kind": "schedule",
        **{name: value for name, value in replay.items() if name != "steps"},
        "command": board.command,
        "mutant": None if board.mutant is None else board.mutant[0],
        "hosts": [{"name": name, "role": role} for name, role in board.hosts],
        "explanation": list(board.explanation.sentences),
        "wrong_byte": None if board.wrong_byte is None else board.wrong_byte._asdict(),
        "start": board.frames[0],
    }
    before: dict[int, list[int]] = {}
    for edge in board.edges:
        before.setdefault(edge.later, []).append(edge.earlier)
    for step, frame in zip(board.steps, board.frames[1:], strict=True):
        yield {
            **step._asdict(),
            "operation": step.kind,
            "kind": "step",
            "accesses": [access._asdict() for access in step.accesses],
            "happened_directly_before": before.get(step.number, []),
            "changes": frame,
        }
