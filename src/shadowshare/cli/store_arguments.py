"""What every store command is given: where the store is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from shadowshare.cli.output import SIZE, print_json
from shadowshare.sim.real.store import Store

PATH = click.Path(path_type=Path, readable=False)  # opening it says better what is wrong


def takes_store(command: Callable[..., None]) -> Callable[..., None]:
    """Adds IMAGE, ``--area`` and ``--area-offset``, which a command takes as its first argument, a `Store`."""

    @click.argument("image", type=PATH)
    @click.option("--area", type=PATH, help="The device with the differential area, if it is another one.")
    @click.option(
        "--area-offset",
        type=SIZE,
        help="Where the area begins on IMAGE, if the superblock at its end is damaged.  [default: search for it]",
    )
    @wraps(command)
    def taking_paths(image: Path, area: Path | None, area_offset: int | None, **options: object) -> None:
        command(Store(image, area, area_offset_bytes=area_offset), **options)

    return taking_paths


def print_one(name: str, value: object, as_json: bool) -> None:
    """Print the one thing that a command has to say."""
    if as_json:
        print_json({name: value})
    else:
        click.echo(value)
