"""``gate``: what it says, in every form, of results that are made up; and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from shadowshare.cli import main
from shadowshare.models.computers import Implementation
from shadowshare.verify.gate.check import STAGES, Check, GateResult
from shadowshare.verify.gate.plan import GatePlan
from shadowshare.verify.mutants.catalogue import mutant

GOOD = tuple(
    Check(
        stage,
        f"{stage}-one",
        "verified",
        seconds=0.5,
        figures={"races": 7, "exhausted": 5},
        shown={frozenset("x"): 7},
    )
    for stage in STAGES
)
BAD = Check(
    "generated",
    "seed 3",
    "violated",
    "image: 100% wrong\nbyte",
    schedule="s1/generated-1/W,R",
    scenario_text='name = "generated-1"\n',
)
Gate = Callable[..., Result]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gate:
    """Runs the command with a gate that finds what it is told to find, and remembers its plan."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def run(*arguments: str, found: GateResult | None = None, plans: list[GatePlan] | None = None) -> Result:
        def pretend(plan: GatePlan, tell: object) -> GateResult:
            if plans is not None:
                plans.append(plan)
            return found or GateResult(GOOD, plan.seed, (), 1.5)

        monkeypatch.setattr("shadowshare.cli.gate.run_gate", pretend)
        return CliRunner().invoke(main, ["gate", *arguments])

    return run


def red(*checks: Check) -> GateResult:
    return GateResult((*GOOD, *checks), 3, (), 1.5, ("4 of scopes",))


def test_green(gate: Gate) -> None:
    done = gate("--seed", "9")
    assert done.exit_code == 0
    assert done.output.splitlines()[0] == "gate: verified, seed 9, 1.5 s"
    assert "generated races" in done.output
    assert "violation is less probable than 0.35" in done.output


def test_red_says_what_and_how_to_see_it(gate: Gate) -> None:
    done = gate(found=red(BAD))
    assert done.exit_code == 1
    assert "violated: generated: seed 3: image" in done.output
    assert 'name = "generated-1"' in done.output
    assert "shadowshare replay s1/generated-1/W,R --file race.toml" in done.output
    assert "not checked, because something was violated before: 4 of scopes" in done.output


def test_unknown_is_not_green(gate: Gate) -> None:
    assert gate(found=GateResult(GOOD, 1, ("AREA_FULL",), 1.0)).exit_code == 2
    assert gate(found=GateResult(GOOD[:2], 1, (), 1.0)).exit_code == 2


@pytest.mark.parametrize(("found", "verdict"), [(None, "verified"), (red(BAD), "violated")])
def test_json_has_the_verdict_at_its_top(gate: Gate, found: GateResult | None, verdict: str) -> None:
    printed = json.loads(gate("--json", found=found).output)
    assert next(iter(printed)) == "verdict"
    assert printed["verdict"] == verdict
    assert list(printed["stages"]) == list(STAGES)
    assert bool(printed["reasons"]) == (verdict != "verified")
    assert printed["generated"]["races"] == 7
    assert list(printed)[-1] == "measured"
    assert printed["measured"]["seconds"] == 1.5
    assert printed["measured"]["checks"]["mutants"]["mutants-one"] == 0.5


def test_junit(gate: Gate, tmp_path: Path) -> None:
    unknown = replace(GOOD[1], name="slow", verdict="unknown", reason="stopped")
    gate(
        "--junit", str(tmp_path / "gate.xml"), found=replace(red(BAD, unknown), missing_marks=("AREA_FULL",))
    )
    suites = ET.parse(tmp_path / "gate.xml").getroot()
    assert sum(int(suite.get("failures", "0")) for suite in suites) == 1
    assert sum(int(suite.get("errors", "0")) for suite in suites) == 2
    failure = suites.find(".//failure")
    assert failure is not None
    assert failure.get("message") == BAD.reason
    assert failure.text == (
        f'{BAD.reason}\n\nname = "generated-1"\n\nshadowshare replay s1/generated-1/W,R --file race.toml'
    )


def test_that_junit_cannot_be_written_is_found_out_before_anything_is_checked(gate: Gate) -> None:
    plans: list[GatePlan] = []
    result = gate("--junit", "nowhere/gate.xml", plans=plans)
    assert (result.exit_code, plans) == (2, [])
    assert "there is no folder 'nowhere'" in result.output


def test_junit_says_all_and_only_what_xml_can_say(gate: Gate, tmp_path: Path) -> None:
    strange = replace(BAD, reason="got \x00\x1b[1m <&> \ufffe", name="a\x07b")
    gate("--junit", str(tmp_path / "gate.xml"), found=GateResult((GOOD[0], strange), 3, (), 1.5, ()))
    suites = ET.parse(tmp_path / "gate.xml").getroot()
    failure = suites.find(".//failure")
    assert failure is not None
    assert failure.get("message") == r"got \x00\x1b[1m <&> \ufffe"
    for element in (suites, *suites):
        for total, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert element.get(total) == str(len(list(element.iter(tag))))
    unchecked = {case.get("classname") for case in suites.iter("testcase") if case.find("error") is not None}
    assert unchecked == {"gate.scopes", "gate.determinism", "gate.mutants"}, (
        "what was not checked is no success"
    )


@pytest.mark.parametrize(
    "text", ["a: b, c", "100%", "a%3A", "line\nline\r\n::error::x", "::stop-commands::x"]
)
def test_annotations_say_what_was_meant(gate: Gate, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as the runner of GitHub reads them: a command is one line, its property ends at a comma or colon."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = gate(
        "--json", found=GateResult((replace(BAD, name=text, reason=text, schedule=None),), 3, (), 1.5, ())
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert len(lines) == 1
    command = re.fullmatch(r"::error title=([^:,]*)::(.*)", lines[0])
    assert command is not None
    title, message = (unquote(part) for part in command.groups())
    assert (title, message) == (f"shadowshare gate, generated: {text}", text)


def test_the_summary_is_markdown_whatever_is_wrong(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    gate(found=red(replace(BAD, reason="```\n# not a heading\n| no | table |")))
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    blocks = [(fence.info, fence.text) for fence in fences_of(text)]
    assert ("text", "```\n# not a heading\n| no | table |\n") in blocks
    assert ("console", "$ shadowshare replay s1/generated-1/W,R --file race.toml\n") in blocks
    assert all(
        line.count("|") == 6 for line in text.splitlines() if line.startswith("| ") and "no |" not in line
    )


class _Fence(NamedTuple):
    info: str
    text: str


def fences_of(text: str) -> list[_Fence]:
    """The fenced blocks of a Markdown text: each ends with a fence as long as the one that began it."""
    found = re.findall(r"^(`{3,})(\w+)\n(.*?)^\1$", text, flags=re.MULTILINE | re.DOTALL)
    return [_Fence(info, content) for _, info, content in found]


def test_github(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    gate(found=red(BAD))
    assert not summary.exists(), "only on GitHub"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = gate(found=red(BAD))
    assert (
        "::error title=shadowshare gate%2C generated%3A seed 3::image: 100%25 wrong%0Abyte%0A"
        "shadowshare replay s1/generated-1/W,R --file race.toml" in done.output.splitlines()
    )
    assert summary.read_text(encoding="utf-8").startswith("## shadowshare gate: violated")


def test_the_plan_is_what_was_asked_for(gate: Gate, tmp_path: Path) -> None:
    plans: list[GatePlan] = []
    gate(
        "--mutant",
        "no-recheck",
        "--seconds",
        "5",
        "--jobs",
        "3",
        "--mutant-share",
        "0.5",
        "--seed",
        "8",
        plans=plans,
    )
    plan = plans[0]
    assert plan.implementation == mutant("no-recheck").implementation
    assert (plan.seconds, plan.race_count, plan.jobs, plan.mutant_share, plan.seed) == (5.0, None, 3, 0.5, 8)
    assert len(plan.scenarios) > 30
    assert not plan.keeps_going
    gate("--races", "40", "--keep-going", plans=plans)
    assert (plans[1].race_count, plans[1].keeps_going) == (40, True)


def test_ones_own_implementation(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "my_code_under_test.py").write_text(
        "from shadowshare.models.computers import Implementation\nmine = Implementation()\n", encoding="utf-8"
    )
    plans: list[GatePlan] = []
    assert gate("--implementation", "my_code_under_test:mine", plans=plans).exit_code == 0
    assert plans[0].implementation == Implementation()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--implementation", "nonsense"], "MODULE:NAME"),
        (["--implementation", "no_such_module_here:x"], "cannot be imported"),
        (["--implementation", "json:dumps"], "is no Implementation"),
        (["--mutant", "no-such-bug"], "no-such-bug"),
        (["--mutant", "no-recheck", "--implementation", "a:b"], "one of them"),
        (["--seconds", "-1"], "--seconds"),
        (["--races", "0"], "--races"),
        (["--races", "5", "--seconds", "5"], "give one of them"),
        (["--jobs", "0"], "--jobs"),
        (["--mutant-share", "0"], "--mutant-share"),
        (["--regressions", "nowhere"], "nowhere"),
        (["--file", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_refusals(gate: Gate, arguments: list[str], message: str, tmp_path: Path) -> None:
    done = gate(*arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []
