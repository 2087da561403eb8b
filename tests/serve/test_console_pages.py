"""Queries, audit log, rules, alarms and experiments in the console, over a shop that is on the disk."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.errors import ModelError  # noqa: E402
from mercer.events.answer import Answer  # noqa: E402  # after the check for the extra
from mercer.events.log import EventLog  # noqa: E402
from mercer.records import Contribution  # noqa: E402
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


# --- rules


@pytest.fixture
def ruled(double: Any, shop: Shop, browser: Any) -> Any:
    """The double with a real book of rules."""
    from mercer.doors.preview import Compared, Preview
    from mercer.rank.rule_book import RuleBook

    double.rules = RuleBook(shop)
    double.conflicts = list

    def preview(rows: Any, ids: Any, *, queries: Any, k: int, request: Any) -> Preview:
        double.rules.drafted(rows)
        before = double.search(replace(request, query="cup", k=3))
        after = replace(before, hits=tuple(reversed(before.hits)), redirect="/docs")
        return Preview((Compared("cup", before, after),), 1, 2)

    double.preview = preview
    return double.rules


def rule(browser: Any, **fields: Any) -> dict[str, Any]:
    usual = {"id": "spring", "do": "pin", "products": "p-1\np-2", "enabled": "1", "scenes": "search", "act": "save"}
    return {"token": token(browser.get("/console/rules/new")), **usual, **fields}


def test_a_rule_is_made_changed_turned_off_and_removed(browser: Any, ruled: Any, shop: Shop) -> None:
    assert 'value="' not in browser.get("/console/rules").text.split('class="empty"')[1]
    asked = browser.get("/console/rules/new", params={"query": "<b>oak"})
    assert "&lt;b&gt;oak</textarea>" in asked.text
    form = rule(browser, query="oak board\n\n 木托盘 ", start="2026-12-01", end="2026-12-07", position="2")
    made = browser.post("/console/rules/save", data=form)
    assert (made.status_code, made.headers["location"]) == (303, "/console/rules?done=saved")
    (kept,) = ruled.rules.rules
    assert (kept.query, kept.products, kept.position) == (("oak board", "木托盘"), ("p-1", "p-2"), 2)
    assert (kept.start, kept.end) == ("2026-12-01T00:00:00+00:00", "2026-12-08T00:00:00+00:00"), "the last day is whole"
    assert "Saved; it holds" in browser.get("/console/rules?done=saved").text
    edited = browser.get("/console/rules/edit/spring")
    assert "oak board\n木托盘</textarea>" in edited.text
    again = rule(
        browser, query="oak", old="spring", do="boost", filters="brand=Nordwald|Lumi\nprice=..20", points="0.5"
    )
    assert browser.post("/console/rules/save", data=again).status_code == 303
    (kept,) = ruled.rules.rules
    assert [(one.field, one.values, one.low, one.high) for one in kept.filters] == [
        ("brand", ("Nordwald", "Lumi"), None, None),
        ("price", (), None, 20.0),
    ]
    change = {"token": form["token"], "id": "spring"}
    browser.post("/console/rules/change", data={**change, "act": "off"})
    assert not ruled.rules.rules[0].enabled
    browser.post("/console/rules/change", data={**change, "act": "on"})
    assert ruled.rules.rules[0].enabled
    assert browser.post("/console/rules/change", data={**change, "act": "remove"}).status_code == 303
    assert not ruled.rules.rules
    assert [entry.act for entry in shop.audit.entries()] == ["change rules"] * 5


def test_a_preview_keeps_nothing_and_shows_what_moves(browser: Any, ruled: Any) -> None:
    page = browser.post("/console/rules/save", data=rule(browser, query="cup", act="preview", asked="cup"))
    assert page.status_code == 200
    assert "1 of 2 known queries meet it" in page.text
    assert page.text.count(">up</span>") == 1
    assert page.text.count(">down</span>") == 1
    assert "/docs" in page.text
    assert 'value="spring"' in page.text, "what was typed is still there"
    assert not ruled.rules.rules


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": ""}, "has the id"),
        ({"do": "burn"}, "do is"),
        ({"products": ""}, "a pin without products"),
        ({"position": "zero"}, "position is"),
        ({"do": "boost", "points": "nan"}, "points is"),
        ({"do": "filter", "filters": "brand"}, "a filter is"),
        ({"start": "tomorrow"}, "which is no moment"),
        ({"start": "2026-12-05", "end": "2026-12-01"}, "before it starts"),
        ({"do": "redirect", "query": "x", "url": "https://elsewhere.example"}, "url"),
        ({"do": "synonym", "synonyms": "alone"}, "is alone"),
        ({"pattern": "("}, "pattern"),
    ],
)
def test_a_rule_that_cannot_be_says_why(browser: Any, ruled: Any, fields: dict[str, Any], said: str) -> None:
    answer = browser.post("/console/rules/save", data=rule(browser, **fields))
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert "What helps" in answer.text
    assert not ruled.rules.rules


def test_an_id_that_is_taken_is_not_overwritten(browser: Any, ruled: Any) -> None:
    ruled.put([{"id": "spring", "do": "hide", "products": ["p-9"]}])
    answer = browser.post("/console/rules/save", data=rule(browser, query="x"))
    assert answer.status_code == 422
    assert "already" in answer.text
    assert ruled.rules.rules[0].do == "hide"
    assert browser.get("/console/rules/edit/nothing").status_code == 404
    change = {"token": rule(browser)["token"], "id": "nothing", "act": "remove"}
    assert browser.post("/console/rules/change", data=change).status_code == 404


def test_a_form_shows_every_kind_of_rule_as_it_is() -> None:
    from mercer.serve.console.form import Fields
    from mercer.serve.console.rules_form import fields_of, row_of

    rows: list[dict[str, Any]] = [
        {"id": "a", "do": "hide", "products": ["p"], "scenes": ["search", "home"], "enabled": False},
        {
            "id": "b",
            "do": "bury",
            "filters": [{"field": "price", "low": 5.0, "high": 9.5}],
            "points": 0.3,
            "device": ["phone"],
        },
        {"id": "c", "do": "synonym", "synonyms": [["sofa", "couch"], ["沙发", "长沙发"]]},
        {"id": "d", "do": "banner", "text": "Hello", "url": "/docs", "category": ["Home > Cups"], "note": "n"},
        {
            "id": "e",
            "do": "pin",
            "products": ["p"],
            "position": 3,
            "pattern": ["^a"],
            "start": "2026-12-01T00:00:00+08:00",
        },
    ]
    for row in rows:
        told = {name: value if isinstance(value, list) else [str(value)] for name, value in fields_of(row).items()}
        if not row.get("enabled", True):
            del told["enabled"]
        assert row_of(Fields(told), zone=None) == row


# --- two versions side by side


class Other:
    """Another version: the double's answers, the other way round, with a ledger."""

    def __init__(self, double: Any, version: str) -> None:
        self.double, self.version, self.closed = double, version, False

    def search(self, request: Any, **_: Any) -> Any:
        if self.version == "broken":
            raise ModelError("the encoder is gone", cure="run: mercer index SHOP")
        page = self.double.search(request)
        lines = (Contribution("words", 2.0, 0.75), Contribution("rule <i>", 1.0, -0.5))
        return replace(page, hits=tuple(replace(hit, ledger=lines) for hit in reversed(page.hits)))

    def close(self) -> None:
        self.closed = True


def keep_index(shop: Shop, version: str) -> None:
    with shop.writing("index") as folder:
        shop.keep("index", folder, {"checked": "", "encoder": {}}, version=version)


def test_one_query_on_two_versions_with_the_ledger(double: Any, shop: Shop) -> None:
    others: list[Other] = []

    def beside(version: str) -> Any:
        others.append(Other(double, version))
        return others[-1]

    for version in ("v1", "v2", "v3", "broken"):
        keep_index(shop, version)
    headers = {"accept": "text/html", "accept-language": "en"}
    with testclient.TestClient(create_app(double, keys=Keys(shop), beside=beside), headers=headers) as client:
        empty = client.get("/console/compare")
        assert "Ask something" in empty.text
        page = client.get("/console/compare", params={"q": "cup", "left": "double", "right": "v1"}).text
        assert "3 of the first 10 are in both" in page
        assert "+0.7500" in page
        assert "-0.5000" in page
        assert "rule &lt;i&gt;" in page
        assert page.count(">3 there</span>") == page.count(">1 there</span>") == 2
        assert client.get("/console/compare", params={"q": "cup", "right": "v1"}).status_code == 200
        assert len(others) == 1, "it is still open"
        broken = client.get("/console/compare", params={"q": "cup", "right": "broken"})
        assert broken.status_code == 200
        assert "the encoder is gone" in broken.text
        for version in ("v2", "v3"):
            client.get("/console/compare", params={"q": "cup", "right": version})
        assert [other.closed for other in others if other.version == "v1"] == [True], "two are held at most"
        assert "there is no index version" in client.get("/console/compare", params={"q": "cup", "right": "v9"}).text
        assert client.get("/console/compare", params={"q": "cup", "left_way": "burn"}).status_code == 404
    assert all(other.closed for other in others), "none is left open"


def test_a_server_that_cannot_open_others_compares_ways(browser: Any, shop: Shop) -> None:
    keep_index(shop, "v1")
    page = browser.get("/console/compare", params={"q": "cup", "right": "v1"})
    assert page.status_code == 200
    assert "is not open here" in page.text


# --- alarms and experiments


def test_alarms_are_looked_after_and_muted(browser: Any, shop: Shop) -> None:
    from mercer.watch.alarm import AlarmRule, Measured
    from mercer.watch.alarm_book import AlarmBook

    assert "Nothing was watched yet" in browser.get("/console/alarms").text
    book = AlarmBook(shop)
    rules = {"empty": AlarmRule("quality.zero_results", 0.3, 0.2), "calm": AlarmRule("drift.queries", 0.3, 0.2)}
    book.see(rules, [Measured("quality.zero_results", 0.5, 0.4, 0.6, 1), Measured("drift.queries", 0.1, 0.1, 0.1, 1)])
    page = browser.get("/console/alarms")
    assert "quality.zero_results is 0.5" in page.text
    assert page.text.count(">stands</span>") == 1
    assert page.text.count(">quiet</span>") == 1
    assert '<span class="badge">1</span>' in page.text
    form = {"token": token(page), "alarm": "empty"}
    assert browser.post("/console/alarms", data={**form, "act": "acknowledge", "note": "late"}).status_code == 303
    assert book.standing()["empty"].note == "late"
    assert '<span class="badge">1</span>' not in browser.get("/console/alarms").text
    browser.post("/console/alarms", data={**form, "act": "mute"})
    assert "muted until" in browser.get("/console/alarms").text
    browser.post("/console/alarms", data={**form, "act": "unmute"})
    assert not book.standing()["empty"].muted_until
    for wrong, status in (({"act": "burn"}, 422), ({"act": "mute", "alarm": "nothing"}, 404)):
        answer = browser.post("/console/alarms", data={**form, **wrong})
        assert answer.status_code == status
        assert "What helps" in answer.text
    assert [entry.act for entry in shop.audit.entries()] == ["acknowledge alarm", "mute alarm", "mute alarm"]


def test_experiments_are_judged_and_stopped(double: Any, shop: Shop) -> None:
    from mercer.watch.experiment_book import ExperimentBook

    with EventLog(shop.events) as log:
        doors = type("Logged", (type(double),), {"events": log})()
        app, headers = create_app(doors, keys=Keys(shop)), {"accept": "text/html", "accept-language": "en"}
        with testclient.TestClient(app, follow_redirects=False, headers=headers) as client:
            assert "No experiment was started" in client.get("/console/experiments").text
            book = ExperimentBook(shop)
            book.start({"id": "spread", "arms": [{"name": "as-is"}, {"name": "mmr", "settings": {"rank.dense": 0.5}}]})
            page = client.get("/console/experiments")
            assert "rank.dense=0.5" in page.text
            assert "too few shoppers yet" in page.text
            assert "nan" not in page.text
            form = {"token": token(page), "experiment": "spread"}
            assert client.post("/console/experiments", data=form).status_code == 303
            assert book.one("spread").state == "stopped"
            assert client.post("/console/experiments", data={**form, "experiment": "x"}).status_code == 404
