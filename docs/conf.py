"""How Sphinx makes the site of these pages: ``make docs``.

The pages are written to be read as they are, too. What Sphinx needs besides is therefore made here and not written
there: tables of contents come from the sections of ``index.md``, links that leave this folder become plain text, the
reference of the Python modules is made of their docstrings, and pages of the notebooks by executing them.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from posixpath import dirname, join, normpath

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
from notebook_pages import make_pages, with_links_to_pages

project = "shadowshare"
author = "the shadowshare developers"
version = release = version_of("shadowshare")

extensions = ["myst_parser", "sphinx.ext.apidoc", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"shadowshare {version}"
myst_heading_anchors = 4

suppress_warnings = ["ref.python"]  # a name that two modules have, in a type hint, is not linked

_PACKAGE = Path(__file__).parents[1] / "src" / "shadowshare"
apidoc_modules = [
    {
        "path": str(_PACKAGE),
        "destination": "api",
        "follow_links": True,
        "module_first": True,
        "exclude_patterns": [f"{_PACKAGE}/cli", f"{_PACKAGE}/__main__.py"],
    }
]
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
napoleon_use_ivar = True

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def _of_the_site(app: Sphinx, page: str, source: list[str]) -> None:
    """Make of a page, as it is written, what Sphinx reads."""
    text = with_links_to_pages(source[0], dirname(page))
    if Path(app.env.doc2path(page)).suffix == ".md":
        source[0] = _with_links_within(text, page) + (_contents(text) if page == "index" else "")


def _with_links_within(text: str, page: str) -> str:
    """Links to what is not on the site become plain text, names of files titles, but for what a fenced block shows."""
    parts, position = [], 0
    within = partial(_link_within, dirname(page))
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(within, text[position : fence.start()]), _with_plain_language(fence[0])]
        position = fence.end()
    return "".join([*parts, _LINK.sub(within, text[position:])])


def _link_within(folder: str, link: re.Match[str]) -> str:
    if normpath(join(folder, link[2])).startswith(".."):
        return link[1]
    return f"[]({link[2]})" if link[1] == link[2] else link[0]  # which Sphinx fills with the page's title


def _with_plain_language(fence: str) -> str:
    """What stands behind a fence's language is for the tests; a few languages are theirs alone."""
    plain = re.sub(r"^```(\w+) .*$", r"```\1", fence, count=1, flags=re.MULTILINE)
    return plain.replace("```hexdump", "```text", 1)


def _contents(index: str) -> str:
    """A hidden table of contents for each section of the index, of the pages that it links to."""
    sections = [section.partition("\n") for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]]
    tables = {heading: [link[1] for link in _LINK.findall(body)] for heading, _, body in sections}
    tables["Python"] = ["api/modules.md"]
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{pages}\n```\n"
        for heading, links in tables.items()
        if (
            pages := "\n".join(
                link.removesuffix(".md") for link in links if re.fullmatch(r"[\w/-]+\.md", link)
            )
        )
    )


def setup(app: Sphinx) -> None:
    """Have Sphinx read the pages so."""
    app.connect("builder-inited", lambda app: make_pages(Path(app.srcdir) / "notebooks"))
    app.connect("source-read", _of_the_site)
