"""Notebooks: executed, and made into pages of the site.

The notebooks are kept as text without outputs (docs/adr/0012-notebooks-are-text.md); their pages have those of the code
as it is now.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from logging import getLogger
from pathlib import Path
from typing import Any

import jupytext  # type: ignore[import-untyped]
import nbclient
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
SECONDS_MAXIMUM = 300
KERNEL = "python3"
KERNEL_COUNT = 2
_LOG = getLogger(__name__)
_LOG.setLevel("WARNING")
_CODE = ("protocol", "sim", "models", "scenarios", "verify", "reports")
_LINK = re.compile(r"\]\((?:\.\./notebooks/)?(\d\d-[\w-]+)\.py\)")


def execute(source: Path, folder: Path) -> Any:
    """Run a notebook from its first cell to its last one, in a new kernel that works in a folder.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = jupytext.read(source)
    notebook.metadata.kernelspec = {"name": KERNEL, "display_name": "Python 3", "language": "python"}
    nbclient.NotebookClient(
        notebook,
        timeout=SECONDS_MAXIMUM,
        kernel_name=KERNEL,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
        log=_LOG,
    ).execute()
    return notebook


def make_pages(target: Path) -> None:
    """Write a page for each notebook into a folder, unless it is there and newer than all that it is made from."""
    target.mkdir(exist_ok=True)
    files = (path for part in _CODE for path in (ROOT / part).rglob("*.*") if path.suffix != ".pyc")
    code = max(path.stat().st_mtime for path in files)
    old = [
        source
        for source in NOTEBOOKS
        if not (page := target / f"{source.stem}.md").exists()
        or page.stat().st_mtime < max(code, source.stat().st_mtime)
    ]
    with ThreadPoolExecutor(KERNEL_COUNT) as pool:
        for _ in pool.map(lambda source: _make_page(source, target), old):
            pass


def _make_page(source: Path, target: Path) -> None:
    notebook = execute(source, source.parent)
    jupytext.write(notebook, target / f"{source.stem}.ipynb")
    exporter: Any = MarkdownExporter
    text, made = exporter().from_notebook_node(notebook, {"unique_key": source.stem})
    for name, content in made["outputs"].items():
        (target / name).write_bytes(content)
    download = f"{{download}}`As a notebook, with its outputs <{source.stem}.ipynb>`"
    title, _, rest = text.lstrip().partition("\n")
    (target / f"{source.stem}.md").write_text(f"{title}\n\n{download}\n{rest}", encoding="utf-8")


def with_links_to_pages(text: str, folder: str) -> str:
    """Links to notebooks lead to their pages.

    Args:
        text: of a page.
        folder: in which the page is; empty for that of the site.
    """
    return _LINK.sub(r"](\1.md)" if folder == "notebooks" else r"](notebooks/\1.md)", text)
