"""Rules over HTTP: kept, seen by the next search, refused whole with the cure, previewed; the storefront obeys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")

PIN = {"id": "pin", "do": "pin", "products": ["p-4"], "position": 2, "words": "stoneware cup"}


@pytest.fixture
def ruled(client: Any, doors: Any) -> Iterator[Any]:
    """A client over the real doors, without rules of tests before; its own are gone afterwards."""
    doors.rules.path.unlink(missing_ok=True)
    yield client
    doors.rules.path.unlink(missing_ok=True)


def keep(client: Any, *rules: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/rules", json={"rules": list(rules)})
    assert answer.status_code == 200, answer.text
    kept: dict[str, Any] = answer.json()
    return kept


def found(client: Any, query: str, **more: Any) -> dict[str, Any]:
    page: dict[str, Any] = client.post("/v1/search", json={"query": query, "k": 20, **more}).json()
    return page


def test_a_rule_holds_from_the_next_search_on_and_ends_with_its_removal(ruled: Any) -> None:
    before = found(ruled, "stoneware cup")
    assert (before["rules"], before["banner"], before["redirect"]) == ([], {}, "")
    kept = keep(ruled, PIN)
    assert [(rule["id"], rule["state"]) for rule in kept["rules"]] == [("pin", "live")]
    after = found(ruled, "stoneware cup", explain=True)
    assert after["hits"][1]["id"] == "p-4"
    assert after["rules"] == ["pin"]
    assert {"signal": "rule pin", "value": 2.0, "part": 0.0} in after["hits"][1]["ledger"]
    assert found(ruled, "coffee")["rules"] == []
    gone = ruled.request("DELETE", "/v1/rules", json={"ids": ["pin"]}).json()
    assert gone["rules"] == []
    assert [hit["id"] for hit in found(ruled, "stoneware cup")["hits"]] == [hit["id"] for hit in before["hits"]]


def test_all_are_replaced_and_a_lost_race_is_told(ruled: Any) -> None:
    first = keep(ruled, PIN)
    rules = [{"id": "b", "do": "banner", "text": "Hello 你好"}]
    second = ruled.put("/v1/rules", json={"rules": rules, "version": first["version"]}).json()
    assert [rule["id"] for rule in second["rules"]] == ["b"]
    lost = ruled.put("/v1/rules", json={"rules": [], "version": first["version"]})
    assert lost.status_code == 422
    assert second["version"] in lost.json()["detail"]
    again = ruled.put("/v1/rules", json={"rules": second["rules"]})
    assert again.status_code == 200, "what GET gives can be put back"


@pytest.mark.parametrize(
    ("bad", "seen", "cure"),
    [
        ({"id": "x", "do": "pinn", "products": ["a"]}, "'pinn'", "pin"),
        ({"id": "x", "do": "pin"}, "without products", "products"),
        ({"id": "x", "do": "pin", "products": ["a"], "position": 0}, "position is 0", "1 to 1000"),
        ({"id": "x", "do": "pin", "products": ["a"], "pattern": "(a"}, "'(a'", "RE2"),
        ({"id": "x", "do": "pin", "products": ["a"], "pattern": r"(a)\1"}, "pattern", "back-reference"),
        ({"id": "x", "do": "hide", "products": ["a"], "start": "2026-12-01"}, "no time zone", "+08:00"),
        ({"id": "x", "do": "hide", "filters": [{"field": "colour", "values": ["red"]}]}, "'colour'", "brand"),
        ({"id": "x", "do": "boost", "products": ["a"], "points": float(11)}, "points is 11", "at most 10"),
        ({"id": "x", "do": "redirect", "query": "a", "url": "https://evil.example/"}, "evil.example", "hosts"),
        ({"id": "x", "do": "redirect", "query": "a", "url": "javascript:alert(1)"}, "javascript", "path"),
        ({"id": "x", "do": "redirect", "query": "a", "url": "//evil.example"}, "//evil", "path"),
        ({"id": "x", "do": "redirect", "query": "a", "url": "/\\evil"}, "evil", "path"),
        ({"id": "x", "do": "redirect", "url": "/sale"}, "every answer", "query"),
        ({"id": "x", "do": "hide", "produkts": ["a"]}, "'produkts'", "products"),
        ({"do": "hide"}, "id None", "text"),
        ({"id": "x", "do": "hide", "products": ["a"], "scenes": ["hoem"]}, "hoem", "home"),
    ],
)
def test_a_bad_rule_is_refused_whole_with_its_value_and_cure(ruled: Any, bad: Any, seen: str, cure: str) -> None:
    version = keep(ruled, PIN)["version"]
    for method in ("POST", "PUT"):
        answer = ruled.request(method, "/v1/rules", json={"rules": [PIN | {"id": "good"}, bad]})
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert seen in answer.json()["detail"]
        assert cure in answer.json()["cure"]
    assert ruled.get("/v1/rules").json()["version"] == version, "nothing was changed"


def test_unknown_ids_and_broken_files_are_said(ruled: Any, doors: Any) -> None:
    assert ruled.request("DELETE", "/v1/rules", json={"ids": ["none"]}).status_code == 404
    assert ruled.post("/v1/rules/preview", json={"ids": ["none"]}).status_code == 404
    keep(ruled, PIN)
    doors.rules.path.write_text("[[rule", "utf-8")
    listed = ruled.get("/v1/rules").json()
    assert "no TOML" in listed["fault"]
    assert [rule["id"] for rule in listed["rules"]] == ["pin"], "in force as before"
    assert "mend the file" in ruled.post("/v1/rules", json={"rules": [PIN]}).json()["cure"]
    assert doors.rules.path.read_text("utf-8") == "[[rule", "what a person wrote is not written over"


def test_a_preview_changes_nothing_and_shows_both_pages(ruled: Any) -> None:
    draft = PIN | {"start": "2199-01-01T00:00:00+08:00"}
    seen = ruled.post("/v1/rules/preview", json={"rules": [draft], "k": 5}).json()
    page = seen["pages"][0]
    assert page["query"] == "stoneware cup"
    assert page["before"]["hits"][1]["id"] != "p-4" == page["after"]["hits"][1]["id"]
    assert found(ruled, "stoneware cup")["rules"] == []
    keep(ruled, draft)
    assert found(ruled, "stoneware cup")["rules"] == [], "planned"
    kept = ruled.post("/v1/rules/preview", json={"ids": ["pin"], "queries": ["blue stoneware cup"], "k": 5}).json()
    assert kept["pages"][0]["after"]["rules"] == ["pin"]


def test_conflicts_are_listed_with_what_wins(ruled: Any) -> None:
    hide = {"id": "hide", "do": "hide", "products": ["p-4", "nobody"]}
    listed = keep(ruled, PIN, PIN | {"id": "zin", "products": ["p-5"]}, hide)
    found = {(one["problem"], tuple(one["rules"])) for one in listed["conflicts"]}
    assert found == {("one position", ("pin", "zin")), ("hidden", ("hide", "pin")), ("unknown product", ("hide",))}


def test_the_storefront_shows_banners_and_follows_redirects_once(ruled: Any) -> None:
    evil = '<script>alert("x")</script>'
    keep(
        ruled,
        {"id": "b", "do": "banner", "text": f"本店 {evil}", "url": "/search?q=cup", "words": "cup"},
        {"id": "r", "do": "redirect", "query": "returns", "url": "/docs"},
        {"id": "a", "do": "redirect", "query": "ping", "url": "/search?q=pong"},
        {"id": "z", "do": "redirect", "query": "pong", "url": "/search?q=ping"},
    )
    page = ruled.get("/search", params={"q": "cup"}).text
    assert re.search(r'class="banner".*href="/search\?q=cup">本店 &lt;script', page, re.DOTALL)
    away = ruled.get("/search", params={"q": "Returns"}, follow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (302, "/docs")
    there = ruled.get("/search", params={"q": "ping"})
    assert there.status_code == 200
    assert there.url.query == b"q=pong&stay=1"
