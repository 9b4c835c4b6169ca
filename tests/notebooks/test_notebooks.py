"""Notebooks run from the first cell to the last, also beside files with the names of our parts.

They are executed in a folder of a user, who has a `models.py`. In their own folder `make docs` executes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs.notebook_pages import NOTEBOOKS, execute, with_links_to_pages
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from tests.reports.browser.browsers import Browser, needs_chromium, open_browser
from tests.repository.tree import PARTS

OUTPUT_BYTES_MAXIMUM = 200_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("notebooks")) as opened:
        yield opened


@pytest.fixture
def users_folder(tmp_path: Path) -> Path:
    """A folder of somebody who has modules of the names of our parts."""
    for part in PARTS:
        (tmp_path / f"{part}.py").write_text(
            "raise ImportError('it is the module of the user')\n", encoding="utf-8"
        )
    return tmp_path


def copied(notebook: Path, folder: Path) -> Path:
    copy = folder / notebook.name
    copy.write_bytes(notebook.read_bytes())
    return copy


@needs_chromium
@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_can_be_shown(source: Path, users_folder: Path, browser: Browser) -> None:
    notebook = execute(copied(source, users_folder), users_folder)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(json.dumps(outputs).encode()) < OUTPUT_BYTES_MAXIMUM
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert kinds & {"text/html", "image/svg+xml"}, "there is something to look at"
    assert not [output for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    exporter: Any = HTMLExporter
    shown = exporter(mathjax_url="", require_js_url="").from_notebook_node(notebook)[0]
    browser.show(shown)
    assert not browser.complaints()
    for number in range(shown.count("<iframe srcdoc=")):
        browser.driver.switch_to.frame(number)
        look_at_frame(browser)
        browser.driver.switch_to.default_content()


def look_at_frame(browser: Browser) -> None:
    """A result in a frame has its verdict, fits, and can be stepped through if it is a story."""
    assert browser.ask("document.querySelector('h1 .verdict') !== null")
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    if browser.ask("document.querySelector('.stepper') !== null"):
        browser.click("[data-go=first]")
        browser.click("[data-go=forward]")
        assert browser.text(".now").startswith("Step 1 of ")


def test_a_cell_that_fails_would_be_noticed(users_folder: Path) -> None:
    """Negative test: so would a notebook that takes a module of the user for one of the parts."""
    bad = users_folder / "bad.py"
    bad.write_text("# %%\nimport shadowshare.models.steps\n\n# %%\nimport models\n", encoding="utf-8")
    with pytest.raises(CellExecutionError, match="it is the module of the user"):
        execute(bad, users_folder)


def test_notebooks_lead_to_each_other() -> None:
    for notebook in NOTEBOOKS:
        for link in re.findall(r"\]\(([\w./-]+)\)", notebook.read_text(encoding="utf-8")):
            assert (notebook.parent / link).exists(), f"{notebook.name}: {link}"


def test_on_the_site_links_to_notebooks_lead_to_their_pages() -> None:
    text = "[one](../notebooks/01-a-race.py) [other](reports.md) [code](../examples/own_reader.py)"
    assert with_links_to_pages(text, "") == (
        "[one](notebooks/01-a-race.md) [other](reports.md) [code](../examples/own_reader.py)"
    )
    assert with_links_to_pages("[one](01-a-race.py)", "notebooks") == "[one](01-a-race.md)"
