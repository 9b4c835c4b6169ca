"""What the store commands say: as plain data for ``--json``, and as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from shadowshare.cli.output import human_size, print_fields, print_table
from shadowshare.protocol.checking import CheckResult, Finding
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import Settings
from shadowshare.protocol.passive import ShadowCopyInfo
from shadowshare.sim.real.passive_store import Usage

_NANOSECONDS = 10**9


def geometry_as_dict(geometry: Geometry) -> dict[str, Any]:
    """Sizes and positions in bytes, counts as they are."""
    size = geometry.sector_bytes
    return {
        "store_id": geometry.store_id.hex(),
        "sector_bytes": size,
        "extent_bytes": geometry.extent_sectors * size,
        "volume_bytes": geometry.volume_bytes,
        "extent_count": geometry.extent_count,
        "area_is_on_another_device": geometry.area_device != 0,
        "area_offset_bytes": geometry.area_sector * size,
        "area_bytes": geometry.area_sector_count * size,
        "half_block_count": geometry.half_block_count,
        "slot_count": geometry.slot_count,
    }


def shadow_copies_as_dicts(infos: Sequence[ShadowCopyInfo]) -> list[dict[str, Any]]:
    """Shadow copies, oldest first; ``created`` is in UTC, and None if it was not recorded."""
    return [
        {
            "id": str(info.id),
            "created": _time(info.created_ns),
            "created_ns": info.created_ns,
            "state": "valid" if info.is_valid else "invalidated",
            "own_copy_count": info.own_copy_count,
        }
        for info in infos
    ]


def _time(created_ns: int) -> str | None:
    """A time as ISO 8601 in seconds; None for no time, or one that no calendar has."""
    if not created_ns:
        return None
    try:
        return datetime.fromtimestamp(created_ns // _NANOSECONDS, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def settings_as_dict(settings: Settings) -> dict[str, Any]:
    """What gives way when an extent cannot be copied."""
    return {"policy": settings.policy.value, "warning_percent": settings.warning_percent}


def policy_in_words(settings: dict[str, Any]) -> str:
    """What `settings_as_dict` returned, in one line."""
    percent = settings["warning_percent"]
    return f"{settings['policy']}; " + (f"warns at {percent} % of the slots" if percent else "no warning")


def show_as_dict(geometry: Geometry, usage: Usage, infos: Sequence[ShadowCopyInfo]) -> dict[str, Any]:
    """The state of a store."""
    shadow_copies = shadow_copies_as_dicts(infos)
    for described, inherited_copy_count in zip(shadow_copies, usage.inherited_copy_counts, strict=False):
        described["inherited_copy_count"] = inherited_copy_count
    return {
        "store": {**geometry_as_dict(geometry), "slot_count": usage.slot_count},
        "journal": {
            "epoch": usage.epoch,
            "generation": usage.generation,
            "sequence": usage.sequence,
            "used_block_count": usage.used_block_count,
            "free_block_count": geometry.half_block_count - usage.used_block_count,
        },
        "slots": {
            "used_count": usage.used_slot_count,
            "free_count": usage.slot_count - usage.used_slot_count,
            "is_low": usage.is_area_low,
        },
        "settings": settings_as_dict(usage.settings),
        "reverting_to": None if usage.reverting is None else str(usage.reverting),
        "shadow_copies": shadow_copies,
    }


def print_show(described: dict[str, Any]) -> None:
    """Print what `show_as_dict` returned."""
    store, journal, slots = described["store"], described["journal"], described["slots"]
    area = human_size(store["area_bytes"])
    place = (
        "on another device"
        if store["area_is_on_another_device"]
        else f"from byte {store['area_offset_bytes']}"
    )
    unfinished = described["reverting_to"]
    print_fields(
        {
            "store": store["store_id"],
            "volume": f"{human_size(store['volume_bytes'])}, {store['extent_count']} extents of "
            f"{human_size(store['extent_bytes'])}, sectors of {human_size(store['sector_bytes'])}",
            "area": f"{area} {place}",
            "journal": f"{journal['used_block_count']} of {store['half_block_count']} blocks used; epoch "
            f"{journal['epoch']}, generation {journal['generation']}, sequence {journal['sequence']}",
            "slots": f"{slots['used_count']} of {store['slot_count']} used"
            + (", nearly full" if slots["is_low"] else ""),
            "policy": policy_in_words(described["settings"]),
            **(
                {"revert": f"to {unfinished}, not finished: the next write goes on with it"}
                if unfinished
                else {}
            ),
        }
    )
    click.echo()
    rows = [
        [one["id"], one["created"] or "-", one["state"], one["own_copy_count"], one["inherited_copy_count"]]
        for one in described["shadow_copies"]
    ]
    print_table(["ID", "CREATED", "STATE", "COPIES", "INHERITED"], rows)


def check_as_dict(result: CheckResult) -> dict[str, Any]:
    """What a check came to."""
    return {
        "verdict": "intact" if result.is_intact else "damaged",
        "findings": [_finding_as_dict(finding) for finding in result.findings],
        "store": geometry_as_dict(result.geometry),
        "journal": {
            "epoch": result.end.epoch,
            "generation": result.end.generation,
            "sequence": result.end.sequence,
            "used_block_count": result.used_block_count,
            "halves": list(result.block_counts),
        },
        "shadow_copy_count": result.shadow_copy_count,
        "used_slot_count": result.used_slot_count,
        "slot_count": result.slot_count,
    }


def _finding_as_dict(finding: Finding) -> dict[str, Any]:
    repair = None if finding.repair is None else finding.repair.what
    return {**finding._asdict(), "repair": repair}


def print_check(result: CheckResult) -> None:
    """Print what a check came to."""
    for finding in result.findings:
        click.echo(f"{finding.where}: {finding.what}\n    {finding.advice}")
    if result.is_intact:
        click.echo(
            f"intact: {result.shadow_copy_count} shadow copies, {result.used_slot_count} of "
            f"{result.slot_count} slots and {result.used_block_count} of "
            f"{result.geometry.half_block_count} journal blocks used"
        )
    else:
        click.echo(f"damaged: {len(result.findings)} finding{'s' if len(result.findings) > 1 else ''}")
