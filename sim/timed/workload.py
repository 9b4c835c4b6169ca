"""What a host's users ask for, and when: what a workload has to offer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from numpy.random import Generator

from shadowshare.protocol.layout import ShadowCopyId

ACTIVE_REQUESTS = ("read", "write", "zero", "discard", "flush", "create", "delete")
PASSIVE_REQUESTS = ("read", "catch-up", "scan", "scan-changes")


class HostRequest(NamedTuple):
    """One request of a user of a host.

    Attributes:
        gap_ns: in a closed workload, the pause since this client's previous request was done; in an open one, the
            time since the previous request arrived.
        verb: an active's is one of `ACTIVE_REQUESTS`: ``read`` is of the live volume, ``create`` makes a shadow copy,
            ``delete`` deletes the oldest one. A passive's is one of `PASSIVE_REQUESTS`: ``read`` is of a shadow copy;
            ``scan`` leads to reads of all of one, ``scan-changes`` to reads of what changed since this client's scan
            before (the first one: since the start).
        offset: first byte of the volume, a multiple of the sector size; 0 where no place is needed.
        length: bytes, a multiple of the sector size; 0 where no place is needed. Of a scan: of each of its reads.
        age: of a passive's read or scan: 0 is of the newest shadow copy that it knows of, 1 of the one before it, ...
        pause_ns: of a scan: the gap before each of its reads.
        shadow_copy: of a read: which one, whatever its age; None for the one that ``age`` says.
    """

    gap_ns: int
    verb: str
    offset: int = 0
    length: int = 0
    age: int = 0
    pause_ns: int = 0
    shadow_copy: ShadowCopyId | None = None


class Workload(Protocol):
    """Says what a host's users ask for; an immutable description.

    Attributes:
        is_open: whether requests arrive without waiting for earlier ones.
        client_count: closed: clients, each with an iterator and a random stream of its own. Open: how many requests
            the host serves at a time; those beyond wait in order of arrival, and their waiting counts.
    """

    @property
    def is_open(self) -> bool:
        """See above."""

    @property
    def client_count(self) -> int:
        """See above."""

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """The requests of one client (closed), or of all (open), in order; the run may stop before they end.

        Args:
            random: where every draw comes from; nobody else draws from it.
            volume_bytes: size of the volume; a request lies within it.
            sector_bytes: offsets and lengths are multiples of it.
        """
