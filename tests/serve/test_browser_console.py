"""The console, and every page's accessibility, in a real browser: both languages and widths, on this machine only."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

uvicorn = pytest.importorskip("uvicorn", reason="mercer[serve] is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (mercer[dev])")
axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed (mercer[dev])")

from mercer.serve.console.menu import SECTIONS  # noqa: E402  # after the checks for the extras

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")

DEEPER = (
    "/data/rows?check=C13&family=reviews&problem=unknown_product", "/queries?by=slow",
    "/compare?q=oak+board&right_way=lexical", "/rules/new?query=cup", "/nowhere",
)  # fmt: skip
CONSOLE = (*(section.address.removeprefix("/console") for section in SECTIONS), *DEEPER)
STOREFRONT = ("/", "/search?q=cup", "/search?q=zzzz&brand=Nobody", "/p/p-1", "/docs", "/console/sign-in")
SERIOUS = ("serious", "critical")
RUN = "axe.run(document, {resultTypes: ['violations']})"


@pytest.fixture(scope="module")
def shop(spoilt: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shop of its own to be changed: what a check took out, two index versions, an alarm, an experiment."""
    from mercer.shop import Shop
    from mercer.watch.alarm import AlarmRule, Measured
    from mercer.watch.alarm_book import AlarmBook
    from mercer.watch.experiment_book import ExperimentBook

    copy = tmp_path_factory.mktemp("browser") / "shop"
    shutil.copytree(spoilt, copy)
    shutil.copytree(folder / "store" / "index", copy / "store" / "index")
    made = Shop(copy)
    made.publish("index", made.versions("index")[0])
    AlarmBook(made).see({"empty": AlarmRule("quality.empty", 0.3, 0.2)}, [Measured("quality.empty", 0.5, 0.4, 0.6, 1)])
    ExperimentBook(made).start(
        {"id": "trees", "arms": [{"name": "as-is"}, {"name": "b", "settings": {"rank.dense": 0.5}}]}
    )
    return made


@pytest.fixture(scope="module")
def secret(shop: Any) -> str:
    from mercer.serve import Keys

    return str(Keys(shop).add("owner", ["admin"])[1])


@pytest.fixture(scope="module")
def site(opened: Any, shop: Any, secret: str) -> Iterator[str]:
    """The address of one server over the real doors."""
    from mercer.serve import Keys, ServeSettings, create_app

    app = create_app(opened, keys=Keys(shop), settings=ServeSettings(address_rate=0, key_rate=0))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


Open = Callable[..., Any]


@pytest.fixture(scope="module")
def pages(browser: Any, site: str, secret: str) -> Iterator[Open]:
    """A page by width and language, signed in where it is for the owner; each is opened once and goes on."""
    held: dict[Any, Any] = {}

    def opened(*, width: int = 1280, language: str = "en-GB", signed: bool = True, scheme: str = "light") -> Any:
        chosen = (width, language, signed, scheme)
        if chosen not in held:
            context = browser.new_context(
                viewport={"width": width, "height": 850}, locale=language, color_scheme=scheme, bypass_csp=False
            )
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.complaints = []
            page.on("console", lambda note: page.complaints.append(f"{page.url}: {note.text}"))
            page.on("pageerror", lambda error: page.complaints.append(f"{page.url}: {error}"))
            page.on("request", lambda request: request.url.startswith(site) or page.complaints.append(request.url))
            page.click = settled(page, page.click)
            page.press = settled(page, page.press)
            if signed:
                page.goto(f"{site}/console/sign-in")
                page.fill("#key", secret)
                page.click("button.main")
                page.wait_for_url("**/console")
            held[chosen] = page
        page = held[chosen]
        page.complaints.clear()
        return page

    yield opened
    for page in held.values():
        page.context.close()


def settled(page: Any, act: Callable[..., None]) -> Callable[..., None]:
    """A click waits until the next page is there; what counts or lists would find the one before it."""

    def acted(*arguments: Any, **options: Any) -> None:
        act(*arguments, **options)
        page.wait_for_load_state()

    return acted


def faults(page: Any) -> list[str]:
    """What axe-core calls serious or critical, with where it is."""
    page.evaluate(SCRIPT)
    found = page.evaluate(RUN)["violations"]
    return [
        f"{page.url}: {one['id']} {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"][:3]
    ]


SCRIPT = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")


def looked_at(page: Any, site: str, path: str) -> list[str]:
    """Everything that is wrong with one page."""
    page.complaints.clear()
    answer = page.goto(site + path)
    missing = answer.status == 404
    wrong = [] if answer.status == 200 or missing else [f"{path}: {answer.status}"]
    wrong += [line for line in page.complaints if not (missing and "404" in line)]
    width = page.viewport_size["width"]
    if (scrolled := page.evaluate("document.documentElement.scrollWidth")) > width:
        wrong.append(f"{path} is {scrolled} wide on {width}")
    if page.locator("h1").count() != 1:
        wrong.append(f"{path} has {page.locator('h1').count()} h1")
    return [*wrong, *faults(page)]


@pytest.mark.parametrize(
    ("width", "language", "scheme"), [(1280, "en-GB", "light"), (390, "zh-CN", "dark")], ids=["wide", "phone"]
)
def test_no_page_has_a_serious_fault(pages: Open, site: str, width: int, language: str, scheme: str) -> None:
    owner = pages(width=width, language=language, scheme=scheme)
    guest = pages(width=width, language=language, scheme=scheme, signed=False)
    wrong = [line for path in CONSOLE for line in looked_at(owner, site, f"/console{path}")]
    model = owner.goto(f"{site}/console/models") and owner.locator("table a").first.get_attribute("href")
    wrong += looked_at(owner, site, str(model))
    wrong += [line for path in STOREFRONT if width > 390 or path != "/docs" for line in looked_at(guest, site, path)]
    assert not wrong, "\n".join(wrong)


def test_the_other_language_fits_on_a_phone_too(pages: Open, site: str) -> None:
    page = pages(width=390)
    for path in CONSOLE:
        page.goto(f"{site}/console{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_only_an_owner_comes_in_and_goes_where_they_wanted(pages: Open, site: str, secret: str) -> None:
    page = pages(signed=False)
    page.goto(f"{site}/console/data?x=1")
    assert "/console/sign-in" in page.url
    page.fill("#key", "mercer_nonsense")
    page.click("button.main")
    assert "no key of this shop" in page.inner_text("[role=alert]")
    page.fill("#key", secret)
    page.click("button.main")
    page.wait_for_url(f"{site}/console/data?x=1")
    page.click("nav.languages >> text=中文")
    page.wait_for_selector('html[lang="zh-Hans"]')
    assert page.url == f"{site}/console/data?x=1"
    assert page.inner_text("h1") == "数据健康"
    page.click("text=退出")
    page.wait_for_url("**/console/sign-in")
    page.goto(f"{site}/console/keys")
    assert "/console/sign-in" in page.url
    assert [line for line in page.complaints if "422" not in line] == []


def test_bad_rows_are_chosen_together_and_given_up_after_a_question(pages: Open, site: str, shop: Any) -> None:
    from mercer.quality.ledger import Ledger

    page = pages()
    page.goto(f"{site}/console/data")
    page.click("text=it points to an unknown product")
    page.wait_for_url("**/rows?*")
    page.check("[data-all]")
    assert page.locator("input[name=row]:checked").count() == 2
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click("button.danger")
    assert asked[0].startswith("Agree to lose all 2 rows?")
    assert not Ledger(shop.store).approved(), "nothing is done where the answer is no"
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("button.danger")
    page.wait_for_url("**/console/data?done=*")
    assert len(Ledger(shop.store).approved()) == 2
    assert "2 rows are given up" in page.inner_text("[role=status]")
    assert page.complaints == []


def test_a_rule_shows_what_it_would_do_before_it_is_kept(pages: Open, site: str, opened: Any) -> None:
    page = pages()
    page.goto(f"{site}/console/rules/new?query=oak+serving+board")
    assert page.is_visible("#position")
    page.fill("#id", "large-first")
    page.fill("#products", "p-11")
    page.click("text=See what it would do")
    page.wait_for_selector(".seen")
    shown = page.locator(".seen .columns > div").nth(1)
    assert shown.locator("li").first.inner_text().startswith("Oak serving board, large")
    page.select_option("#do", "redirect")
    assert page.is_hidden("#position")
    assert page.is_visible("#url")
    assert not opened.rules.rules.rules, "a preview keeps nothing"
    assert page.complaints == []


def test_two_ways_side_by_side_and_where_a_score_comes_from(pages: Open, site: str) -> None:
    page = pages()
    page.goto(f"{site}/console/compare")
    page.fill("input[name=q]", "oak serving board")
    page.select_option("select[name=right_way]", "lexical")
    page.click("main button.main")
    page.wait_for_selector(".sides section li")
    assert page.locator(".sides section").count() == 2
    first = page.locator(".sides section").first.locator("li").first
    assert "Oak serving board" in first.inner_text()
    assert first.locator(".ledger tbody tr").count() >= 2
    assert page.complaints == []


def test_it_works_without_scripts(browser: Any, site: str, secret: str, shop: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{site}/console/keys")
    page.fill("#key", secret)
    page.click("button.main")
    page.fill("#name", "web")
    page.check("input[value=search]")
    page.click("section.panel button.main")
    page.wait_for_selector("#secret")
    assert page.inner_text("#secret").startswith("mercer_")
    context.close()
