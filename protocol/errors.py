"""Everything that can go wrong, split by whose fault it is.

``DiskError``    the disk said no: the world raises these, the protocol passes them on or survives them.
``StoreError``   what is on the disk is not a store this code may use.
``Refusal``      the caller asked for something that the protocol does not do.

The message of each says what is wrong, where, and what to do. None of them is ever raised after wrong bytes were
returned.
"""


class ShadowshareError(Exception):
    """Base of all errors that this package raises on purpose.

    Two errors of the same class and message are equal: an error is an answer, or a result, like any other.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShadowshareError) and type(self) is type(other) and self.args == other.args

    def __hash__(self) -> int:
        return hash((type(self), self.args))


# -- the disk ----------------------------------------------------------------------------------------------------


class DiskError(ShadowshareError):
    """An operation on a device failed. Of a write, it is not known whether it took effect, or still will."""


class ReadError(DiskError):
    """A read failed; nothing was returned."""


class WriteError(DiskError):
    """A write, discard or write-zeroes was reported as failed. It may have landed, wholly or in part."""


class FlushError(DiskError):
    """A flush failed: writes completed before it may be lost. The active that sees it counts as crashed."""


class Fenced(DiskError):
    """Another host holds the reservation of this device: the write was refused and did not land."""


# -- the store ---------------------------------------------------------------------------------------------------


class StoreError(ShadowshareError):
    """What is on the disk cannot be used as a store."""


class NotAStore(StoreError):
    """No superblock was found where one must be."""


class SuperblockDamaged(StoreError):
    """A superblock is there, but neither copy is intact."""


class UnsupportedFormat(StoreError):
    """The store was written in another version of the format."""


class GeometryMismatch(StoreError):
    """The geometry does not fit the device, or contradicts itself."""


class JournalDamaged(StoreError):
    """A journal block is neither empty nor intact, or a record in it cannot be true."""


# -- the caller --------------------------------------------------------------------------------------------------


class Refusal(ShadowshareError):
    """The request cannot be carried out; nothing was changed by it."""


class ReadOnly(Refusal):
    """A passive computer never writes."""


class OutOfRange(Refusal):
    """A byte range reaches beyond the volume, or is not aligned to sectors where it must be."""


class ShadowCopyNotFound(Refusal):
    """No shadow copy of this id exists: it was deleted, or was never created."""


class ShadowCopyInvalidated(Refusal):
    """The shadow copy lost its image when a copy could not be made. It can only be deleted."""


class AreaFull(Refusal):
    """No free slot is left in the differential area, so the extent could not be preserved: the write was not done."""


class JournalFull(Refusal):
    """A summary of the shadow copies would no longer fit in a half of the journal: delete some."""


class FormatTooOld(Refusal):
    """The store was made in a version of the format that has no room for what was asked."""


class AreaInUse(Refusal):
    """The differential area cannot be made smaller."""


class TooManyShadowCopies(Refusal):
    """The store already holds as many shadow copies as the format allows."""


class CannotOpen(Refusal):
    """A file or device cannot be used as a disk: the message says which, why, and what would do."""


class Locked(Refusal):
    """Another active of this machine has the disk open for writing."""


class ActiveStopped(Refusal):
    """This active met an error after which only recovery, under a new fence, may write. Open the store again."""
