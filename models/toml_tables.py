"""Reading TOML files that people write: every field checked, and everything that is wrong said at once, with its place.

What a file may contain is a ``msgspec.Struct``; fields that are structs, or lists or tables of them, are read likewise.
A list of one table may be that table. Of several structs that a field may be, their tag says which one it is. A struct
that refuses its values when it is made (a `ShadowshareError`) is one more thing that is wrong.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from shadowshare.protocol.errors import ShadowshareError

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_T = TypeVar("_T", bound=msgspec.Struct)


def read_text(path: Path, what: str, bytes_maximum: int) -> str:
    """The text of a file that somebody named, of which no more is read than such a file may have.

    Args:
        path: of the file.
        what: that it should be, such as ``scenario``, for messages.
        bytes_maximum: more bytes than these are no such file.

    Raises:
        ValueError: it cannot be read, is too long, or is not UTF-8; the message names the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(bytes_maximum + 1)
    except OSError as error:
        raise ValueError(f"{path}: the {what} file cannot be read: {error.strerror}") from None
    if len(content) > bytes_maximum:
        raise ValueError(f"{path}: this is no {what} file: it has more than {bytes_maximum} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: the {what} file cannot be read: it is not UTF-8 text") from None


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ValueError: it is not TOML; the message says so, and where.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # a TOMLDecodeError, or a number with too many digits
        raise ValueError(f"this is not TOML: {error}") from None
    except RecursionError:
        raise ValueError("this is not TOML that can be read: it is nested too deeply") from None


def read_table(value: Any, kind: type[_T], where: str, problems: list[str]) -> _T | None:
    """A table with fixed fields; None after adding to ``problems`` what is wrong with it.

    Args:
        value: what stands in the file.
        kind: the struct that it should be.
        where: its place in the file, such as ``faults``; the file itself is ``""``.
        problems: gets one sentence for each thing that is wrong.
    """
    if not isinstance(value, dict):
        problems.append(f"{where}: must be a table, not {value!r:.40}")
        return None
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    prefix = f"{where}." if where else ""
    count_before = len(problems)
    problems += [
        f"{prefix}{shown(key)}: there is no such field, but there are {', '.join(known)}"
        for key in value
        if key not in known
    ]
    read = {}
    for name, field in known.items():
        if name in value:
            read[field.name] = _read(value[name], field.type, prefix + name, problems)
        elif field.required:
            problems.append(f"{prefix}{name}: is missing, and must be there")
    return _made(kind, read, where, problems) if len(problems) == count_before else None


def read_one_of(value: Any, kinds: Sequence[type[_T]], where: str, problems: list[str]) -> _T | None:
    """A table that is one of several structs, which a field of it says (their ``tag_field``); see `read_table`."""
    tag_field = kinds[0].__struct_config__.tag_field
    if tag_field is None or not isinstance(value, dict):
        return read_table(value, kinds[0], where, problems)
    by_tag = {kind.__struct_config__.tag: kind for kind in kinds}
    tag = value.get(tag_field)
    if not isinstance(tag, str) or tag not in by_tag:
        place = f"{where}.{tag_field}" if where else tag_field
        told = "is missing, and must be" if tag is None else f"must not be {tag!r:.40}, but"
        problems.append(f"{place}: {told} one of {', '.join(map(str, by_tag))}")
        return None
    fields = {key: item for key, item in value.items() if key != tag_field}
    return read_table(fields, by_tag[tag], where, problems)


def shown(key: str) -> str:
    """A key of the file in a message: as it is, or in quotes if it could be misread."""
    return key if _PLAIN_KEY.fullmatch(key) else repr(key)


def _made(kind: type[_T], fields: Mapping[str, Any], where: str, problems: list[str]) -> _T | None:
    try:
        return kind(**fields)
    except ShadowshareError as error:
        problems.append(f"{where}: {error}" if where else str(error))
        return None


def _read(value: Any, kind: Any, where: str, problems: list[str]) -> Any:
    structs = _structs_of(kind)
    if structs:
        return read_one_of(value, structs, where, problems)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict and isinstance(value, dict):
        return {
            key: _read(item, arguments[1], f"{where}.{shown(key)}", problems) for key, item in value.items()
        }
    if origin is tuple and isinstance(value, dict) and _structs_of(arguments[0]):
        return (_read(value, arguments[0], where, problems),)
    if origin is tuple and isinstance(value, list) and _structs_of(arguments[0]):
        return tuple(
            _read(item, arguments[0], f"{where}[{index}]", problems) for index, item in enumerate(value)
        )
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problems.append(_explained(str(error), value, kind, where))
        return None


def _structs_of(kind: Any) -> list[type[msgspec.Struct]]:
    """The structs that a field may be; none if it is something else."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return [one for one in kinds if isinstance(one, type) and issubclass(one, msgspec.Struct)]


def _explained(error: str, value: Any, kind: Any, where: str) -> str:
    if get_origin(kind) is Literal:
        return f"{where}: must be {' or '.join(map(repr, get_args(kind)))}, not {value!r:.40}"
    reason, _, place = error.partition(" - at `$")
    reason = reason.replace("Expected", "must be").replace(", got", ", not")
    return f"{where}{place.rstrip('`')}: {reason}"
