"""In notebooks every kind of result shows itself, and a counterexample is a widget."""

from __future__ import annotations

import sys
from html import unescape
from importlib.util import find_spec

import pytest

from shadowshare.models.simulation.comparison import ComparedRun
from shadowshare.models.simulation.run import simulate
from shadowshare.reports.libraries import MissingLibrary
from shadowshare.reports.notebook import SIMULATED, NothingToShow, page_of, register, show, stepper
from shadowshare.reports.page.kinds import replay_page
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexamples.counterexample import explain
from shadowshare.verify.detection import detect
from shadowshare.verify.explorer import explore
from shadowshare.verify.gate.check import Check, GateResult
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.runner import Plan, run_scenario
from tests.models.simulation.plans import MILLISECOND_NS, Anywhere, plan
from tests.verify.story.boards import board_of


def test_every_kind_of_result_has_a_page() -> None:
    bug = mutant("no-recheck")
    scenario = built_in(bug.scenario)
    found = explore(scenario, bug.implementation)
    explained = explain(scenario, found, bug.implementation)
    ran = run_scenario(scenario, Plan(bug.implementation))
    detection = detect("no-recheck")
    for result in (
        board_of("no-recheck"),
        found,
        explained,
        explained.replay,
        ran,
        [ran],
        detection,
        [detection],
    ):
        verdict = "verified" if result in (detection, [detection]) else "violated"
        assert f"<title>{verdict}: " in page_of(result), result
    assert "<title>violated: " in page_of(GateResult((Check("scopes", "a", "violated"),), 1, (), 0.1))
    assert "<title>verified: " in page_of(explore(scenario))


def test_a_run_of_a_simulation_has_a_page() -> None:
    whole = plan(Anywhere("write", MILLISECOND_NS, client_count=2), measured_ns=50 * MILLISECOND_NS)
    compared = ComparedRun(whole, seed=1)(0)
    for run in (simulate(whole, (1, 0)), compared):
        page = page_of(run)
        assert "<title>one run of a simulation - shadowshare</title>" in page
        assert "<td>active.write.latency_mean</td>" in page
    assert f"{compared['active.write.latency_mean_ratio']:.2g} times what it takes without" in page_of(
        compared
    )
    assert all(find_spec(module) is not None for module in SIMULATED.values())


def test_what_is_no_result_is_refused() -> None:
    for nothing in (None, 3, "text", [], [1]):
        with pytest.raises(NothingToShow, match="is no result that can be shown; these are: Storyboard, "):
            page_of(nothing)


def test_a_page_is_shown_in_a_frame_of_its_own() -> None:
    board = board_of("no-recheck")
    html = show(board, 300)._repr_html_()
    assert "height: 300px" in html
    inner = html.partition('srcdoc="')[2].partition('" style')[0]
    assert unescape(inner) == replay_page(board)


def test_a_widget_begins_at_the_error_and_has_the_story() -> None:
    widget = stepper(board_of("no-recheck"))
    assert widget.step == 9
    assert "Why it went wrong" in widget.story
    assert "mountStepper" in widget._esm
    assert ":root" not in widget._css


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingLibrary, match="shadowshare"):
        register()
    from shadowshare.reports import notebook  # noqa: PLC0415

    notebook._widget_class.cache_clear()
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'shadowshare\[notebook\]'"):
        stepper(board_of("no-recheck"))


def test_where_no_widget_runs_its_page_stands_for_it() -> None:
    """A notebook that was saved, and is shown without the widget's state, has something to show all the same."""
    board = board_of("no-recheck")
    data, _ = stepper(board)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"] == show(board)._repr_html_()
    assert data["text/plain"] == "violated: replay of reader-before-volume-read"
