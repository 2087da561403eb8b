"""Queries, audit log, rules, alarms and experiments in the console, over a shop that is on the disk."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.events.answer import Answer  # noqa: E402  # after the check for the extra
from mercer.events.log import EventLog  # noqa: E402
from mercer.serve import Keys, create_app  # noqa: E402
from mercer.shop import Shop  # noqa: E402


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


@pytest.fixture
def browser(double: Any, shop: Shop) -> Iterator[Any]:
    headers = {"accept": "text/html", "accept-language": "en"}
    app = create_app(double, keys=Keys(shop))
    with testclient.TestClient(app, follow_redirects=False, headers=headers) as client:
        yield client


def token(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def test_queries_of_a_shop_that_nobody_searched(browser: Any) -> None:
    for by in ("top", "zero", "low_click", "slow"):
        page = browser.get("/console/queries", params={"by": by})
        assert page.status_code == 200
        assert 'class="empty"' in page.text


def test_queries_are_counted_masked_and_harmless(browser: Any, shop: Shop) -> None:
    now = int(time.time() * 1000)
    with EventLog(shop.events) as log:
        for n, query in enumerate(["tea", "tea", "ring 13800138000", "<script>alert(1)</script>"]):
            log.shown([], Answer(f"q{n}", now - n, "search", query, 0 if n > 1 else 3))
        log.flush()
    page = browser.get("/console/queries")
    assert "4 searches, 2 of them found nothing (50.0%)" in page.text
    assert "13800138000" not in page.text
    assert "<script>alert" not in page.text
    empty = browser.get("/console/queries", params={"by": "zero"})
    assert ">tea<" not in empty.text
    assert "共 4 次搜索" in browser.get("/console/queries", headers={"accept-language": "zh"}).text


def test_slow_queries_are_those_of_this_server(browser: Any) -> None:
    browser.get("/search", params={"q": "oak board"})
    page = browser.get("/console/queries", params={"by": "slow"})
    assert "oak board" in page.text
    assert "1.7 ms" in page.text, "of the double: 1.5 and 0.2"


@pytest.mark.parametrize("wrong", [{"by": "x"}, {"span": "8"}, {"span": "x"}, {"page": "x"}])
def test_queries_of_nonsense(browser: Any, wrong: dict[str, str]) -> None:
    assert browser.get("/console/queries", params=wrong).status_code in (404, 422)


def test_the_audit_log_and_its_chain(browser: Any, shop: Shop) -> None:
    assert "Nothing was changed yet" in browser.get("/console/audit").text
    for n in range(60):
        shop.audit.append("publish", {"version": f"v{n}"}, who="user ann")
    shop.audit.append("change rules", {"written": ["<b>x"]}, who="user bob")
    page = browser.get("/console/audit")
    assert "The chain is whole: 61 entries" in page.text
    assert "&lt;b&gt;x" in page.text
    assert page.text.count("user ann") == 49
    assert browser.get("/console/audit", params={"page": "2"}).text.count("user ann") == 11
    assert browser.get("/console/audit", params={"q": "BOB"}).text.count("user ann") == 0
    text = shop.audit.path.read_text("utf-8")
    shop.audit.path.write_text(text.replace('"v7"', '"v8"'), "utf-8")
    broken = browser.get("/console/audit")
    assert broken.status_code == 200
    assert "line 8 is not what was written" in broken.text
