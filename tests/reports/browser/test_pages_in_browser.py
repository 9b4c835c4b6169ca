"""Pages work in a real browser: they load without a complaint, can be stepped through, and fit every window."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from shadowshare.reports.notebook import stepper
from shadowshare.reports.page.kinds import replay_page
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import run_schedule
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.rules.oracle import Oracle
from tests.reports.browser.browsers import PHONE, WIDE, Browser, needs_chromium, open_browser
from tests.reports.pages import pages
from tests.verify.story.boards import board_of, lost_update

pytestmark = needs_chromium
KINDS = ("replay", "tasks", "exploration", "run", "mutants", "gate", "simulation", "faults")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("pages")) as opened:
        yield opened


def current(browser: Browser) -> int:
    return int(browser.ask("document.querySelector('.stepper').dataset.current"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_loads_and_fits(browser: Browser, kind: str) -> None:
    for size, scheme in ((WIDE, "light"), (PHONE, "dark")):
        browser.show(pages()[kind], size, scheme)
        assert not browser.complaints()
        assert browser.ask("document.documentElement.scrollWidth") <= size[0], "nothing sticks out"
        assert browser.ask("performance.getEntriesByType('resource').length") == 0, "nothing else is loaded"
        width, height = struct.unpack(">II", browser.screenshot()[16:24])
        assert (width, height) == size
    assert set(pages()) == set(KINDS)


def test_the_colours_follow_the_reader(browser: Browser) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    browser.show(pages()["replay"], scheme="light")
    light = browser.ask(background)
    browser.click("#theme")
    dark = browser.ask(background)
    browser.show(pages()["replay"], scheme="dark")
    assert browser.ask(background) == dark != light


def test_steps_are_taken_with_buttons_slider_and_keys(browser: Browser) -> None:
    browser.show(pages()["replay"])
    assert current(browser) == 9, "it begins at the error"
    browser.press("HOME")
    assert current(browser) == 0
    for key, expected in (("ARROW_RIGHT", 1), ("j", 2), ("ARROW_LEFT", 1), ("k", 0), ("k", 0), ("END", 9)):
        browser.press(key)
        assert current(browser) == expected, key
    for button, expected in (("first", 0), ("forward", 1), ("last", 9), ("back", 8), ("error", 9)):
        browser.click(f"[data-go={button}]")
        assert current(browser) == expected, button
    browser.ask(
        "(s => { s.value = 4; s.dispatchEvent(new Event('input')); })(document.querySelector('input[type=range]'))"
    )
    assert current(browser) == 4
    assert browser.text(".now").startswith("Step 4 of 9 W writes journal block 3")
    browser.press("e")
    assert current(browser) == 9
    browser.click(".explanation .to-step[data-step='6']")
    assert current(browser) == 6
    browser.ask(
        "document.querySelector('.space-time .row[data-step=\"7\"]').dispatchEvent(new MouseEvent('click'))"
    )
    assert current(browser) == 7
    assert not browser.complaints()


def test_at_each_step_the_world_is_what_it_was(browser: Browser) -> None:
    board = board_of("no-recheck")
    browser.show(pages()["replay"])
    browser.press("HOME")
    for number in range(len(board.steps) + 1):
        picture = board.picture(number)
        shown = browser.texts(".world .region.volume .cell")
        for extent, text in enumerate(shown):
            sector = picture[f"volume/{extent}"]["sectors"][0]
            assert sector["origin"] in text, number
            assert ("not the image" in text) == (not sector["is_image"]), number
        slots = browser.texts(".world .region.slots .cell")
        assert [picture[f"slots/{slot}"]["holds"] in text for slot, text in enumerate(slots)] == [True] * 4
        blocks = browser.texts(".world .region.journal .block")
        expected = [picture[key]["records"][0] for key in picture if key.startswith("journal/")]
        assert [record in text for record, text in zip(expected, blocks, strict=True)] == [True] * len(
            expected
        )
        passive = browser.text(".world .host.passive")
        copies = picture["host/R"]["view"][0]["copies"]
        assert ("extent 0 → slot 0" in passive) == (copies == [[0, 0]]), number
        assert ("in hand\nnothing" in passive.replace("\n\n", "\n")) == (not picture["host/R"]["held"]), (
            number
        )
        browser.press("ARROW_RIGHT")


def test_of_tasks_it_is_shown_what_cells_hold_and_what_was_read(browser: Browser) -> None:
    board = lost_update()
    browser.show(pages()["tasks"])
    assert "The idea of the protocol" not in browser.texts("h3")
    for number in range(len(board.steps), -1, -1):
        picture = board.picture(number)
        assert browser.texts(".world .cell .sector") == [picture["n/0"]["value"]]
        tasks = browser.texts(".world .host")
        for text, (name, _) in zip(tasks, board.hosts, strict=True):
            read = picture[f"host/{name}"]["read"]
            assert ("changed since" in text) == any(not one["is_current"] for one in read), number
            assert ("n: 0" in text) == bool(read), number
        browser.press("ARROW_LEFT")
    ends = browser.ask("[...document.querySelectorAll('.space-time .cell')].map(e => e.textContent)")
    assert ends == ["0", "0", "1", "1"]
    assert not browser.complaints()


def test_the_recheck_is_marked(browser: Browser) -> None:
    board = board_of("no-recheck")
    browser.show(pages()["replay"])
    browser.press("HOME")
    for step in board.steps:
        browser.press("ARROW_RIGHT")
        assert bool(browser.texts(".world em.recheck")) == step.is_recheck, step.number
    assert [step.number for step in board.steps if step.is_recheck] == [8, 9]


@pytest.mark.parametrize("name", ["no-recheck", "no-quarantine", "hit-without-catch-up"])
def test_the_highlighted_byte_is_the_wrong_one(browser: Browser, name: str) -> None:
    """What is highlighted is held against the bytes that the running code returned, and those of the image."""
    board, bug = board_of(name), mutant(name)
    world, _ = run_schedule(
        built_in(bug.scenario), parse_schedule(board.replay.schedule).labels, bug.implementation
    )
    oracle = world.watcher
    assert isinstance(oracle, Oracle)
    assert oracle.evidence is not None
    got, image = oracle.evidence.got, oracle.evidence.expected[0]
    first = next(index for index in range(len(got)) if got[index] != image[index])
    browser.show(replay_page(board))
    browser.press("e")
    cells = browser.ask(
        "[...document.querySelectorAll('.world .first-wrong')].map(e => [e.dataset.offset, e.innerText])"
    )
    assert cells == [[str(oracle.evidence.sector * 512 + first), f"{got[first]:02x}"]]
    assert browser.texts(".world .held.wrong .content")
    marked = set(
        browser.ask(
            "[...document.querySelectorAll('.world .got .differs')].map(e => Number(e.dataset.offset))"
        )
    )
    base = oracle.evidence.sector * 512
    start = first - first % 16
    assert marked == {base + at for at in range(start, start + 16) if got[at] != image[at]}
    browser.press("ARROW_LEFT")
    assert not browser.texts(".world .first-wrong"), "only where it is returned"


def test_hovering_shows_the_operation(browser: Browser) -> None:
    browser.show(pages()["replay"])
    assert browser.ask("document.querySelector('.tip').hidden")
    browser.hover('.space-time .row[data-step="7"] .hit')
    tip = browser.text(".tip")
    assert "R reads extent 0 of the volume" in tip
    assert "after step 6: write-read of extent 0 of the volume" in tip


def test_what_happened_before_is_shown_on_demand(browser: Browser) -> None:
    browser.show(pages()["replay"])
    assert browser.ask("getComputedStyle(document.querySelector('.edges')).display") == "none"
    browser.press("h")
    assert browser.ask("getComputedStyle(document.querySelector('.edges')).display") != "none"
    edges = browser.ask(
        "[...document.querySelectorAll('.edges path')].map(e => [+e.dataset.earlier, +e.dataset.later])"
    )
    hosts = {step.number: step.host for step in board_of("no-recheck").steps}
    expected = [
        [edge.earlier, edge.later]
        for edge in board_of("no-recheck").edges
        if hosts[edge.earlier] != hosts[edge.later]
    ]
    assert sorted(edges) == sorted(expected)


def test_on_paper_all_can_be_read(browser: Browser) -> None:
    browser.show(pages()["replay"], media="print")
    assert browser.ask("getComputedStyle(document.querySelector('.buttons')).display") == "none"
    assert browser.ask("getComputedStyle(document.querySelector('.controls')).position") == "static"
    browser.ask("dispatchEvent(new Event('beforeprint'))")
    assert len(browser.texts(".every-step tbody tr")) == 9
    assert browser.ask("[...document.querySelectorAll('.world > section')].every(e => e.offsetHeight > 0)")


@pytest.mark.parametrize("kind", KINDS)
def test_on_paper_nothing_is_cut_off(browser: Browser, kind: str) -> None:
    browser.show(pages()[kind], (794, 1123), media="print")
    browser.ask("dispatchEvent(new Event('beforeprint'))")
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert browser.ask(cut) == 0


def test_a_page_can_be_read_without_scripts(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.show(pages()["replay"])
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "Why it went wrong" in browser.texts("h3")
    assert browser.ask("document.querySelectorAll('.space-time .row').length") == 9
    assert browser.ask("document.querySelector('.first-wrong, .bytes .differs').innerText") == "57"


def test_downloads_hold_the_data(browser: Browser) -> None:
    browser.show(pages()["simulation"])
    files = dict(
        browser.ask(
            "[...document.querySelectorAll('a[download]')].map(e => [e.download, atob(e.href.split(',')[1])])"
        )
    )
    assert files["latency.csv"].splitlines()[:2] == [
        "readers,figure,unit,mean,low,high",
        '1,active.write.latency_mean,"mean, us",100,90,110',
    ]
    assert files["latency.svg"].startswith("<svg ")
    assert "1,active write,1,0.25" in files["distribution.csv"].splitlines()
    assert files["figures.csv"].startswith("readers,write us,saved/1000 reads")
    browser.show(pages()["replay"])
    text = browser.ask("atob(document.querySelector('a[download]').href.split(',')[1])")
    assert len(json.loads(text)["steps"]) == 9


def test_the_widget_of_notebooks_works(browser: Browser) -> None:
    """With a model as a notebook gives it: what is looked at is told to Python, and Python can choose it."""
    widget = stepper(board_of("no-recheck"))
    story = json.dumps(widget.story).replace("</", r"<\/")
    module = widget._esm.replace("export default", "const widget =")
    browser.show(f"""<!DOCTYPE html><style>{widget._css}</style><div id="cell"></div><script type="module">{module}
      const heard = {{}}, values = {{ story: {story}, step: 9 }};
      window.values = values;
      window.choose = (step) => {{ values.step = step; heard["change:step"](); }};
      widget.render({{ el: document.getElementById("cell"), model: {{
        get: (name) => values[name], set: (name, value) => {{ values[name] = value; }},
        on: (name, hear) => {{ heard[name] = hear; }}, save_changes: () => {{ window.saved = values.step; }},
      }} }});</script>""")
    assert not browser.complaints()
    assert current(browser) == 9
    browser.click("[data-go=back]")
    assert (current(browser), browser.ask("window.saved")) == (8, 8)
    browser.ask("window.choose(3)")
    assert current(browser) == 3
    browser.press("HOME")
    assert current(browser) == 3, "keys belong to the notebook unless the widget has the focus"
    browser.ask("document.querySelector('.stepper').focus()")
    browser.press("HOME")
    assert current(browser) == 0
    columns = (
        "getComputedStyle(document.querySelector('.stepper .columns')).gridTemplateColumns.split(' ').length"
    )
    assert browser.ask(columns) == 2
    browser.ask("document.getElementById('cell').style.width = '800px'")
    assert browser.ask(columns) == 1, "a cell is narrower than the window"


def test_a_broken_page_would_be_noticed(browser: Browser, tmp_path: Path) -> None:
    """Negative test: an error of a script, and something from elsewhere, are complaints."""
    good = pages()["replay"]
    browser.show(good.replace("mountStepper(story, JSON", "mountSteppers(story, JSON"))
    assert browser.complaints()
    browser.show(good.replace("</main>", '<img src="http://127.0.0.1:9/x.png"></main>'))
    assert any("Content Security Policy" in complaint["message"] for complaint in browser.complaints())
    browser.show(good.replace("</main>", '<div style="width: 3000px">x</div></main>'), PHONE)
    assert browser.ask("document.documentElement.scrollWidth") > PHONE[0]
