"""Libraries that only some reports need, and that need not be installed."""

from __future__ import annotations

from shadowshare.verify.result import ResultError


class MissingLibrary(ResultError):
    """A report needs a library that is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {library!r}, which is not installed: pip install 'shadowshare[{extra}]'"
        )
