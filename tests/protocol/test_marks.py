"""Marks: what a recording collects; and that every rare path is taken by a scenario, or by a test of its own."""

from __future__ import annotations

import ast
from enum import Enum
from functools import lru_cache
from importlib import import_module

import pytest

from shadowshare.protocol.marks import Mark, counting, reached, recording
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.explorer import explore
from tests.docs.documents import read, section, tables
from tests.repository.tree import ROOT, python_files


def documented() -> dict[str, str]:
    """By mark: the scenario, or the test of `tests/protocol`, that reaches it."""
    (rows,) = tables(section(read("mutants.md"), "Rare paths"))
    assert len({row["mark"] for row in rows}) == len(rows)
    return {row["mark"]: row["reached by"] for row in rows}


@lru_cache
def marks_of(where: str) -> frozenset[Enum]:
    """What the exploration of a scenario reaches, or a test that needs nothing."""
    module_name, is_test, function_name = where.partition("::")
    with recording() as found:
        if is_test:
            getattr(import_module(f"tests.protocol.{module_name}"), function_name)()
        else:
            explore(built_in(where))
    return frozenset(found)


# -- every mark --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", Mark, ids=[mark.name for mark in Mark])
def test_a_mark_is_reached_where_the_table_says(mark: Mark) -> None:
    assert mark in marks_of(documented()[mark.name])


def test_the_table_has_all_marks_with_what_they_mean() -> None:
    (rows,) = tables(section(read("mutants.md"), "Rare paths"))
    assert {row["mark"]: row["what happened"] for row in rows} == {mark.name: mark.value for mark in Mark}


def test_every_mark_stands_in_the_protocol_once() -> None:
    """Twice, it would not say which path was taken."""
    used = [
        node.attr
        for path in python_files("protocol")
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Mark"
    ]
    assert sorted(used) == sorted(mark.name for mark in Mark)


def test_an_easy_race_does_not_reach_what_is_rare() -> None:
    """So a mark tells something: it is not reached by everything."""
    assert marks_of("reader-before-volume-read") == {Mark.COPIED_DURING_READ, Mark.WINDOW_FULL}


# -- recordings --------------------------------------------------------------------------------------------------


def test_nothing_is_collected_without_a_recording() -> None:
    with recording() as found:
        reached(Mark.AREA_FULL)
    reached(Mark.JOURNAL_FULL)
    assert found == {Mark.AREA_FULL}


def test_recordings_within_each_other_both_collect() -> None:
    with recording() as outer:
        reached(Mark.AREA_FULL)
        with recording() as inner:
            reached(Mark.JOURNAL_FULL)
            assert Mark.JOURNAL_FULL in outer
        reached(Mark.WINDOW_FULL)
    assert inner == {Mark.JOURNAL_FULL}
    assert outer == {Mark.AREA_FULL, Mark.JOURNAL_FULL, Mark.WINDOW_FULL}


def test_a_recording_that_ends_before_one_that_it_is_not_within() -> None:
    first, second = recording(), recording()
    found = first.__enter__()
    others = second.__enter__()
    first.__exit__(None, None, None)
    reached(Mark.AREA_FULL)
    second.__exit__(None, None, None)
    reached(Mark.JOURNAL_FULL)
    assert (found, others) == (set(), {Mark.AREA_FULL})


def test_an_error_ends_a_recording() -> None:
    with pytest.raises(ZeroDivisionError), recording() as found:
        raise ZeroDivisionError
    reached(Mark.AREA_FULL)
    assert found == set()


def test_marks_can_be_counted_as_well() -> None:
    with recording() as found, counting() as counts:
        reached(Mark.AREA_FULL)
        reached(Mark.AREA_FULL)
        with counting() as later:
            reached(Mark.JOURNAL_FULL)
    reached(Mark.AREA_FULL)
    assert counts == {Mark.AREA_FULL: 2, Mark.JOURNAL_FULL: 1}
    assert later == {Mark.JOURNAL_FULL: 1}
    assert found == set(counts)
