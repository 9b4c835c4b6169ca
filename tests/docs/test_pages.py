"""What holds for every page: its code runs, its scenarios can be read, its links lead somewhere, its names exist."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import edit, parse_scenario
from shadowshare.sim.disks.memory_disk import WELL_BEHAVED, Misbehaviour
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import MUTANTS
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME
from tests.docs.documents import FOLLOWED, all_fences, documents, fences, names_in, read, section, tables
from tests.repository.tree import ROOT

LINKED_FROM = [
    *documents(),
    *(path for name in ("README.md", "CONTRIBUTING.md") if (path := ROOT / name).exists()),
]
WITH_PYTHON = [
    path
    for path in LINKED_FROM
    if path not in FOLLOWED and any(fence.info == "python" for fence in fences(path))
]
PAGES = [path for path in documents() if path.parent.name == "docs"]
"""Without the decision records, which may name what has gone since."""

NEGATIVE_TESTS = [name for name in built_in_names() if name.startswith("assumed-")]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", WITH_PYTHON, ids=named)
def test_python_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of one page run one after the other, from the root of the repository."""
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {"__name__": "__main__"}
    for fence in fences(path):
        if fence.info == "python":
            exec(compile("\n" * (fence.line - 1) + fence.text, str(path), "exec"), names)


def test_scenarios_can_be_read() -> None:
    shown = [fence for fence in all_fences("toml") if fence.info == "toml"]
    assert shown
    for fence in shown:
        parse_scenario(fence.text)


KNOWN_FENCES = {
    *("python", "toml", "text", "console", "yaml"),
    *("toml wrong", "text wrong", "toml wrong fields", "text wrong fields"),
    *("hexdump superblock", "hexdump journal block"),
}


def test_fences_have_a_known_language() -> None:
    found = [fence for path in documents() for fence in fences(path)]
    assert not [f"{named(fence.path)}:{fence.line}" for fence in found if fence.info not in KNOWN_FENCES]


def anchors(path: Path) -> set[str]:
    """The anchors that the headings of a page make, as code forges make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / unquote(name)).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("path", LINKED_FROM, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    assert not broken_links(path)


def test_a_broken_link_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[a](#a-heading) [b](#b) [c](c.md) [d](page.md) [e](https://e)\n", encoding="utf-8"
    )
    assert broken_links(page) == ["#b", "c.md"]


def test_every_page_is_in_the_index() -> None:
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", read("index.md"))}
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in documents()} - {"index.md"}
    assert pages <= links


# -- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", documents(), ids=named)
def test_scenarios_in_tables_exist(path: Path) -> None:
    for rows in tables(path.read_text(encoding="utf-8")):
        for row in rows:
            for column in {"scenario", "negative test"} & set(row):
                assert set(names_in(row[column])) <= {*built_in_names(), REAL_SCENARIO_NAME}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_files_named_in_text_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parts = "protocol|sim|models|scenarios|verify|reports|tests|examples"
    names = re.findall(rf"`((?:{parts})/[\w/.-]+\.(?:py|toml))`", text)
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_every_rule_that_a_mutant_breaks_is_one_of_the_protocol_and_every_one_is_broken() -> None:
    (rules,) = tables(section(read("protocol.md"), "The rules, and what happens without them"))
    (mutants,) = tables(section(read("mutants.md"), "All mutants"))
    assert {row["rule"] for row in mutants} == {row["rule"] for row in rules}


def test_every_mutant_is_in_the_table_with_its_scenario() -> None:
    (rows,) = tables(section(read("mutants.md"), "All mutants"))
    documented = [(row["mutant"], row["scenario"]) for row in rows]
    assert sorted(documented) == sorted((mutant.name, mutant.scenario) for mutant in MUTANTS)


def test_known_bugs_are_mutants_or_it_is_said_why_not() -> None:
    (rows,) = tables(section(read("mutants.md"), "Known bugs of shadow copies"))
    assert len(rows) == 44
    assert len({row["bug"] for row in rows}) == len(rows)
    for row in rows:
        argument = re.match(r"\*(?:not here yet|none)\*: (.+)", row["mutant"])
        if argument is None:
            assert set(names_in(row["mutant"])) <= {mutant.name for mutant in MUTANTS}, row["bug"]
        else:
            assert len(argument[1]) > 40, f"{row['bug']}: why not?"


# -- the disk contract -------------------------------------------------------------------------------------------


def contract_rows() -> list[dict[str, str]]:
    return next(
        rows
        for rows in tables(section(read("disk-contract.md"), "Assumptions"))
        if "negative test" in rows[0]
    )


def test_every_switch_and_every_negative_test_is_in_the_contract() -> None:
    rows = contract_rows()
    switches = [row["switch (`[disk]` in a scenario)"] for row in rows]
    assert sorted(switches) == sorted(field.name for field in dataclasses.fields(Misbehaviour))
    assert sorted(name for row in rows for name in names_in(row["negative test"])) == NEGATIVE_TESTS


@pytest.mark.parametrize("name", NEGATIVE_TESTS)
def test_negative_tests_break_one_assumption_and_notice_it(name: str) -> None:
    """And with a well-behaved disk nothing is violated: it is the broken assumption that they notice."""
    scenario = built_in(name)
    row = next(row for row in contract_rows() if name in names_in(row["negative test"]))
    assert scenario.misbehaviour == Misbehaviour(**{row["switch (`[disk]` in a scenario)"]: True})
    assert f"assumption {row['']}" in scenario.story
    assert explore(scenario).verdict == scenario.expected == "violated"
    assert explore(edit(scenario, misbehaviour=WELL_BEHAVED)).verdict == "verified"
