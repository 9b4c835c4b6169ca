"""Putting right what can be put right without guessing. `shadowshare.protocol.checking` says what that is.

What is repaired: a copy of the superblock, from the other one, if the journal to which that one leads is sound; and
sectors of the half of the journal that is not in use, which hold something else than it may, and become zero. Nothing
that the store holds now depends on either, nor does any passive whose view is still in the older half come there: so
what stands before its SEAL stays as it is. What a damaged block of the journal said, nobody can know.
"""

from __future__ import annotations

from shadowshare.protocol.checking import CheckResult, Repair, check_store
from shadowshare.protocol.geometry import Location
from shadowshare.protocol.operations import Flush, Reserve, Write


async def repair_store(location: Location) -> tuple[tuple[Repair, ...], CheckResult]:
    """Fence every other host, check, repair, and check again.

    The store must have no active: this host is the one that writes. An active that is fenced by this stops.

    Returns:
        What was repaired, and what the second check came to.

    Raises:
        StoreError: nothing is known of the store.
        DiskError: the disk failed; some of the repairs may have been made.
    """
    await Reserve(location.area_device)
    await Flush(location.area_device)
    found = await check_store(location)
    for repair in found.repairs:
        await Write(repair.device, repair.sector, len(repair.contents), b"".join(repair.contents))
    if not found.repairs:
        return (), found
    await Flush(location.area_device)
    return found.repairs, await check_store(location)
