"""The wheel and the sdist hold the parts, all of them, and nothing else.

setuptools says nothing when a link in ``src/shadowshare`` is missing: it builds a wheel without that part.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.repository.tree import PARTS, ROOT, tracked_files

PACKAGE = "src/shadowshare"
PROSE = {".md"}  # may lie in a part, is not shipped
SDIST_ROOT_FILES = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg"}


def copy_checkout(target: Path) -> Path:
    """Copy what git would commit, links as links, so that leftovers of an earlier build cannot interfere."""
    for path in tracked_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path, follow_symlinks=False)
    return target


def build(checkout: Path) -> tuple[set[str], set[str]]:
    """Build the sdist, and from it the wheel; return what lies in each."""
    dist = checkout / "dist"
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(checkout)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = dist.glob("*.tar.gz")
    (wheel,) = dist.glob("*.whl")
    with tarfile.open(sdist) as archive:
        in_sdist = {member.name.partition("/")[2] for member in archive if not member.isdir()}
    with zipfile.ZipFile(wheel) as archive_of_wheel:
        return in_sdist, set(archive_of_wheel.namelist())


def modules_of_wheel(names: set[str]) -> set[str]:
    return {name for name in names if ".dist-info/" not in name}


def modules_of_sdist(names: set[str]) -> set[str]:
    return {name.removeprefix("src/") for name in names if name.startswith(PACKAGE + "/")}


def expected_modules() -> set[str]:
    """Return the tree as it is to be installed, whether or not the links are there."""
    own = {str(path.relative_to("src")) for path in tracked_files(PACKAGE) if not (ROOT / path).is_symlink()}
    parts = {f"shadowshare/{path}" for path in tracked_files(*PARTS) if path.suffix not in PROSE}
    return own | parts


def test_wheel_and_sdist_hold_the_tree_and_nothing_else(tmp_path: Path) -> None:
    in_sdist, in_wheel = build(copy_checkout(tmp_path))
    expected = expected_modules()
    for name, found in (("wheel", modules_of_wheel(in_wheel)), ("sdist", modules_of_sdist(in_sdist))):
        missing, extra = sorted(expected - found), sorted(found - expected)
        hint = "see [tool.setuptools] in pyproject.toml, and the links in src/shadowshare"
        assert not missing, f"not in the {name}: {missing}; {hint}"
        assert not extra, f"in the {name}, but not in the tree: {extra}; {hint}"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in in_wheel)
    at_root = {name for name in in_sdist if not name.startswith(("src/", "tests/"))}
    extra = sorted(at_root - SDIST_ROOT_FILES)
    assert not extra, f"in the sdist, but not expected: {extra}"


def test_a_checkout_without_links_would_be_noticed(tmp_path: Path) -> None:
    """Negative test: the build succeeds without links, and only the comparison sees what is missing."""
    checkout = copy_checkout(tmp_path)
    for part in PARTS:
        (checkout / PACKAGE / part).unlink()
    _, in_wheel = build(checkout)
    missing = expected_modules() - modules_of_wheel(in_wheel)
    assert {f"shadowshare/{part}/__init__.py" for part in PARTS} <= missing
