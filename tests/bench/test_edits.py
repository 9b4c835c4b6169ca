"""Edits of the protocol are made by rules, are valid code, and what the gate says of them is told as it is."""

from __future__ import annotations

import ast
from collections import Counter
from difflib import unified_diff
from pathlib import Path

import pytest
from bench.edits.__main__ import MODULES, argued, edits_of_the_protocol, kind_of
from bench.edits.gated import PROTOCOL, Outcome, Scratch, outcome_of
from bench.edits.operators import edits_of

SOURCE = '''"""A module."""
LIMIT = 3
class Thing:
    """One."""
    def put(self, items: list[int] = []) -> bool:
        """Put."""
        if len(items) >= LIMIT and not self.is_open or self.name in ("a", "b"):
            raise ValueError(f"{len(items) + 1} items")
        self.count += 1
        for item in items:
            if item:
                continue
            reached(Mark.RARE + 1)
            self.store(item - 1)
        assert items == items
        return True
    def digest(self) -> int:
        return self.count + 1
'''


def test_each_rule_makes_its_edits_and_texts_marks_and_digests_are_left_alone() -> None:
    names = [edit.name for edit in edits_of("thing", SOURCE)]
    assert names[0] == "thing: 3 -> 4"
    assert [name.removeprefix("thing.Thing.put: ") for name in names[1:] if " or " not in name] == [
        "len(items) >= LIMIT -> len(items) > LIMIT",
        "len(items) >= LIMIT and (not self.is_open) -> (len(items) >= LIMIT)",
        "len(items) >= LIMIT and (not self.is_open) -> (not self.is_open)",
        "not self.is_open -> (self.is_open)",
        "self.name in ('a', 'b') -> self.name not in ('a', 'b')",
        "raise ValueError(f'{len(items) + 1} items') -> pass",
        "self.count += 1 -> pass",
        "self.count += 1 -> self.count -= 1",
        "1 -> 2",
        "item -> (not item)",
        "continue -> break",
        "self.store(item - 1) -> pass",
        "item - 1 -> (item + 1)",
        "1 -> 2 (2)",
        "True -> False",
    ]
    assert sum(" or " in name for name in names) == 4


def test_every_edit_of_the_protocol_is_code_and_is_told_from_the_others() -> None:
    edits = edits_of_the_protocol()
    assert [name for name, count in Counter(edit.name for edit in edits).items() if count > 1] == []
    assert {edit.module for edit in edits} == set(MODULES)
    sources = {name: (PROTOCOL / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
    trees = {name: ast.dump(ast.parse(source)) for name, source in sources.items()}
    for edit in edits:
        assert ast.dump(ast.parse(edit.apply(sources[edit.module]))) != trees[edit.module], edit.name


def test_what_is_argued_about_is_there() -> None:
    names = {edit.name for edit in edits_of_the_protocol()}
    assert sorted(set(argued()) - names) == []


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [("verified", "survived"), ("violated", "killed"), ("unknown", "killed"), ("endless", "endless")],
)
def test_only_a_green_gate_lets_an_edit_survive(verdict: str, kind: str) -> None:
    assert kind_of(Outcome("an edit", verdict, "", "")) == kind


def test_only_what_survives_can_be_equivalent() -> None:
    name = next(iter(argued()))
    assert kind_of(Outcome(name, "verified", "", "")) == "equivalent"
    assert kind_of(Outcome(name, "violated", "", "")) == "killed"


def test_a_rare_path_that_is_missed_is_not_green() -> None:
    told = {"verdict": "unknown", "stages": {"scopes": {"checks": []}}, "missing_marks": ["SEAL_FOLLOWED"]}
    assert outcome_of("an edit", told) == Outcome("an edit", "unknown", "rare paths", "SEAL_FOLLOWED")


def test_an_edit_is_put_through_the_gate_and_taken_back(tmp_path: Path) -> None:
    edit = next(one for one in edits_of_the_protocol(["view"]) if "slot is not None" in one.before)
    outcome = Scratch(tmp_path).judge(edit, race_count=1)
    assert outcome.verdict == "violated"
    assert outcome.found_in
    edited = tmp_path / "src" / "shadowshare" / "protocol" / "view.py"
    assert edited.read_bytes() == (PROTOCOL / "view.py").read_bytes()


def test_so_is_a_patch_and_one_that_does_not_apply_is_told(tmp_path: Path) -> None:
    source = (PROTOCOL / "view.py").read_text(encoding="utf-8").splitlines(keepends=True)
    broken = [line.replace("slot is not None", "slot is None") for line in source]
    patch = tmp_path / "inverted.patch"
    patch.write_text(
        "".join(unified_diff(source, broken, "a/protocol/view.py", "b/protocol/view.py")), encoding="utf-8"
    )
    (tmp_path / "checkout").mkdir()
    scratch = Scratch(tmp_path / "checkout")
    outcome = scratch.judge_patch(patch, race_count=1)
    assert (outcome.name, outcome.verdict) == ("inverted", "violated")
    edited = tmp_path / "checkout" / "src" / "shadowshare" / "protocol" / "view.py"
    assert edited.read_bytes() == (PROTOCOL / "view.py").read_bytes()
    patch.write_text("nonsense", encoding="utf-8")
    assert scratch.judge_patch(patch).verdict == "broken"
