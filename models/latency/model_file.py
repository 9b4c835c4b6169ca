"""Latency models as TOML files, format 1; ``docs/latency-models.md`` has every field.

A file begins with ``format = 1`` and says with ``model`` which kind it is; the other fields are those of the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shadowshare.models.latency.built_in import MODELS, AnyModel
from shadowshare.models.latency.disk_drive import DiskDrive
from shadowshare.models.latency.episodes import WithEpisodes
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.flash import Flash
from shadowshare.models.latency.network import Network
from shadowshare.models.latency.sampled import Sampled
from shadowshare.models.toml_tables import parse_toml, read_one_of, read_table, read_text

FORMAT = 1
FILE_BYTES_MAXIMUM = 16 * 1024 * 1024
KINDS: tuple[type[AnyModel], ...] = (Sampled, DiskDrive, Flash, Network, WithEpisodes)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a model comes from, for people.

    Attributes:
        text: in words.
        measured: what was measured: a path, or the name of a log.
        date: when, as ISO 8601.
        error: by how much the mean latency of another run may differ, as a share (95 %): a run of the model is not
            expected to be closer to the device than this.
    """

    text: str
    measured: str = ""
    date: str = ""
    error: float | None = None


def find_model(name_or_path: str) -> AnyModel:
    """A built-in model by its name, or the one in a file.

    Raises:
        ModelError: there is none, or the file is no model.
    """
    if name_or_path in MODELS:
        return MODELS[name_or_path]
    path = Path(name_or_path)
    if not path.exists():
        names = ", ".join(MODELS)
        raise ModelError(
            f"{name_or_path}: there is no such model file, nor a built-in model; those are {names}"
        )
    return load_model(path)[0]


def load_model(path: Path) -> tuple[AnyModel, Source | None]:
    """Read a model file.

    Raises:
        ModelError: it cannot be read or is no model; the message names the file and every place.
    """
    try:
        text = read_text(path, "model", FILE_BYTES_MAXIMUM)
    except ValueError as error:
        raise ModelError(str(error)) from None
    try:
        return parse_model(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def parse_model(text: str) -> tuple[AnyModel, Source | None]:
    """The model that a TOML text describes, and where it comes from, if that is said.

    Raises:
        ModelError: says everything that is wrong, and where.
    """
    try:
        fields = parse_toml(text)
    except ValueError as error:
        raise ModelError(str(error)) from None
    found = fields.pop("format", None)
    if found != FORMAT or isinstance(found, bool):
        raise ModelError(f"format: must be {FORMAT}, the only one that this version reads, not {found!r:.40}")
    problems: list[str] = []
    told = fields.pop("source", None)
    source = None if told is None else read_table(told, Source, "source", problems)
    model = read_one_of(fields, KINDS, "", problems)
    if problems or model is None:
        raise ModelError("; ".join(problems))
    return model, source


def model_as_toml(model: AnyModel, source: Source | None = None) -> str:
    """The text of a model file."""
    fields: dict[str, Any] = {"format": FORMAT, **msgspec.to_builtins(model)}
    if source is not None:
        fields["source"] = msgspec.to_builtins(source)
    return "\n".join(_table_lines(fields, "")).strip() + "\n"


def _table_lines(fields: Mapping[str, Any], where: str) -> Iterator[str]:
    """A table as TOML: first what stands in a line each, then tables below it, then lists of tables."""
    for key, value in fields.items():
        if value is not None and not _has_tables(value):
            yield f"{key} = {_as_value(value)}"
    for key, value in fields.items():
        if _has_tables(value):
            is_list = not isinstance(value, Mapping)
            place = f"{where}.{key}" if where else key
            for table in value if is_list else (value,):
                yield ""
                yield f"[[{place}]]" if is_list else f"[{place}]"
                yield from _table_lines(table, place)


def _has_tables(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)
    )


def _as_value(value: Any) -> str:
    if isinstance(value, str):  # as JSON has it, but TOML wants one more character escaped
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_as_value, value))}]"
    return repr(value)
