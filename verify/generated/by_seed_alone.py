"""What is drawn shall depend on the seed, and on nothing else.

Hypothesis mixes into its draws constants that it finds in the text of the modules that are loaded. So the races of a
seed are others in a process that did something else before. There is no setting for that (`docs/adr/0016`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants


@contextmanager
def by_seed_alone() -> Iterator[None]:
    """While it is open, Hypothesis draws the same for the same seed, whatever modules are loaded."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(providers, "_get_local_constants", Constants, create=True))
        # What the constants permit is remembered, also for those who draw with them.
        stack.enter_context(patch.object(providers, "CONSTANTS_CACHE", LRUCache(1024), create=True))
        yield
