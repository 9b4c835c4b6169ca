"""Profiles of Hypothesis, and who chooses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis.errors import InvalidArgument

from shadowshare.verify.generated.profiles import NIGHTLY_EXAMPLE_COUNT, VARIABLE, use_profiles


@pytest.fixture(autouse=True)
def _same_profile_afterwards() -> Iterator[None]:
    before = settings.get_current_profile_name()
    yield
    settings.load_profile(before)


def test_the_default_is_taken_where_the_environment_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    use_profiles("ci")
    assert settings().derandomize
    use_profiles("dev")
    assert not settings().derandomize
    assert settings().deadline is None


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "nightly")
    use_profiles("dev")
    assert settings().max_examples == NIGHTLY_EXAMPLE_COUNT
    assert settings().deadline is None


def test_a_profile_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "weekly")
    with pytest.raises(InvalidArgument, match="weekly"):
        use_profiles("dev")
