"""What a compiled kernel would bring: ``python -m bench.kernel [--json] [--rounds 5] [--only toy ghost]``.

In each round everything is measured once, one after the other, so that what else the machine does hits all alike; a
ratio is the median of the rounds' ratios. Seconds are of the processor. Every search must meet the same states.
"""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from time import process_time
from typing import Any

from bench.kernel.compilers import NoCompiler, kernels, search_with_mypyc
from bench.kernel.packed import Kernel, PackedSearch
from bench.kernel.workloads import workloads

from shadowshare.verify.exploration import search as search_module
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.exploration.search import Search

STATE_COUNT_MAXIMUM = 10**7
PHASES = ("cold", "learnt", "schedules", "rest")
"""Searching, learning as it goes; searching when all is learnt; counting schedules; depth and choices."""

PURE = search_module
PLAIN = "search.py"
WITHOUT_COLLECTOR = "search.py, no gc"

Seconds = dict[str, float]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call took, and what it returned."""
    start = process_time()
    found = call()
    return process_time() - start, found


def run_search(make: Callable[[], Product], module: Any) -> tuple[Seconds, Any, int | None]:
    """The project's search, compiled or not, and all else that an exploration says."""
    product = make()
    cold, _ = timed(lambda: module.Search(product).run(module.Budget(STATE_COUNT_MAXIMUM)))
    search = module.Search(product)
    learnt, _ = timed(lambda: search.run(module.Budget(STATE_COUNT_MAXIMUM)))
    schedules, schedule_count = timed(search.schedule_count)
    rest, _ = timed(lambda: (search.depth_steps(), search.choice_counts()))
    if not search.is_exhausted:
        raise AssertionError("the experiment is about searches that cover everything")
    return dict(zip(PHASES, (cold, learnt, schedules, rest), strict=True)), search, schedule_count


def run_packed(make: Callable[[], Product], kernel: Kernel) -> tuple[Seconds, PackedSearch, int | None]:
    """A kernel's."""
    product = make()
    first = PackedSearch(product, kernel)
    cold, _ = timed(first.run)
    second = PackedSearch(product, kernel)
    learnt, _ = timed(second.run)
    schedules, schedule_count = timed(second.schedule_count)
    second.call_count = first.call_count
    return {"cold": cold, "learnt": learnt, "schedules": schedules}, second, schedule_count


def check_same(
    search: Search, schedule_count: int | None, packed: PackedSearch, its_count: int | None
) -> None:
    """See to it that a kernel met the same states in the same order, and counted the same schedules."""
    known = (len(search.states), search.step_count, schedule_count)
    assert (packed.state_count, packed.step_count, its_count) == known
    assert list(packed.parents[1 : packed.state_count]) == search.parents[1:]
    assert [packed.unpack(state) for state in packed.states[: packed.state_count]] == search.states


def run_round(
    make: Callable[[], Product], compiled: Sequence[Kernel], mypyc: Any
) -> tuple[dict[str, Seconds], dict[str, dict[str, Any]]]:
    """By engine: the seconds of everything, once; and what else there is to say."""
    seconds, search, schedule_count = run_search(make, PURE)
    found, said = {PLAIN: seconds}, {}
    searches = {WITHOUT_COLLECTOR: partial(uncollected, partial(run_search, make, PURE))}
    if mypyc is not None:
        searches["search.py, mypyc"] = partial(run_search, make, mypyc)
    for engine, run in searches.items():
        found[engine], other, count = run()
        assert (other.states, other.step_count, count) == (search.states, search.step_count, schedule_count)
    for kernel in compiled:
        engine = f"kernel, {kernel.name}"
        found[engine], packed, count = run_packed(make, kernel)
        check_same(search, schedule_count, packed, count)
        bytes_per_state = round(packed.size_bytes() / packed.state_count)
        said[engine] = {"calls": packed.call_count, "bytes_per_state": bytes_per_state}
    size = {"states": len(search.states), "transitions": search.step_count}
    return found, {engine: {**size, **said.get(engine, {})} for engine in found}


def uncollected(run: Callable[[], Any]) -> Any:
    """What a call returns, made with no garbage collector."""
    gc.disable()
    try:
        return run()
    finally:
        gc.enable()


def measure(name: str, compiled: Sequence[Kernel], mypyc: Any, round_count: int) -> Iterator[dict[str, Any]]:
    """A row for the project's search on one workload, and one for each other way."""
    runs = [run_round(workloads()[name], compiled, mypyc) for _ in range(round_count)]
    for engine, said in runs[0][1].items():
        yield {"model": name, "engine": engine, **said, **summary(engine, [seconds for seconds, _ in runs])}


def summary(engine: str, rounds: Sequence[dict[str, Seconds]]) -> dict[str, Any]:
    """Medians of an engine's seconds, and of their ratios to those of the project's search."""
    seconds = {phase: median(found[engine][phase] for found in rounds) for phase in rounds[0][engine]}
    ratios = {
        phase: median(found[PLAIN][phase] / max(found[engine][phase], 1e-6) for found in rounds)
        for phase in seconds
    }
    # A kernel has no loops for the rest: there it is what Python takes.
    whole = median(_whole(found[PLAIN]) / _whole({**found[PLAIN], **found[engine]}) for found in rounds)
    return {"seconds": seconds, "times_faster": {**ratios, "end_to_end": whole}}


def _whole(seconds: Seconds) -> float:
    return seconds["cold"] + seconds["schedules"] + seconds["rest"]


def show(row: dict[str, Any]) -> str:
    """A row for people."""
    seconds, faster = row["seconds"], row["times_faster"]
    cells = [f"{seconds[phase]:>9.3f}" if phase in seconds else " " * 9 for phase in PHASES]
    ratios = [f"{faster[key]:>7.1f}" for key in ("cold", "learnt", "schedules", "end_to_end")]
    share = f"{max(0.0, 1 - seconds['learnt'] / seconds['cold']):>6.0%}"
    rates = [f"{row[what] / seconds['learnt']:>13,.0f}" for what in ("states", "transitions")]
    calls = f"{row.get('calls', ''):>7}{row.get('bytes_per_state', ''):>6}"
    return (
        f"{row['model']:28}{row['engine']:18}{''.join(cells)}{share}{''.join(rates)}{''.join(ratios)}{calls}"
    )


HEADER = (
    f"{'model':28}{'engine':18}{'cold':>9}{'learnt':>9}{'count':>9}{'rest':>9}{'learn':>6}{'states/s':>13}"
    f"{'transitions/s':>13}{'x cold':>7}{'learnt':>7}{'count':>7}{'whole':>7}{'calls':>7}{'bytes':>6}"
)


def compile_all(uncompiled: bool) -> tuple[list[str], list[Kernel], Any]:
    """What is installed, and how long it took to compile, in words; the kernels; the search as mypyc compiles it."""
    notes, compiled, mypyc = [], [], None
    for name, make in kernels():
        if name == "python" and not uncompiled:
            continue
        try:
            compiled.append(make())
            notes.append(f"{name} {compiled[-1].version}: compiled in {compiled[-1].compile_seconds:.1f} s")
        except NoCompiler as problem:
            notes.append(f"{name}: {problem}")
    try:
        mypyc, its_version, seconds = search_with_mypyc()
        notes.append(f"mypyc {its_version}: compiled verify/exploration/search.py in {seconds:.1f} s")
    except NoCompiler as problem:
        notes.append(f"mypyc: {problem}")
    return notes, compiled, mypyc


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.kernel", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many (default: %(default)s)")
    parser.add_argument("--only", nargs="+", default=[""], help="models whose names begin so")
    parser.add_argument("--uncompiled", action="store_true", help="run the kernel as plain Python, too: slow")
    asked = parser.parse_args(arguments)
    notes, compiled, mypyc = compile_all(asked.uncompiled)
    names = [name for name in workloads() if name.startswith(tuple(asked.only))]
    if not asked.json:
        print("\n".join([*notes, HEADER]))
    rows = []
    for name in names:
        for row in measure(name, compiled, mypyc, asked.rounds):
            rows.append(row)
            if not asked.json:
                print(show(row), flush=True)
    if asked.json:
        print(json.dumps({"notes": notes, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
