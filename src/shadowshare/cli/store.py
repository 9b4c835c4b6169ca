"""``shadowshare store``: make and use a store on an image file or a block device."""

from __future__ import annotations

import click

from shadowshare.cli import store_changing, store_reading


@click.group()
def store() -> None:
    """Make and use a store on an image file or a block device.

    `create`, `delete`, `revert`, `grow`, `write`, `discard` and a change of the `policy` become the active computer:
    they lock the store and recover it first. The others are passive: they open everything read-only, take no lock, and
    can run while an active one writes.

    A shadow copy is named by its id, such as 1.2, or as `newest` or `oldest`. A size is a number of bytes, such as
    4096, 64K, 1GiB (powers of 1024) or 1GB (powers of 1000).
    """


for command in (*store_changing.commands, *store_reading.commands):
    store.add_command(command)

commands = [store]
