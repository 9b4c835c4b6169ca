"""All that an object remembers, whoever wrote it: so that two hosts are taken for one only if they are.

An implementation says with ``digest`` what it remembers between two requests. What it forgets to say, a value that a
request leaves in an attribute, would be lost where hosts merge, and a bug that needs it would never be seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any

_DIGEST_BYTES = 16
_ATOMS = frozenset({int, str, bytes, bool, float, type(None)})
_CODE = (type, FunctionType, MethodType, BuiltinMethodType)


def remembered(thing: object) -> bytes:
    """A digest of what can be reached from ``thing`` by attributes, and in containers; 16 bytes.

    Equal for equal contents, but for the order in which shared parts are met: then it may differ, which only costs
    that two states are not taken for one. Of an object without attributes only its type counts.
    """
    return blake2b(repr(_content(thing, {})).encode(), digest_size=_DIGEST_BYTES).digest()


def _content(thing: Any, met: dict[int, Hashable]) -> Hashable:
    """``thing`` as nested tuples of atoms; what was ``met`` before as a reference."""
    kind = type(thing)
    if kind in _ATOMS:
        return thing  # type: ignore[no-any-return]
    if isinstance(thing, Enum):
        return str(thing)
    if isinstance(thing, _CODE):
        return thing.__qualname__
    if isinstance(thing, bytearray | memoryview):
        return bytes(thing)
    if kind is tuple:
        return tuple([_content(part, met) for part in thing])
    if id(thing) in met:
        return met[id(thing)]
    met[id(thing)] = ("met", len(met))
    return (kind.__qualname__, *_parts(thing, met))


def _parts(thing: Any, met: dict[int, Hashable]) -> list[Hashable]:
    if isinstance(thing, dict):
        pairs = [(_content(key, met), _content(value, met)) for key, value in thing.items()]
        return [*sorted(pairs, key=repr), *_attributes(thing, met)]
    if isinstance(thing, set | frozenset):
        return sorted([_content(part, met) for part in thing], key=repr)
    if isinstance(thing, list | tuple | deque):
        return [*[_content(part, met) for part in thing], *_attributes(thing, met)]
    return _attributes(thing, met)


def _attributes(thing: Any, met: dict[int, Hashable]) -> list[Hashable]:
    names = _slots_of(type(thing))  # type: ignore[arg-type]
    found = [(name, getattr(thing, name)) for name in names if hasattr(thing, name)]
    found += sorted(getattr(thing, "__dict__", {}).items())
    return [(name, _content(value, met)) for name, value in found]


@lru_cache(maxsize=1024)
def _slots_of(kind: type) -> tuple[str, ...]:
    """Attributes that a class declares in ``__slots__``, those of its bases, too."""
    names: list[str] = []
    for base in kind.__mro__:
        declared = base.__dict__.get("__slots__", ())
        names += [declared] if isinstance(declared, str) else declared
    return tuple([name for name in dict.fromkeys(names) if name not in ("__dict__", "__weakref__")])
