"""What the store commands have in common about what gives way when an extent cannot be copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from shadowshare.protocol.policy import WARNING_PERCENT_MAXIMUM, Policy
from shadowshare.sim.real.store import ActiveStore

POLICY_NAMES = [policy.value for policy in Policy]
POLICY_HELP = "What gives way when an extent cannot be copied; see `shadowshare store policy --help`."
PERCENT = click.IntRange(0, WARNING_PERCENT_MAXIMUM)


@contextmanager
def telling_who_gives_way(active: ActiveStore) -> Iterator[None]:
    """Says afterwards on standard error which shadow copies gave way, and whether the area is nearly full."""
    before = active.intact_shadow_copies()
    try:
        yield
    finally:
        view = active.active.view
        existing = [copy.id for copy in view.shadow_copies]
        for shadow_copy in before:
            if shadow_copy not in existing:
                click.echo(f"shadow copy {shadow_copy} was deleted to make room", err=True)
            elif shadow_copy not in active.intact_shadow_copies():
                click.echo(f"shadow copy {shadow_copy} lost its image: it can only be deleted", err=True)
        if view.is_area_low:
            click.echo(
                f"the differential area is nearly full: {active.active.free_slot_count} of "
                f"{view.slot_count} slots are free",
                err=True,
            )
