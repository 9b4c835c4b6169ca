"""Pages that are followed do what they say, line by line, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.documents import FOLLOWED
from tests.docs.following import follow, is_printed


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.stem)
def test_a_page_is_followed_literally(page: Path, tmp_path: Path) -> None:
    assert follow(page, tmp_path) > 0


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a b", "a   b\n", True),
        ("a b", "a c", False),
        ("a\n...\nb", "a\nx\ny\nb", True),
        ("a\n...\nb", "a\nb", True),
        ("a\n...", "b\na", False),
        ("...", "anything", True),
        ("a", "a\nb", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_what_a_page_shows_is_compared(expected: str, printed: str, same: bool) -> None:
    assert is_printed(expected, printed) == same


def test_a_page_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Save this as `a.toml`:\n\n```toml\nx = 1\n```\n\n```console\n$ cat a.toml\nx = 2\n```\n")
    with pytest.raises(AssertionError, match=r"cat a\.toml prints"):
        follow(page, tmp_path)
