"""The protocol's figures, each from one run on this machine: ``python -m bench.protocol [--json]``.

- the view: bytes per copied extent, and time of a look-up, from 10^3 to 10^6 entries (``--large``: 10^7);
- the stepped world: steps per second for one writer and two readers;
- export: a passive's sequential export against plain O_DIRECT reads of the same size on the same file.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from typing import Any

from bench import export, stepped, view

from shadowshare.protocol.errors import CannotOpen

MIB = 1024 * 1024


def measure(export_mib: int, round_count: int, large: bool) -> dict[str, Any]:
    """All figures."""
    counts = (*view.ENTRY_COUNTS, 10**7) if large else view.ENTRY_COUNTS
    figures: dict[str, Any] = {
        "python": platform.python_version(),
        "view": view.measure(counts),
        "stepped": stepped.measure(round_count),
    }
    try:
        figures["export"] = export.measure(export_mib * MIB, round_count=round_count)
    except CannotOpen as error:
        figures["export"] = {"skipped": str(error)}
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(f"Python {figures['python']}\n\nview: copied extents  bytes each  look-up ns  apply ns")
    for row in figures["view"]:
        sizes = f"{row['bytes_per_entry']:12}{row['look_up_ns']:12}{row['apply_ns']:10}"
        print(f"{row['entries']:20,}{sizes}")
    print("\nstepped world, one writer and two readers      steps/s, median    best")
    for row in figures["stepped"]:
        print(f"{row['name']:44}{row['steps_per_second']:18,}{row['steps_per_second_best']:10,}")
    result = figures["export"]
    if "skipped" in result:
        print(f"\nexport: skipped, {result['skipped']}")
        return
    print(
        f"\nexport of {result['size_bytes'] // MIB} MiB, MiB/s; in brackets: share of plain reads, of huge-page ones"
    )
    print("request    plain   into huge pages   passive, batches of 16 MiB   one request at a time")
    for row in result["requests"]:
        figures = {
            name: f"{row[f'{name}_bytes_per_second'] / MIB:,.0f}"
            for name in ("plain", "plain_huge", "batch", "single")
        }
        shares = {
            way: f"({row[f'{way}_ratio']:.2f}, {row[f'{way}_ratio_huge']:.2f})" for way in ("batch", "single")
        }
        size = f"{row['request_bytes'] // 1024} KiB"
        batch, single = (f"{figures[way]} {shares[way]}" for way in ("batch", "single"))
        print(f"{size:8}{figures['plain']:>8}{figures['plain_huge']:>18}{batch:>29}{single:>24}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--large", action="store_true", help="also 10^7 entries (needs some 3 GiB of memory)")
    parser.add_argument(
        "--export-mib", type=int, default=1024, help="size of the exported image (default 1024)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="medians are of so many (default 5)")
    arguments = parser.parse_args()
    figures = measure(arguments.export_mib, arguments.rounds, arguments.large)
    if arguments.json:
        json.dump(figures, sys.stdout, indent=2)
        print()
    else:
        show(figures)


if __name__ == "__main__":
    main()
