"""The storefront in a real browser: what a shopper does, in both languages, on both widths, from this machine only."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mercer.assistant.answer import Action, Answer, Ask, Sentence, Source
from mercer.assistant.memory import Turn
from mercer.records import Product

uvicorn = pytest.importorskip("uvicorn", reason="mercer[serve] is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (mercer[dev])")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")

Visit = Callable[..., Any]
SHOPPER = "mercer_shopper"


class Clerk:
    """An assistant that offers to cancel what is asked to be, and shows a cup for all else."""

    def __init__(self) -> None:
        self.turns: dict[str, list[Turn]] = {}

    def __call__(self, ask: Ask) -> Answer:
        talk, cup = f"talk-{ask.shopper}", Product("p-0", "Stoneware cup, small", price=8.0, currency="EUR", stock=0)
        source = Source("p-0", "product", cup.title, "")
        if ask.confirm:
            answer = Answer(talk, "en", (Sentence("It is cancelled.", ("o",)),), handover="asked")
        elif "cancel" in ask.text:
            offer = Action("cancel_order", {"order": "M1"}, "offered", "token-1")
            answer = Answer(talk, "en", (Sentence("Shall I cancel it?", ("o",)),), action=offer)
        else:
            answer = Answer(talk, "en", (Sentence("Here is a cup.", ("p-0",)),), (source,), products=(cup,))
        said = [Turn("shopper", ask.text or "✓", 1), Turn("assistant", answer.text, 2)]
        self.turns.setdefault(talk, []).extend(said)
        return answer

    def ready(self) -> bool:
        return True

    def history(self, conversation: str, shopper: str) -> list[Turn] | None:
        return self.turns.get(conversation) if conversation == f"talk-{shopper}" else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(opened: Any) -> Iterator[str]:
    """The address of a running server over the real shop."""
    from mercer.serve import create_app

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(opened, assistant=Clerk()), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture
def contexts() -> list[Any]:
    """The browser contexts of this test: each is one shopper."""
    return []


@pytest.fixture
def visit(browser: Any, site: str, contexts: list[Any]) -> Iterator[Visit]:
    """Open pages; when the test is over, no page may have complained or asked another machine."""
    complaints: list[str] = []
    with contextlib.ExitStack() as open_pages:

        def opened(path: str = "/", *, width: int = 1280, language: str = "en-GB", scripts: bool = True) -> Any:
            context = browser.new_context(
                viewport={"width": width, "height": 850}, locale=language, java_script_enabled=scripts
            )
            open_pages.callback(context.close)
            contexts.append(context)
            page = context.new_page()
            page.set_default_timeout(8000)
            page.on("console", lambda note: note.type in ("error", "warning") and complaints.append(note.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: request.url.startswith(site) or complaints.append(request.url))
            for act in ("click", "press"):
                setattr(page, act, settled(page, getattr(page, act)))
            page.goto(site + path)
            return page

        yield opened
    assert complaints == []


def settled(page: Any, act: Callable[..., None]) -> Callable[..., None]:
    """A click waits until the next page is on its way; what counts or lists would find that page still empty."""

    def acted(*arguments: Any, **options: Any) -> None:
        act(*arguments, **options)
        page.wait_for_load_state()

    return acted


def titles(page: Any) -> list[str]:
    return [str(text) for text in page.locator("main .grid").first.locator("h3").all_inner_texts()]


@pytest.fixture
def told(opened: Any, contexts: list[Any]) -> Callable[..., list[Any]]:
    """Wait for events of one type that pages of this test send; pages of an earlier one may still be sending theirs."""

    def events(kind: str, *, least: int = 1) -> list[Any]:
        mine = {cookie["value"] for context in contexts for cookie in context.cookies() if cookie["name"] == SHOPPER}
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            found = [event for _, event in opened.events.since(0) if event.type == kind and event.shopper in mine]
            if len(found) >= least:
                return found
            time.sleep(0.05)
        raise AssertionError(f"fewer than {least} {kind} events came")

    return events


def test_search_filter_sort_and_clear(visit: Visit) -> None:
    page = visit()
    page.fill("#q", "oak serving board")
    page.press("#q", "Enter")
    assert "oak serving board" in page.inner_text("h1")
    assert set(titles(page)[:3]) == {f"Oak serving board, {size}" for size in ("small", "medium", "large")}
    every = len(titles(page))
    number = int(page.inner_text('[data-facet="brand"]:has-text("Nordwald") .number'))
    page.click('[data-facet="brand"] >> text=Nordwald')
    assert titles(page)[0] == "Oak serving board, small"
    assert set(page.locator(".hits .maker").all_inner_texts()) == {"Nordwald"}
    assert len(titles(page)) == number < every
    assert page.locator('[data-facet="brand"][aria-current="true"]').inner_text().startswith("Nordwald")
    more = int(page.inner_text('[data-facet="brand"]:has-text("Lumi") .number'))
    page.click('[data-facet="brand"] >> text=Lumi')
    assert set(page.locator(".hits .maker").all_inner_texts()) == {"Nordwald", "Lumi"}
    assert len(titles(page)) == number + more
    assert page.locator(".chips .chip").count() == 2
    assert page.locator('[aria-current="true"][data-facet="brand"]').count() == 2
    page.click('.chips .chip:has-text("Nordwald")')
    assert set(page.locator(".hits .maker").all_inner_texts()) == {"Lumi"}
    page.click(".chips .clear")
    assert len(titles(page)) == every
    page.click('.sorts >> text="Price, highest first"')
    prices = [float(text.removeprefix("€")) for text in page.locator(".hits .now").all_inner_texts()]
    assert prices == sorted(prices, reverse=True)


def test_categories_open_level_by_level(visit: Visit) -> None:
    page = visit("/search")
    assert page.locator('[data-facet="category"] .label').all_inner_texts() == ["Kitchen", "Home", "厨房"]
    page.click('[data-facet="category"] >> text=Kitchen')
    assert page.locator('[data-facet="category"] .label').all_inner_texts() == ["Kitchen", "Cups", "Serving"]
    page.click('[data-facet="category"] >> text=Serving')
    assert page.inner_text("h1") == "Serving"
    assert len(titles(page)) == 9


def test_prices_filter_by_range_and_by_hand(visit: Visit) -> None:
    page = visit("/search")
    count = int(page.locator('[data-facet="price"] .number').nth(1).inner_text())
    page.click('[data-facet="price"] >> nth=1')
    assert f"{count} products" in page.inner_text(".heading")
    page.click(".chips .clear")
    page.fill('input[name="low"]', "10")
    page.fill('input[name="high"]', "20")
    page.click(".range button")
    assert "€10 – €20" in page.inner_text(".chips")
    assert len(titles(page)) == 3


def test_product_page_has_neighbours_and_a_cart(visit: Visit, told: Callable[..., list[Any]]) -> None:
    page = visit("/search?q=oak")
    position = int(page.get_attribute('.card[data-product="p-11"]', "data-position"))
    page.click("text=Oak serving board, large")
    assert page.inner_text("h1") == "Oak serving board, large"
    assert page.locator('section[aria-labelledby="similar"] .card').count() == 6
    assert page.locator('section[aria-labelledby="together"] .card').count() > 0
    assert page.locator(".attributes").inner_text().startswith("colour")
    page.click("text=Add to cart")
    page.wait_for_selector("#toast.shown")
    click, added = told("click")[0], told("add_to_cart")[0]
    assert (click.product, click.position, click.device) == ("p-11", position, "desktop")
    assert added.query_id == click.query_id
    assert added.query_id
    assert added.shopper == click.shopper != ""


def test_home_changes_with_every_click(visit: Visit) -> None:
    page = visit()
    before = titles(page)
    page.click(f"text={before[5]}")
    page.click(".brand")
    once = titles(page)
    assert before[5] not in once != before
    assert page.inner_text("h1") == "Chosen for you"
    page.click(f"text={once[8]}")
    page.click(".brand")
    assert titles(page) != once
    assert page.locator('section[aria-labelledby="seen"] h3').all_inner_texts() == [once[8], before[5]]


def test_what_is_seen_is_told(visit: Visit, told: Callable[..., list[Any]]) -> None:
    page = visit("/search?q=cup")
    answer = page.get_attribute(".hits .grid", "data-query-id")
    shown = [card.get_attribute("data-product") for card in page.locator(".hits .card").all()]
    for event in told("impression", least=3):
        assert event.query_id == answer
        assert shown[event.position - 1] == event.product


def test_suggestions_by_keyboard(visit: Visit) -> None:
    page = visit()
    page.click("#q")
    page.keyboard.type("s")
    page.wait_for_selector("#suggestions li")
    assert page.get_attribute("#q", "aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    first = page.get_attribute("#q", "aria-activedescendant")
    offered = page.locator("#suggestions li").all_inner_texts()
    assert len(offered) > 2
    assert page.inner_text(f"#{first}") == page.input_value("#q") == offered[0]
    page.keyboard.press("ArrowDown")
    assert page.input_value("#q") == offered[1]
    page.keyboard.press("Escape")
    assert page.input_value("#q") == "s"
    assert page.is_hidden("#suggestions")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#suggestions li")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=*")
    assert page.input_value("#q") == offered[-2]


def test_suggestions_by_pointer_in_chinese(visit: Visit) -> None:
    page = visit(language="zh-CN")
    page.fill("#q", "咖啡")
    page.click("#suggestions li >> text=咖啡器具")
    page.wait_for_url("**/search?q=*")
    assert page.inner_text("h1") == "“咖啡器具”的搜索结果"
    assert len(titles(page)) >= 3


def test_the_language_is_the_browsers_until_it_is_chosen(visit: Visit) -> None:
    page = visit("/search?q=cup", language="zh-CN")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    assert "件商品" in page.inner_text("main")
    page.click(".languages >> text=EN")
    assert page.url.endswith("/search?q=cup")
    assert page.get_attribute("html", "lang") == "en"
    page.click(".brand")
    assert page.get_attribute("html", "lang") == "en"


def test_nothing_found_helps_on(visit: Visit) -> None:
    page = visit("/search?q=zzzz&brand=Nobody")
    assert page.inner_text("h1") == "Nothing found for “zzzz”"
    assert page.locator("main .card").count() == 6
    page.click("text=Search again without filters")
    assert page.url.endswith("/search?q=zzzz")


@pytest.mark.parametrize("path", ["/", "/search?q=cup", "/search", "/p/p-1", "/search?brand=Nobody", "/docs", "/ask"])
@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_a_phone_needs_no_sideways_scroll(visit: Visit, path: str, language: str) -> None:
    page = visit(path, width=360, language=language)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_it_works_without_scripts(visit: Visit, told: Callable[..., list[Any]]) -> None:
    page = visit(scripts=False)
    page.fill("#q", "mug")
    page.press("#q", "Enter")
    page.click("text=Enamel mug, medium")
    page.click("text=Add to cart")
    assert page.inner_text(".done") == "Added to cart"
    assert told("add_to_cart")[0].product == "p-4"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.card') !== null")
    assert page.evaluate("getComputedStyle(document.activeElement, '::after').outlineStyle") == "solid"


@pytest.mark.parametrize("path", ["/", "/search?q=cup", "/p/p-1"])
def test_landmarks_labels_and_alternative_texts(visit: Visit, path: str) -> None:
    page = visit(path)
    for landmark in ("banner", "main", "contentinfo", "search"):
        assert page.get_by_role(landmark).count() == 1
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.images].every(image => image.hasAttribute('alt'))")
    assert page.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden])')].every(i => i.labels.length || i.ariaLabel)"
    )
    assert page.evaluate("[...document.querySelectorAll('main .card img')].every(image => image.alt.length > 0)")
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == page.evaluate(
        "document.querySelectorAll('[id]').length"
    )


def test_the_assistant_is_asked_in_a_panel(visit: Visit) -> None:
    """By keyboard: it opens, answers with a card, stays over a page change, offers, confirms and closes."""
    page = visit()
    page.focus("#ask-open")
    page.keyboard.press("Enter")
    page.wait_for_selector("#ask-panel .hello")
    assert page.evaluate("document.activeElement.id") == "ask-text"
    page.keyboard.type("a cup <b>please</b>")
    page.keyboard.press("Enter")
    page.wait_for_selector(".pick a")
    assert page.locator(".turn.shopper .bubble").inner_text() == "a cup <b>please</b>"
    assert page.evaluate("document.activeElement.id") == "ask-text"
    page.click(".pick a")
    page.wait_for_url("**/p/p-0")
    page.wait_for_selector("#ask-panel .pick a")
    page.fill("#ask-text", "cancel it")
    page.keyboard.press("Enter")
    page.click(".offer .yes")
    page.wait_for_selector(".turn .handed")
    assert page.locator(".offer").count() == 0
    assert page.locator(".turn.shopper .bubble").last.inner_text() == "Yes, cancel the order"
    page.keyboard.press("Escape")
    page.wait_for_selector("#ask-panel", state="hidden")
    page.wait_for_selector("#ask-open:focus")


def test_the_assistant_is_asked_without_scripts_on_a_phone(visit: Visit) -> None:
    page = visit(width=390, scripts=False, language="zh-CN")
    page.click("#ask-link")
    page.fill("#ask-text", "一只杯子")
    page.press("#ask-text", "Enter")
    assert page.locator(".turn.shopper .bubble").inner_text() == "一只杯子"
    assert page.locator(".pick a").inner_text() == "Stoneware cup, small"
