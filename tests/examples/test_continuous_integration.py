"""What people copy into their repositories: who reads its files can read them, and its commands run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml  # type: ignore[import-untyped]

from tests.docs.documents import fences
from tests.repository.tree import ROOT

WORKFLOW = ROOT / "examples" / "github" / "gate.yml"
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
INSTALLS = re.compile(r"^python -m pip install .*$", re.MULTILINE)
PROPERTY = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_small(number):
    assert number < 1000
"""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def run(script: str, folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """As GitHub runs a step with ``shell: bash``."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a reader that is wrong."""
    (tmp_path / "my_reader.py").write_bytes((ROOT / "examples" / "own_reader.py").read_bytes())
    return tmp_path


def inputs_as_given(step: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a step of the action."""
    inputs = {name: str(one["default"]) for name, one in read(ACTION)["inputs"].items()}
    inputs.update(given)
    return {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: inputs[found[1]], text)
        for name, text in step["env"].items()
    }


def test_the_action_runs_the_gate_and_reports(folder: Path) -> None:
    install, gate, keep = read(ACTION)["runs"]["steps"]
    assert INSTALLS.fullmatch(install["run"])
    given = inputs_as_given(gate, {"implementation": "my_reader:naive", "arguments": "--jobs 1 --seed 3"})
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    done = run(gate["run"], folder, given | github)
    assert done.returncode == 1, done.stderr
    assert "gate: violated, seed 3" in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("::error ")]
    assert re.match(r"::error title=shadowshare gate%2C scopes%3A [\w-]+::shadow copy 1\.1, extent 0", line)
    assert line.endswith(" --implementation my_reader:naive")
    assert (folder / "summary.md").read_text(encoding="utf-8").startswith("## shadowshare gate: violated")
    reports = folder / keep["with"]["path"].replace("${{ inputs.reports }}", given["REPORTS"])
    assert ET.parse(reports / "gate.xml").getroot().get("failures") == "1"
    assert "</html>" in (reports / "gate.html").read_text(encoding="utf-8")
    assert keep["if"] == "always()", "a red gate is what the reports are for"


def test_the_workflow_gives_the_action_what_it_takes() -> None:
    steps = read(WORKFLOW)["jobs"]["gate"]["steps"]
    (action,) = [step for step in steps if step.get("uses", "").startswith("OWNER/shadowshare@")]
    assert set(action["with"]) <= set(read(ACTION)["inputs"])
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@\w+", step["uses"]) for step in steps if "uses" in step)


def test_the_workflow_keeps_the_examples_that_failed(tmp_path: Path) -> None:
    """In continuous integration Hypothesis keeps none, unless it is told to."""
    steps = read(WORKFLOW)["jobs"]["gate"]["steps"]
    (cache,) = [step for step in steps if step.get("uses", "").startswith("actions/cache@")]
    (tests,) = [step for step in steps if "run" in step]
    (tmp_path / "test_mine.py").write_text(PROPERTY, encoding="utf-8")
    script, count = INSTALLS.subn("", tests["run"])
    assert count == 1
    done = run(script, tmp_path, {"CI": "true", "GITHUB_ACTIONS": "true"})
    assert done.returncode == 1, done.stderr
    assert list((tmp_path / cache["with"]["path"]).rglob("*"))
    assert (tmp_path / "tests.xml").exists()


def test_the_hook_runs_the_gate(folder: Path) -> None:
    (hook,) = read(HOOKS)
    assert run(f"pre-commit validate-manifest {HOOKS}", folder, {}).returncode == 0
    config = next(fence for fence in fences(ROOT / "docs" / "gate.md") if "rev:" in fence.text)
    (used,) = yaml.safe_load(config.text)["repos"][0]["hooks"]
    assert used["id"] == hook["id"]
    arguments = " ".join(used["args"]).replace("my_reader:reader", "my_reader:naive")
    done = run(f"{hook['entry']} {arguments}", folder, {})
    assert done.returncode == 1, done.stderr
    assert "gate: violated" in done.stdout


def test_the_configuration_of_pre_commit_can_be_read(tmp_path: Path) -> None:
    config = next(fence for fence in fences(ROOT / "docs" / "gate.md") if "rev:" in fence.text)
    (tmp_path / "config.yaml").write_text(config.text, encoding="utf-8")
    assert run("pre-commit validate-config config.yaml", tmp_path, {}).returncode == 0
