"""Results in notebooks: shown as pages, and a counterexample as a widget that tells Python which step is looked at.

`show` suits every result and needs no library. `stepper` needs the extra ``notebook``. After `register` a result shows
itself where it is the last value of a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape, unescape
from importlib import import_module
from typing import Any

from shadowshare.reports.libraries import MissingLibrary
from shadowshare.reports.page.document import Facts, Page, Words, asset, render, story_fragment, story_style
from shadowshare.reports.page.kinds import exploration_page, gate_page, mutants_page, replay_page, run_page
from shadowshare.reports.page.simulation import simulated_run_page
from shadowshare.reports.trace import trace_text
from shadowshare.verify.counterexamples.counterexample import Counterexample
from shadowshare.verify.counterexamples.replaying import Replay
from shadowshare.verify.detection import Detection
from shadowshare.verify.gate.check import GateResult
from shadowshare.verify.mutants.catalogue import MUTANTS
from shadowshare.verify.result import Exploration, ResultError, ScenarioResult, Verdict
from shadowshare.verify.story.storyboard import Storyboard

HEIGHT_PIXELS = 1100
"""Of a frame, at most: a page that is longer is scrolled within it."""

SIMULATED = {
    "Measured": "shadowshare.models.simulation.measured",
    "RunFigures": "shadowshare.models.simulation.comparison",
}
"""Runs of simulations: names of classes, and where they are."""

_FIT = "this.style.height = Math.min(this.contentDocument.body.offsetHeight + 2, {}) + 'px'"


class NothingToShow(ResultError):
    """This is no result."""


class Shown:
    """A result as a page, within a frame of its own in a notebook.

    Args:
        html: the page.
        height_pixels: of the frame, at most; a page that needs less gets less.
    """

    def __init__(self, html: str, height_pixels: int = HEIGHT_PIXELS) -> None:
        self.html = html
        self.height_pixels = height_pixels

    def __repr__(self) -> str:
        return unescape(self.html.partition("<title>")[2].partition(" - shadowshare</title>")[0])

    def _repr_html_(self) -> str:
        # Without line breaks, so that it can stand within Markdown.
        page = escape(self.html).replace("\n", "&#10;")
        return (
            f'<iframe srcdoc="{page}" style="width: 100%; height: {self.height_pixels}px; border: 0" '
            f'title="a result of shadowshare" onload="{_FIT.format(self.height_pixels)}"></iframe>'
        )


def show(result: Any, height_pixels: int = HEIGHT_PIXELS) -> Shown:
    """A result, or several of one kind, as a page.

    Raises:
        NothingToShow: it is no result.
    """
    return Shown(page_of(result), height_pixels)


def page_of(result: Any) -> str:
    """The page for a result of any kind.

    Raises:
        NothingToShow: it is no result.
    """
    for kind, page in _PAGES.items():
        if isinstance(result, kind):
            return page(result)
    if isinstance(result, Sequence) and result and all(isinstance(one, ScenarioResult) for one in result):
        return run_page(result, [])
    if isinstance(result, Sequence) and result and all(isinstance(one, Detection) for one in result):
        return _mutants_page(result)
    if _is_simulated(result):
        return _simulated_page(result)
    known = ", ".join([*(kind.__name__ for kind in _PAGES), *SIMULATED])
    raise NothingToShow(f"{type(result).__name__} is no result that can be shown; these are: {known}")


def _scenario_page(result: ScenarioResult) -> str:
    facts = {name.replace("_", " "): _text(value) for name, value in result.details.items() if value}
    if result.schedule is not None:
        facts["schedule"] = result.schedule
    return exploration_page(result, facts, None)


def _found_page(found: Exploration) -> str:
    reason = found.reason if found.violation is None else f"{found.violation.rule}: {found.violation.message}"
    facts = {
        "exhausted": "yes" if found.is_exhausted else "no",
        "schedules": _text(found.schedule_count),
        "executions": _text(found.execution_count),
        "states": _text(found.state_count),
        "steps": _text(found.step_count),
        "reduced": "; ".join(found.reductions),
        "schedule": ", ".join(found.labels),
    }
    sections = [Facts("What the verdict rests on", {name: fact for name, fact in facts.items() if fact})]
    return render(Page("exploration", found.verdict, reason or "Nothing was left out.", sections))


def _replayed_page(replay: Replay) -> str:
    violation = replay.violation
    verdict: Verdict = "unknown" if violation is None else "violated"
    headline = (
        "Nothing is violated in this schedule."
        if violation is None
        else f"{violation.rule}: {violation.message}"
    )
    return render(Page(replay.scenario, verdict, headline, [Words("", (), trace_text(replay))]))


def _is_simulated(result: Any) -> bool:
    """Whether something is a run of a simulation: reports do not know the models, but what a run has."""
    return type(result).__name__ in SIMULATED and hasattr(result, "latencies")


def _simulated_page(run: Any) -> str:
    figures = run if isinstance(run, Mapping) else run.figures()
    curves = {
        kind if isinstance(kind, str) else " ".join(kind): list(histogram.points())
        for kind, histogram in run.latencies.items()
    }
    return simulated_run_page(figures, curves)


def _mutants_page(detections: Sequence[Detection]) -> str:
    return mutants_page(detections, {bug.name: bug.story for bug in MUTANTS})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if value else ""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    return (
        ", ".join(map(str, value))
        if isinstance(value, (list, tuple))
        else ""
        if value is None
        else str(value)
    )


_PAGES: dict[type, Callable[[Any], str]] = {
    Storyboard: replay_page,
    ScenarioResult: _scenario_page,
    Exploration: _found_page,
    Counterexample: lambda counterexample: _replayed_page(counterexample.replay),
    Replay: _replayed_page,
    Detection: lambda detection: _mutants_page([detection]),
    GateResult: lambda result: gate_page(result, []),
}


def register() -> None:
    """Let every result show itself in this notebook, as `show` does.

    Raises:
        MissingLibrary: this is no notebook: IPython is not there, or not running.
    """
    try:
        shell = import_module("IPython").get_ipython()
    except ImportError:
        shell = None
    if shell is None:
        raise MissingLibrary("ipython", "notebook")
    formatters = shell.display_formatter.formatters
    html, plain = formatters["text/html"], formatters["text/plain"]
    for kind in _PAGES:
        html.for_type(kind, _as_html)
        plain.for_type(kind, _as_text)
    for name, module in SIMULATED.items():
        html.for_type_by_name(module, name, _as_html)
        plain.for_type_by_name(module, name, _as_text)


def _as_html(result: Any) -> str:
    return show(result)._repr_html_()


def _as_text(result: Any, printer: Any, _is_in_cycle: bool) -> None:
    printer.text(repr(show(result)))


# -- the widget --------------------------------------------------------------------------------------------------

_RENDER = """
export default {
  render({ model, el }) {
    el.innerHTML = model.get("story");
    const data = JSON.parse(el.querySelector("script.data").textContent);
    const { root, show } = mountStepper(el.querySelector(".story"), data, false);
    root.addEventListener("step", (event) => {
      if (event.detail === model.get("step")) return;
      model.set("step", event.detail);
      model.save_changes();
    });
    model.on("change:step", () => {
      if (String(model.get("step")) !== root.dataset.current) show(model.get("step"));
    });
    show(model.get("step"));
  },
};
"""


def stepper(board: Storyboard) -> Any:
    """A widget to step through a storyboard; its ``step`` is the number of the step that is looked at.

    Raises:
        MissingLibrary: the package ``anywidget`` is not installed.
    """
    step = board.replay.violated_at or len(board.steps)
    widget = _widget_class()(story=story_fragment(board), step=step)
    widget.page = show(board)
    return widget


def _with_page(widget: Any, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """How a notebook shows a widget; where nobody runs it any more, the page stands for it."""
    data, metadata = _widget_class().__base__._repr_mimebundle_(widget)
    return {**data, "text/plain": repr(widget.page), "text/html": widget.page._repr_html_()}, metadata


@cache
def _widget_class() -> Any:
    try:
        anywidget, traitlets = import_module("anywidget"), import_module("traitlets")
    except ImportError:
        raise MissingLibrary("anywidget", "notebook") from None
    base: Any = anywidget.AnyWidget
    return type(
        "StepperWidget",
        (base,),
        {
            "_esm": asset("download.js") + asset("stepper.js") + _RENDER,
            "_css": story_style(),
            "_repr_mimebundle_": _with_page,
            "story": traitlets.Unicode().tag(sync=True),
            "step": traitlets.Int(0).tag(sync=True),
        },
    )


__all__ = ["NothingToShow", "Shown", "page_of", "register", "show", "stepper"]
