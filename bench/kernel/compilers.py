"""The kernel, compiled by what is installed; and the project's search as it is, compiled by mypyc.

Compilers are no dependencies of this project: one that is not there is reported, with the command that installs it.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from types import ModuleType
from typing import Any

from bench.kernel import core
from bench.kernel.packed import Kernel

from shadowshare.verify.exploration import search

SOURCE = Path(core.__file__)
INNER_FUNCTIONS = ("place_of", "entry_of", "slot_of")
FUNCTIONS = ("search", "number_all", "link", "sort", "count")
ROOT = Path(__file__).resolve().parents[2]
INNER = "@cython.cfunc\n@cython.inline\n@cython.exceptval(check=False)\n"
C_TYPES = {"Int": "cython.longlong", "Ints": "cython.longlong[::1]", "Numbers": "cython.int[::1]"}
BUILD_WITH_CYTHON = """
from Cython.Build import cythonize
from setuptools import setup
directives = {"language_level": 3, "boundscheck": False, "wraparound": False, "initializedcheck": False}
setup(ext_modules=cythonize("NAME.py", compiler_directives=directives))
"""
BUILD_WITH_MYPYC = """
from mypyc.build import mypycify
from setuptools import setup
setup(ext_modules=mypycify(["--explicit-package-bases", "--ignore-missing-imports", "NAME.py"], opt_level="3"))
"""


class NoCompiler(Exception):
    """A compiler is not installed, or broke; says what to do."""


def version_of(package: str) -> str:
    """The installed version.

    Raises:
        NoCompiler: it is not installed.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise NoCompiler(
            f"{package} is not installed; to install it: pip install {package} setuptools"
        ) from None


def uncompiled() -> Kernel:
    """The kernel as plain Python."""
    return _kernel("python", "", 0, core, _as_it_is)


def _kernel(
    name: str, version: str, seconds: float, module: ModuleType, buffer: Callable[[array[int]], Any]
) -> Kernel:
    functions: dict[str, Any] = {function: getattr(module, function) for function in FUNCTIONS}
    return Kernel(name=name, version=version, compile_seconds=seconds, buffer=buffer, **functions)


def _as_it_is(numbers: array[int]) -> array[int]:
    return numbers


def with_numba() -> Kernel:
    """The kernel, compiled when it is called for."""
    found = version_of("numba")
    numba, numpy = import_module("numba"), import_module("numpy")
    types = {"Int": "int64", "Ints": "int64[::1]", "Numbers": "int32[::1]"}
    module = _module_at("kernel_for_numba", SOURCE)
    start = perf_counter()
    for name in (*INNER_FUNCTIONS, *FUNCTIONS):
        function = getattr(module, name)
        *taken, given = (types[annotation] for annotation in function.__annotations__.values())
        setattr(module, name, numba.njit(f"{given}({', '.join(taken)})")(function))
    seconds = perf_counter() - start

    def buffer(numbers: array[int]) -> Any:
        return numpy.frombuffer(numbers, dtype=numbers.typecode)

    return _kernel("numba", found, seconds, module, buffer)


def with_cython() -> Kernel:
    """The kernel, translated to C ahead of time."""
    found = version_of("Cython")
    start = perf_counter()
    module = _built("kernel_for_cython", _for_cython(SOURCE.read_text(encoding="utf-8")), BUILD_WITH_CYTHON)
    seconds = perf_counter() - start
    return _kernel("Cython", found, seconds, module, _as_it_is)


def _for_cython(source: str) -> str:
    """The kernel's source with C types where it says which integers it means."""
    constants, begin, functions = source.partition("def place_of(")
    functions = begin + functions
    for name, value in re.findall(r"^([A-Z_]+) = (\d+)$", constants, re.MULTILINE):
        functions = re.sub(rf"\b{name}\b", value, functions)
    for name in INNER_FUNCTIONS:
        functions = functions.replace(f"def {name}(", f"{INNER}def {name}(")
    for name, kind in C_TYPES.items():
        functions = re.sub(rf"(: |-> ){name}\b", rf"\1{kind}", functions)
    return f"import cython\n\n\n{functions}"


def search_with_mypyc() -> tuple[Any, str, float]:
    """`shadowshare.verify.exploration.search.Search`, compiled as it is; the version, and how long it took."""
    found = version_of("mypy")
    start = perf_counter()
    module = _built("search_for_mypyc", Path(search.__file__).read_text(encoding="utf-8"), BUILD_WITH_MYPYC)
    return module, found, perf_counter() - start


def _built(name: str, source: str, build: str) -> ModuleType:
    """A module from source, built as ``build`` says. The folder goes; the module is loaded by then."""
    with TemporaryDirectory(prefix="kernel-") as folder:
        at = Path(folder)
        (at / f"{name}.py").write_text(source, encoding="utf-8")
        (at / "setup.py").write_text(build.replace("NAME", name), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
            cwd=at,
            env={
                "MYPYPATH": str(ROOT / "src"),
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "CFLAGS": "-O3 -fwrapv",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        built = sorted(at.glob(f"{name}*.so"))
        if done.returncode or not built:
            raise NoCompiler(f"{name} was not built: {(done.stderr or done.stdout).strip()[-1000:]}")
        return _module_at(name, built[0])


def _module_at(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kernels() -> Iterator[tuple[str, Callable[[], Kernel]]]:
    """Every way to have the kernel, by name; making it may take seconds, or raise `NoCompiler`."""
    yield "python", uncompiled
    yield "numba", with_numba
    yield "Cython", with_cython
