"""Which protocol code a command is about: the real one, one with a bug on purpose, or the user's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from typing import Any

import click

from shadowshare.models.computers import Implementation
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.verify.mutants.catalogue import mutant


class ImplementationError(ShadowshareError):
    """The code that is to be used cannot be found."""


@dataclass(frozen=True, slots=True)
class CodeChoice:
    """The code, and how it was named.

    Attributes:
        implementation: the code.
        mutant_name: of the bug that it has on purpose; None if it has none.
        path: of the user's own code, as ``module:name``; None for the protocol's.
    """

    implementation: Implementation = field(default_factory=Implementation)
    mutant_name: str | None = None
    path: str | None = None


def takes_code(command: Callable[..., None]) -> Callable[..., None]:
    """Adds ``--mutant`` and ``--implementation``, which a command takes as ``code``, a `CodeChoice`."""

    @click.option(
        "--mutant", "mutant_name", metavar="NAME", help="Use the protocol with this bug on purpose."
    )
    @click.option(
        "--implementation",
        "implementation_path",
        metavar="MODULE:NAME",
        help="Use your own code: an Implementation in a module.",
    )
    @wraps(command)
    def taking_code(
        *arguments: Any, mutant_name: str | None, implementation_path: str | None, **options: Any
    ) -> None:
        command(*arguments, code=_choose(mutant_name, implementation_path), **options)

    return taking_code


def _choose(mutant_name: str | None, path: str | None) -> CodeChoice:
    """The code that is named.

    Raises:
        UnknownMutant: there is no such mutant; the message lists those that are.
        ImplementationError: there is no such implementation.
    """
    if mutant_name is not None and path is not None:
        raise click.UsageError("--mutant and --implementation each name the code to check: give one of them")
    if mutant_name is not None:
        return CodeChoice(mutant(mutant_name).implementation, mutant_name)
    return CodeChoice() if path is None else CodeChoice(import_implementation(path), path=path)


def import_implementation(path: str) -> Implementation:
    """The implementation that ``module:name`` means; modules of the working directory are found, too.

    Raises:
        ImplementationError: there is none.
    """
    module_name, colon, name = path.partition(":")
    if not colon or not module_name or not name:
        raise ImplementationError(f"{path!r} names no implementation: write MODULE:NAME")
    sys.path.insert(0, "")
    try:
        found = getattr(import_module(module_name), name, None)
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises, it cannot be used
        raise ImplementationError(
            f"module {module_name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from None
    if not isinstance(found, Implementation):
        raise ImplementationError(
            f"{path!r} is no Implementation (shadowshare.models.computers.Implementation), but {found!r}"
        )
    return found
