"""The store commands that change something: format, create, delete, revert, grow, write, discard, policy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from pathlib import Path

import click

from shadowshare.cli.output import SIZE, bytes_progress, human_size, json_option, print_json
from shadowshare.cli.store_arguments import PATH, print_one, takes_store
from shadowshare.cli.store_descriptions import geometry_as_dict, policy_in_words, settings_as_dict
from shadowshare.cli.store_policy import PERCENT, POLICY_HELP, POLICY_NAMES, telling_who_gives_way
from shadowshare.protocol.errors import OutOfRange, Refusal
from shadowshare.protocol.layout import Settings
from shadowshare.protocol.policy import Policy
from shadowshare.sim.real.hooks import DEFAULT_TIMEOUT_SECONDS, Hooks
from shadowshare.sim.real.store import FormatOptions, Store
from shadowshare.sim.real.store_plan import DEFAULT_EXTENT_BYTES, DEFAULT_SECTOR_BYTES
from shadowshare.sim.real.store_set import open_set


@click.command("format")
@click.argument("image", type=PATH)
@click.option("--area", type=PATH, help="Put the differential area on this device, or in this file.")
@click.option(
    "--volume-size", type=SIZE, help="How much of IMAGE is the volume.  [default: all that a file holds]"
)
@click.option(
    "--area-size", type=SIZE, help="Size of the differential area.  [default: a quarter of the volume]"
)
@click.option(
    "--extent-size", type=SIZE, default=DEFAULT_EXTENT_BYTES, help="Unit of copy-on-write.  [default: 64K]"
)
@click.option("--sector-size", type=SIZE, default=DEFAULT_SECTOR_BYTES, help="512 or 4096.  [default: 4096]")
@click.option("--journal-size", type=SIZE, help="Size of the journal.  [default: enough to fill every slot]")
@click.option(
    "--force", is_flag=True, help="Overwrite a store, or a file given as --area, that is there already."
)
@click.option(
    "--policy",
    type=click.Choice(POLICY_NAMES),
    default=POLICY_NAMES[0],
    help=f"{POLICY_HELP}  [default: {POLICY_NAMES[0]}]",
)
@click.option(
    "--warn-at", type=PERCENT, default=0, help="Warn from so many percent of used slots on.  [default: never]"
)
@json_option
def format_command(
    image: Path,
    area: Path | None,
    volume_size: int | None,
    area_size: int | None,
    extent_size: int,
    sector_size: int,
    journal_size: int | None,
    force: bool,
    policy: str,
    warn_at: int,
    as_json: bool,
) -> None:
    """Make IMAGE the volume of a new store. What the volume holds is not changed.

    The differential area is put behind it: a file grows, and a block device must have the room. With --area it is
    another file, which is made if it does not exist, or all of another device.

    Example: shadowshare store format disk.img --area-size 256M
    """
    settings = Settings(Policy(policy), warn_at)
    options = FormatOptions(volume_size, area_size, journal_size, extent_size, sector_size, settings)
    geometry = Store(image, area).format(options, force)
    if as_json:
        print_json({"store": geometry_as_dict(geometry)})
        return
    size = geometry.sector_bytes
    click.echo(
        f"made a store: volume {human_size(geometry.volume_bytes)}, differential area "
        f"{human_size(geometry.area_sector_count * size)} with {geometry.slot_count} slots of "
        f"{human_size(geometry.extent_sectors * size)}"
    )


def takes_hooks(command: Callable[..., None]) -> Callable[..., None]:
    """Adds ``--freeze``, ``--thaw`` and ``--hook-timeout``, which a command takes as ``hooks``."""

    @click.option(
        "--freeze", default="", help="Shell command that makes an application consistent, and holds it."
    )
    @click.option("--thaw", default="", help="Shell command that lets it go on. It runs in any case.")
    @click.option(
        "--hook-timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=DEFAULT_TIMEOUT_SECONDS,
        help=f"How many seconds each of them may take.  [default: {DEFAULT_TIMEOUT_SECONDS:g}]",
    )
    @wraps(command)
    def taking_hooks(*args: object, freeze: str, thaw: str, hook_timeout: float, **options: object) -> None:
        command(*args, hooks=Hooks(freeze, thaw, hook_timeout), **options)

    return taking_hooks


@click.command()
@takes_store
@takes_hooks
@json_option
def create(store: Store, hooks: Hooks, as_json: bool) -> None:
    """Create a shadow copy of the volume as it is now, and print its id.

    If --freeze fails, or takes too long, nothing is created. --thaw runs afterwards whatever happened, so it must do no
    harm when nothing is frozen.

    Example: shadowshare store create disk.img
    """
    with store.open_active() as active:
        shadow_copy = hooks.around(active.create)
    print_one("id", str(shadow_copy), as_json)


@click.command("create-set")
@click.argument("images", metavar="IMAGE[=AREA]...", type=PATH, nargs=-1, required=True)
@takes_hooks
@json_option
def create_set_command(images: tuple[Path, ...], hooks: Hooks, as_json: bool) -> None:
    """Create shadow copies of several volumes at one instant, and print their ids.

    A database may have its data on one volume and its log on another: their images must be of the same moment. No write
    of any of the volumes is carried out between the first shadow copy of the set and the last. If one cannot be
    created, none is kept. The members of a set are those with the same time of creation; a crash while a set is
    created can leave some of them.

    If the differential area is another device, name it behind a "=". --freeze and --thaw are as for `create`.

    Example: shadowshare store create-set data.img log.img
    """
    stores = [_store_named(image) for image in images]
    with open_set(stores) as store_set:
        created = hooks.around(store_set.create)
    members = [
        {"image": str(store.image), "id": str(shadow_copy)}
        for store, shadow_copy in zip(stores, created.shadow_copies, strict=True)
    ]
    if as_json:
        print_json({"created_ns": created.created_ns, "shadow_copies": members})
        return
    for member in members:
        click.echo(f"{member['id']}  {member['image']}")


def _store_named(name: Path) -> Store:
    image, equals, area = str(name).rpartition("=")
    return Store(name) if not equals or name.exists() else Store(image, area)


@click.command()
@takes_store
@click.argument("shadow_copy", metavar="ID")
@json_option
def delete(store: Store, shadow_copy: str, as_json: bool) -> None:
    """Delete the shadow copy ID, and print its id.

    Example: shadowshare store delete disk.img oldest
    """
    with store.open_active() as active:
        found = active.find(shadow_copy)
        active.delete(found)
    print_one("id", str(found), as_json)


@click.command()
@takes_store
@click.argument("shadow_copy", metavar="ID")
@click.option("--keep", is_flag=True, help="Create a shadow copy of the volume as it is now first.")
@json_option
def revert(store: Store, shadow_copy: str, keep: bool, as_json: bool) -> None:
    """Make the volume what it was when the shadow copy ID was created, and print its id.

    Every shadow copy stays, newer ones too. Nothing else may use the volume meanwhile: unmount what is on it. If this
    is interrupted the volume already counts as reverted, and the next command that changes the store goes on.

    With --keep the id of the new shadow copy is printed, too: revert to that one to undo this.

    Example: shadowshare store revert disk.img 1.1 --keep
    """
    with store.open_active() as active:
        found = active.find(shadow_copy)
        kept = active.create() if keep else None
        try:
            with bytes_progress("reverting", active.active.changed_bytes(found)) as advance:
                active.revert(found, advance)
        except Refusal:
            if kept is not None:
                active.delete(kept)
            raise
    if as_json:
        print_json({"id": str(found), "kept": None if kept is None else str(kept)})
    else:
        click.echo(found if kept is None else f"{found} (before: {kept})")


@click.command()
@takes_store
@click.argument("offset", type=SIZE)
@click.argument("file", type=PATH, default="-")
@json_option
def write(store: Store, offset: int, file: Path, as_json: bool) -> None:
    """Write FILE, or standard input, to the volume at byte OFFSET, and print how many bytes that were.

    A FILE that reaches beyond the volume is refused as a whole, but of standard input what fits is written.

    Example: shadowshare store write disk.img 1M new-data.bin
    """
    is_stream = str(file) == "-"
    opened = nullcontext(sys.stdin.buffer) if is_stream else file.open("rb")
    with opened as source, store.open_active() as active:
        known_bytes = file.stat().st_size if not is_stream and file.is_file() else 0
        if offset + known_bytes > active.geometry.volume_bytes:  # say so before anything is written
            raise OutOfRange(
                f"{known_bytes} bytes at {offset} reach beyond the volume of {active.geometry.volume_bytes} bytes"
            )
        with telling_who_gives_way(active):
            written_bytes = active.write_from(offset, source)
    print_one("written_bytes", written_bytes, as_json)


@click.command()
@takes_store
@click.argument("offset", type=SIZE)
@click.argument("length", type=SIZE)
@json_option
def discard(store: Store, offset: int, length: int, as_json: bool) -> None:
    """Discard LENGTH bytes of the volume at OFFSET, both whole sectors. They read as zeroes then.

    Example: shadowshare store discard disk.img 1M 64K
    """
    with store.open_active() as active, telling_who_gives_way(active):
        active.discard(offset, length)
    print_one("discarded_bytes", length, as_json)


@click.command()
@takes_store
@click.option(
    "--area-size",
    type=SIZE,
    help="How large the differential area is to be.  [default: up to the device's end]",
)
@json_option
def grow(store: Store, area_size: int | None, as_json: bool) -> None:
    """Make the differential area larger, and print how many slots there are then.

    A file is made longer; a block device must have the room already. Passives that read meanwhile go on. The journal
    stays as large as it is. The area never becomes smaller.

    Example: shadowshare store grow disk.img --area-size 1G
    """
    print_one("slot_count", store.grow(area_size), as_json)


@click.command("policy")
@takes_store
@click.argument("policy", type=click.Choice(POLICY_NAMES), required=False)
@click.option("--warn-at", type=PERCENT, help="Warn from so many percent of used slots on; 0 for never.")
@json_option
def policy_command(store: Store, policy: str | None, warn_at: int | None, as_json: bool) -> None:
    """Show or change what gives way when an extent cannot be copied, for lack of room or because of an error.

    `fail-write`: the write fails. `invalidate`: all shadow copies lose their image. `delete-oldest`: the oldest ones
    are deleted until there is room. Without anything to change, the store is only read.

    Example: shadowshare store policy disk.img delete-oldest --warn-at 80
    """
    if policy is None and warn_at is None:
        with store.open_passive() as passive:
            settings = passive.usage().settings
    else:
        with store.open_active() as active:
            settings = active.settings
            settings = Settings(
                settings.policy if policy is None else Policy(policy),
                settings.warning_percent if warn_at is None else warn_at,
            )
            active.set_policy(settings)
    described = settings_as_dict(settings)
    if as_json:
        print_json(described)
    else:
        click.echo(policy_in_words(described))


commands = [format_command, create, create_set_command, delete, revert, grow, write, discard, policy_command]
