"""Rules of this repository that no linter knows."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.tree import PARTS, ROOT, python_files, tracked_files

LONGEST_MODULE_LINES = 400
LONGEST_FUNCTION_LINES = 70
# In pieces, so that this file keeps its own rule.
PATHS_OF_SOME_MACHINE = ["/" + "work/", "../" + "shared", "/" + "root/"]
PERFORMED_BY_BUILTINS = {"breakpoint", "input", "open", "print"}


def parse(path: PurePosixPath) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def sources() -> Iterator[tuple[PurePosixPath, ast.Module]]:
    """Every Python file, and the code of every notebook."""
    for path in python_files():
        yield path, parse(path)
    for path in tracked_files():
        if path.suffix == ".ipynb":
            cells = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
            code = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
            plain = "\n".join("" if re.match(r"\s*[%!]", line) else line for line in code.splitlines())
            yield path, ast.parse(plain, filename=str(path))


def imported_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module


def test_parts_are_imported_by_their_one_name() -> None:
    offenders = [
        f"{path}:{line}: {name}"
        for path, tree in sources()
        for line, name in imported_names(tree)
        if name.partition(".")[0] in PARTS
    ]
    assert not offenders, f"import shadowshare.<part> instead: {offenders}"


@pytest.mark.parametrize("part", PARTS)
def test_part_is_linked_and_says_what_it_is_for(part: str) -> None:
    link = ROOT / "src" / "shadowshare" / part
    assert link.is_symlink(), f"{link.relative_to(ROOT)} is not a symbolic link"
    assert link.readlink().as_posix() == f"../../{part}"
    docstring = ast.get_docstring(parse(PurePosixPath(part, "__init__.py")))
    assert docstring, f"{part}/__init__.py has no docstring"


def test_modules_are_short() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in python_files()}
    offenders = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > LONGEST_MODULE_LINES]
    assert not offenders, f"a module has at most {LONGEST_MODULE_LINES} lines: {offenders}"


def test_functions_are_short() -> None:
    offenders = []
    for path in python_files():
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION_LINES:
                    offenders.append(f"{path}:{node.lineno}: {node.name}, {lines} lines")
    assert not offenders, f"a function has at most {LONGEST_FUNCTION_LINES} lines: {offenders}"


def test_the_protocol_uses_no_builtin_that_performs_something() -> None:
    """The import contract keeps modules out; these need no import."""
    offenders = [
        f"{path}:{node.lineno}: {node.id}"
        for path in python_files("protocol")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Name) and node.id in PERFORMED_BY_BUILTINS
    ]
    assert not offenders, f"the protocol awaits operations, it performs nothing: {offenders}"


def test_no_file_names_a_path_of_some_machine() -> None:
    offenders = []
    for path in tracked_files():
        if (ROOT / path).is_symlink():
            continue
        text = (ROOT / path).read_bytes().decode("utf-8", errors="replace")
        offenders += [f"{path}: {pattern}" for pattern in PATHS_OF_SOME_MACHINE if pattern in text]
    assert not offenders, f"say it without a path that only one machine has: {offenders}"


def test_the_lock_has_what_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock, flags=re.MULTILINE))
    offenders = [
        str(requirement)
        for requirement in needed
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert not offenders, f"requirements.lock is behind pyproject.toml, run `make lock`: {offenders}"
