"""The store commands that only read: list, read, changed, export, check, show."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from shadowshare.cli.output import SIZE, bytes_progress, json_option, print_json, print_table
from shadowshare.cli.store_arguments import PATH, takes_store
from shadowshare.cli.store_descriptions import (
    check_as_dict,
    print_check,
    print_show,
    shadow_copies_as_dicts,
    show_as_dict,
)
from shadowshare.protocol.checking import CheckResult, Repair
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.sim.real.export import export_to_path, export_to_stream
from shadowshare.sim.real.passive_store import PassiveStore
from shadowshare.sim.real.store import Store

_EXIT_DAMAGED = 1


@click.command("list")
@takes_store
@json_option
def list_command(store: Store, as_json: bool) -> None:
    """List the shadow copies, oldest first.

    Example: shadowshare store list disk.img
    """
    with store.open_passive() as passive:
        described = shadow_copies_as_dicts(passive.shadow_copies())
    if as_json:
        print_json({"shadow_copies": described})
        return
    rows = [[one["id"], one["created"] or "-", one["state"], one["own_copy_count"]] for one in described]
    print_table(["ID", "CREATED", "STATE", "COPIES"], rows)


def _chosen(passive: PassiveStore, shadow_copy: str | None, is_live: bool) -> ShadowCopyId | None:
    """The shadow copy that was asked for; None is the live volume."""
    if is_live == (shadow_copy is not None):
        raise click.UsageError("name a shadow copy by its ID, or say --live, one of the two")
    return None if shadow_copy is None else passive.find(shadow_copy)


@click.command()
@takes_store
@click.argument("shadow_copy", metavar="ID", required=False)
@click.option("--live", is_flag=True, help="Read the volume as it is now. An active may be changing it.")
@click.option("--offset", type=SIZE, default=0, help="First byte.  [default: 0]")
@click.option("--length", type=SIZE, help="How many bytes.  [default: up to the end]")
@click.option("-o", "--output", type=PATH, default="-", help="File to write to.  [default: standard output]")
def read(
    store: Store, shadow_copy: str | None, live: bool, offset: int, length: int | None, output: Path
) -> None:
    """Write bytes of the shadow copy ID to standard output, or to a file.

    Example: shadowshare store read disk.img newest --offset 1M --length 64K -o piece.bin
    """
    with store.open_passive() as passive:
        chunks = passive.chunks(_chosen(passive, shadow_copy, live), offset, length)
        if str(output) == "-":
            export_to_stream(chunks, sys.stdout.buffer)
        else:
            export_to_path(chunks, output, store.paths)


@click.command()
@takes_store
@click.argument("shadow_copy", metavar="ID", required=False)
@click.option("--live", is_flag=True, help="Export the volume as it is now. An active may be changing it.")
@click.option("-o", "--output", type=PATH, required=True, help="File to write to, or - for standard output.")
@json_option
def export(store: Store, shadow_copy: str | None, live: bool, output: Path, as_json: bool) -> None:
    """Export the whole shadow copy ID. A file appears only when it is complete; zeroes become holes.

    Example: shadowshare store export disk.img newest -o backup.img
    """
    is_stream = str(output) == "-"
    if is_stream and as_json:
        raise click.UsageError("standard output cannot take both the export and --json: export to a file")
    with store.open_passive() as passive:
        chosen = _chosen(passive, shadow_copy, live)
        with bytes_progress("exporting", passive.geometry.volume_bytes) as advance:
            chunks = passive.chunks(chosen)
            if is_stream:
                export_to_stream(chunks, sys.stdout.buffer, advance)
                return
            exported_bytes = export_to_path(chunks, output, store.paths, advance)
    if as_json:
        name = "live" if chosen is None else str(chosen)
        print_json({"id": name, "output": str(output), "exported_bytes": exported_bytes})


@click.command()
@takes_store
@click.option(
    "--repair", is_flag=True, help="Say what can be put right without guessing, ask, do it, and check again."
)
@click.option("--yes", is_flag=True, help="With --repair: do not ask.")
@json_option
@click.pass_context
def check(context: click.Context, store: Store, repair: bool, yes: bool, as_json: bool) -> None:
    """Check the store's integrity: superblocks, journal, and whether its records can be true.

    Exits with 0 if it is intact, 1 if it is damaged, 2 if that could not be told. The data in volume and slots has no
    checksums: only the file system in it can tell whether that is intact.

    With --repair no active may use the store, on any computer. A copy of the superblock is written again from the
    other one, and what does not belong into the unused half of the journal becomes zero. With --json nothing is
    changed unless --yes is given.

    Example: shadowshare store check disk.img --repair
    """
    if yes and not repair:
        raise click.UsageError("--yes says yes to --repair: give both")
    result = store.check()
    if not as_json:
        print_check(result)
    repaired: Sequence[Repair] = ()
    if repair and _may_repair(result, yes, as_json):
        repaired, result = store.repair()
        if not as_json:
            click.echo(f"repaired: {len(repaired)}")
            print_check(result)
    if as_json:
        print_json({**check_as_dict(result), "repaired": [one.what for one in repaired]})
    if not result.is_intact:
        context.exit(_EXIT_DAMAGED)


def _may_repair(result: CheckResult, yes: bool, as_json: bool) -> bool:
    """Say what would be done, and ask."""
    if as_json:
        return yes and bool(result.repairs)
    if not result.repairs:
        click.echo("there is nothing that can be repaired without guessing")
        return False
    for one in result.repairs:
        click.echo(f"would {one.what}")
    if yes or (sys.stdin.isatty() and click.confirm("Do it?")):
        return True
    click.echo("nothing was changed: say --yes to do it")
    return False


@click.command()
@takes_store
@json_option
def show(store: Store, as_json: bool) -> None:
    """Show sizes and positions, how full journal and slots are, and the shadow copies.

    Example: shadowshare store show disk.img
    """
    with store.open_passive() as passive:
        described = show_as_dict(passive.geometry, passive.usage(), passive.shadow_copies())
    if as_json:
        print_json(described)
    else:
        print_show(described)


@click.command()
@takes_store
@click.argument("base", metavar="ID")
@click.argument("target", metavar="[ID]", required=False)
@json_option
def changed(store: Store, base: str, target: str | None, as_json: bool) -> None:
    """List the parts of the volume that may differ between two shadow copies, or between one and the volume now.

    Whatever differs is in the list, so it is what an incremental backup has to read; what was written with the same
    bytes is in it, too. Compared with the volume it is right as of the moment when the command began: to back up while
    an active writes, create a shadow copy first, and compare with that.

    Example: shadowshare store changed disk.img 1.1 newest
    """
    with store.open_passive() as passive:
        ranges = passive.changed(passive.find(base), None if target is None else passive.find(target))
    if as_json:
        print_json({"changed": [{"offset": offset, "length_bytes": length} for offset, length in ranges]})
    else:
        print_table(["OFFSET", "BYTES"], ranges)


commands = [list_command, read, changed, export, check, show]
