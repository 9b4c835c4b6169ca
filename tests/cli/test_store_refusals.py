"""What the store commands refuse: with exit code 2, one message, no traceback, and nothing on disk changed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shadowshare.cli import main
from shadowshare.sim.real.store import Store
from tests.cli.running import MEBIBYTE, digests, refuse, run, run_process, succeed

SIZES = ("--area-size", "512K", "--journal-size", "128K", "--extent-size", "16K")
VOLUME = random.Random(2).randbytes(MEBIBYTE)
NOBODY = 65534


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    before = digests(folder)
    yield
    assert digests(folder) == before


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A store with one shadow copy and two copied extents."""
    path = tmp_path / "disk.img"
    path.write_bytes(VOLUME)
    succeed("store", "format", path, *SIZES)
    succeed("store", "create", path)
    succeed("store", "write", path, 0, stdin=b"new" * 6000)
    return path


ON_A_STORE: dict[str, list[str]] = {
    "create": ["create"],
    "delete": ["delete", "newest"],
    "write": ["write", "0"],
    "discard": ["discard", "0", "4K"],
    "list": ["list"],
    "read": ["read", "newest"],
    "export": ["export", "newest", "-o", "-"],
    "check": ["check"],
    "show": ["show"],
}
EVERY = {**ON_A_STORE, "format": ["format"]}


def refuse_on(path: Path, command: list[str]) -> str:
    return refuse("store", command[0], path, *command[1:], stdin=b"data")


# -- images that are none ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"x" * 1000), "no whole number of sectors"),
        (lambda path: path.symlink_to("nowhere"), "does not exist"),
        (lambda path: path.symlink_to("/dev/null"), "special file"),
    ],
    ids=["no such file", "directory", "empty", "no whole sectors", "broken link", "special file"],
)
def test_what_is_no_disk_at_all(
    tmp_path: Path, command: list[str], make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "disk.img"
    make(path)
    with unchanged(tmp_path):
        assert message in refuse_on(path, command)


@pytest.mark.parametrize("command", ON_A_STORE.values(), ids=ON_A_STORE)
@pytest.mark.parametrize("size_bytes", [512, 4096, 4608, 300 * 1024])
def test_random_bytes(tmp_path: Path, command: list[str], size_bytes: int) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(random.Random(size_bytes).randbytes(size_bytes))
    with unchanged(tmp_path):
        assert "no superblock at the end: not a shadowshare store, truncated" in refuse_on(path, command)


@pytest.mark.parametrize("command", ON_A_STORE.values(), ids=ON_A_STORE)
@pytest.mark.parametrize("lost_bytes", [1, 512, 4096, 8192, 400 * 1024, 600 * 1024])
def test_a_truncated_image(image: Path, command: list[str], lost_bytes: int) -> None:
    os.truncate(image, image.stat().st_size - lost_bytes)
    with unchanged(image.parent):
        refuse_on(image, command)


def test_a_grown_image_is_not_refused(image: Path) -> None:
    """Whoever grows the area makes the device larger first: the superblock is searched for, and nothing is changed."""
    listed = succeed("store", "list", image).stdout
    os.truncate(image, image.stat().st_size + 4096)
    with unchanged(image.parent):
        assert succeed("store", "list", image).stdout == listed


@pytest.mark.parametrize("command", EVERY.values(), ids=EVERY)
def test_no_permission(command: list[str]) -> None:
    """As a user who may not read it. Root may read everything, so root becomes somebody else first.

    Everything is imported before that, also what click imports late: the other user may not read Python itself.
    """
    script = (
        "import difflib, os, sys; from shadowshare.cli import main; main.get_command(None, 'store')\n"
        f"if os.getuid() == 0: os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "main(sys.argv[1:], prog_name='shadowshare')"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "disk.img"
        path.write_bytes(VOLUME)
        path.chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", script, "store", command[0], path, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"shadowshare: {path} cannot be opened: Permission denied\n"


# -- arguments ---------------------------------------------------------------------------------------------------

WRONG_ARGUMENTS = {
    "unknown id": (["read", "9.9"], "there is no shadow copy 9.9"),
    "unknown id to delete": (["delete", "1.2"], "there is no shadow copy 1.2"),
    "no id": (["read"], "name a shadow copy by its ID, or say --live"),
    "id and live": (["read", "1.1", "--live"], "one of the two"),
    "malformed id": (["read", "1"], "names no shadow copy"),
    "malformed id, 2": (["read", "1.1.1"], "names no shadow copy"),
    "malformed id, 3": (["export", "-1.1", "-o", "-"], "No such option"),
    "malformed id, 4": (["read", "1." + "9" * 40], "names no shadow copy"),
    "huge id": (["read", "1." + "9" * 20], "there is no shadow copy"),
    "offset beyond the volume": (["write", "1M"], "not all in the volume"),
    "write across the end": (["write", str(MEBIBYTE - 1), "OTHER"], "beyond the volume"),
    "read beyond the volume": (["read", "1.1", "--offset", "2M"], "not all in the volume"),
    "read across the end": (["read", "1.1", "--offset", "1", "--length", "1M"], "not all in the volume"),
    "live read across the end": (
        ["read", "--live", "--offset", "1", "--length", "1M"],
        "not all in the volume",
    ),
    "discard across the end": (["discard", "4096", "1M"], "not all in the volume"),
    "discard of a part of a sector": (["discard", "1", "4096"], "not whole sectors"),
    "huge offset": (["write", "1" + "0" * 29], "beyond the volume"),
    "malformed size": (["write", "1Q"], "is no size"),
    "negative size": (["read", "1.1", "--offset", "-5"], "is no size"),
    "no such source": (["write", "0", "nowhere.bin"], "nowhere.bin: No such file or directory"),
    "source is a directory": (["write", "0", "/"], "/: Is a directory"),
    "wrong number of devices": (["list", "--area", "OTHER"], "name no other one"),
    "area is the image": (["list", "--area", "IMAGE"], "is named twice"),
    "export onto the store": (["export", "1.1", "-o", "IMAGE"], "is a device of the store itself"),
    "read onto the store": (["read", "1.1", "-o", "IMAGE"], "is a device of the store itself"),
    "export and json to one stream": (
        ["export", "1.1", "-o", "-", "--json"],
        "standard output cannot take both",
    ),
    "unknown command": (["destroy"], "No such command"),
}


@pytest.mark.parametrize(("command", "message"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_wrong_arguments(image: Path, command: list[str], message: str) -> None:
    other = image.with_name("other.img")
    shutil.copyfile(image, other)
    names = {"IMAGE": str(image), "OTHER": str(other)}
    head, *rest = [names.get(argument, argument) for argument in command]
    before = image.read_bytes()
    said = refuse("store", head, image, *rest, stdin=b"data")
    assert any(part in said for part in message.split("|")), said
    if head in ("read", "export", "list", "destroy"):
        assert image.read_bytes() == before
    else:  # an active takes over before it looks at the request, but the volume is as it was
        assert image.read_bytes()[:MEBIBYTE] == before[:MEBIBYTE]


def test_a_store_that_another_active_holds(image: Path) -> None:
    with Store(image).open_active() as active, unchanged(image.parent):
        for name in ("create", "delete", "write", "discard"):
            assert "another active" in refuse_on(image, ON_A_STORE[name])
        assert "another active" in refuse("store", "format", image, "--force")
        for name in ("list", "check", "show", "read"):
            succeed("store", ON_A_STORE[name][0], image, *ON_A_STORE[name][1:])
        assert run_process("store", "create", image).returncode == 2
        assert active.read(0, 3) == b"new"


# -- format ------------------------------------------------------------------------------------------------------

WRONG_FORMATS = {
    "odd volume": (["--volume-size", "1000"], "whole number of sectors"),
    "volume larger than the image": (["--volume-size", "2M"], "does not fit"),
    "no volume": (["--volume-size", "0"], "whole number of sectors"),
    "area too small": (["--area-size", "8K"], "no room for one slot"),
    "odd area": (["--area-size", "1000000"], "whole number of sectors"),
    "journal as large as the area": (["--area-size", "1M", "--journal-size", "1M"], "no room for one slot"),
    "journal of too few blocks": (["--journal-size", "8K"], "half_block_count is 1"),
    "extents of no whole sectors": (["--extent-size", "1000"], "whole number of sectors"),
    "huge extents": (["--extent-size", "32M", "--area-size", "1G"], "at most 16777216"),
    "sectors of another size": (["--sector-size", "1024"], "512 or 4096"),
    "more than any disk": (["--area-size", "9" * 18 + "K"], "whole number|below|File too large|cannot"),
    "area is the image": (["--area", "IMAGE"], "is the image itself"),
    "area is the image, by another name": (["--area", "LINK"], "is the image itself"),
    "area in no folder": (["--area", "nowhere/area.img"], "cannot be made"),
    "area is a directory": (["--area", "FOLDER"], "is a directory"),
    "area holds something": (["--area", "FULL"], "holds something already"),
    "area is too small": (["--area", "AREA", "--area-size", "8K"], "no room for one slot"),
}


@pytest.mark.parametrize(("options", "message"), WRONG_FORMATS.values(), ids=WRONG_FORMATS)
def test_a_format_that_cannot_be(tmp_path: Path, options: list[str], message: str) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(VOLUME)
    (tmp_path / "full.img").write_bytes(VOLUME)
    (tmp_path / "link.img").symlink_to(image)
    names = {
        "IMAGE": image,
        "LINK": tmp_path / "link.img",
        "FOLDER": tmp_path,
        "FULL": tmp_path / "full.img",
        "AREA": tmp_path / "area.img",
    }
    with unchanged(tmp_path):
        said = refuse("store", "format", image, *[names.get(option, option) for option in options])
    assert any(part in said for part in message.split("|")), said


def test_a_format_on_a_store_without_force(image: Path) -> None:
    with unchanged(image.parent):
        assert "holds a store already: pass --force" in refuse("store", "format", image)
        refuse("store", "format", image, "--area", image.with_name("area.img"))


def test_a_format_on_a_store_with_a_damaged_superblock_needs_force_too(image: Path) -> None:
    raw = bytearray(image.read_bytes())
    raw[-4096 + 20] ^= 1
    image.write_bytes(raw)
    with unchanged(image.parent):
        assert "pass --force" in refuse("store", "format", image)


def test_a_format_that_the_disk_breaks_off_leaves_the_file_as_long_as_it_was(tmp_path: Path) -> None:
    """A limit on the size of files makes a write fail in the middle of it."""
    image = tmp_path / "disk.img"
    image.write_bytes(VOLUME)
    script = (
        "import resource, signal, sys; from shadowshare.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({MEBIBYTE + 8192}, {MEBIBYTE + 8192}))\n"
        "main(sys.argv[1:])"
    )
    with unchanged(tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", script, "store", "format", image],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "File too large" in done.stderr
        assert "Traceback" not in done.stderr


def test_an_unexpected_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch, image: Path) -> None:
    """Only errors that a user can cause become a message; a bug keeps its traceback."""
    monkeypatch.setattr(Store, "check", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["store", "check", str(image)])


@pytest.mark.parametrize(
    ("error", "exit_code"), [(KeyboardInterrupt(), 130), (OSError(5, "Input/output error", "disk"), 2)]
)
def test_an_interruption_and_an_error_of_the_system(
    monkeypatch: pytest.MonkeyPatch, image: Path, error: BaseException, exit_code: int
) -> None:
    def fail(self: Store) -> None:
        raise error

    monkeypatch.setattr(Store, "check", fail)
    result = run("store", "check", image)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr.startswith("shadowshare: ")
