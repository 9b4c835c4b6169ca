"""Profiles of Hypothesis: how many examples tests draw, and whether the same ones each time.

=========  =========================================================================================================
dev        as many examples as Hypothesis draws by default, others each time
ci         as many, but always the same ones; a failure says how to see it again
nightly    many more, others each time
=========  =========================================================================================================

None has a deadline: how fast a test is depends on what else the machine does.
"""

from __future__ import annotations

import os

from hypothesis import settings

VARIABLE = "HYPOTHESIS_PROFILE"
"""Of the environment: the name of the profile."""

NIGHTLY_EXAMPLE_COUNT = 2000
NIGHTLY_STEP_COUNT = 100
"""Of a state machine."""


def use_profiles(by_default: str) -> None:
    """Register the profiles, and load the one that the environment names.

    Pytest's own option, ``--hypothesis-profile``, is heeded later, and so it has the last word.

    Args:
        by_default: name of the profile to load if the environment names none.

    Raises:
        hypothesis.errors.InvalidArgument: there is no profile of this name.
    """
    # What is not said is as in the parent; without one, as in the profile that happens to be loaded.
    plain = settings.get_profile("default")
    settings.register_profile("dev", plain, deadline=None, derandomize=False)
    settings.register_profile("ci", plain, deadline=None, derandomize=True, print_blob=True)
    settings.register_profile(
        "nightly",
        plain,
        deadline=None,
        derandomize=False,
        print_blob=True,
        max_examples=NIGHTLY_EXAMPLE_COUNT,
        stateful_step_count=NIGHTLY_STEP_COUNT,
    )
    settings.load_profile(os.environ.get(VARIABLE) or by_default)
