"""A store on a real file: format it, create a shadow copy, write, and read the shadow copy back as a passive computer.

Run it with ``python examples/real_store.py``, or name the file that it should make.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from shadowshare.sim.real.store import FormatOptions, Store

VOLUME_BYTES = 4 * 1024 * 1024


def main(image: Path) -> None:
    """Make a volume of 4 MiB in ``image``, change it, and read what it held before."""
    image.write_bytes((b"before " * 600_000)[:VOLUME_BYTES])
    store = Store(image)
    store.format(FormatOptions(area_bytes=16 * 1024 * 1024))

    # The active computer: one at a time, it locks the image.
    with store.open_active() as active:
        shadow_copy = active.create()
        active.write(0, b"after  " * 1000)

        # A passive computer. It opens the image read-only, takes no lock, and reads while the active is at work.
        with store.open_passive() as passive:
            print("live volume:", bytes(passive.read_live(0, 21)).decode())
            print("shadow copy:", bytes(passive.read(shadow_copy, 0, 21)).decode())
            active.write(7000, b"even later")
            print("still      :", bytes(passive.read(shadow_copy, 6993, 21)).decode())

    print("the store is", "intact" if store.check().is_intact else "damaged")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder) / "disk.img")
