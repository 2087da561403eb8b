"""Experiments and alarms over HTTP: arms really answer, the log knows which, refusals say why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.serve import Keys, create_app  # noqa: E402
from mercer.watch.alarm import AlarmRule, Measured  # noqa: E402
from mercer.watch.alarm_book import AlarmBook  # noqa: E402

WIDE = {"name": "wide", "settings": {"rank.dense": 1.0, "rank.cut": 0.0}}


@pytest.fixture
def tried(doors: Any) -> Iterator[Any]:
    """A client over the real doors and an empty book of experiments."""
    book = doors.shop.store / "experiments.json"
    book.unlink(missing_ok=True)
    with testclient.TestClient(create_app(doors, keys=Keys(doors.shop)), raise_server_exceptions=False) as client:
        yield client
    book.unlink(missing_ok=True)


def start(client: Any, **row: Any) -> Any:
    usual = {"id": "one", "arms": [{"name": "as-is"}, WIDE], "settle_hours": 0.0}
    return client.post("/v1/experiments", json={**usual, **row})


def found(client: Any, shopper: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/search", json={"query": "stoneware cup", "k": 10, "shopper": shopper, **more})
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def arms(doors: Any) -> dict[str, str | None]:
    """Query id → arm, of everything in the log."""
    return {answer.query_id: answer.arm for _, answer in doors.events.answers()}


def test_each_shopper_is_answered_by_one_arm_and_the_log_knows(tried: Any, doors: Any) -> None:
    plain = found(tried, "ann")["total"]
    assert start(tried).status_code == 201
    pages = [(shopper, found(tried, shopper)) for shopper in [f"s{n}" for n in range(12)] * 2]
    known = arms(doors)
    by_arm: dict[Any, set[int]] = {}
    for _, page in pages:
        by_arm.setdefault(known[page["query_id"]], set()).add(page["total"])
    assert by_arm["one/as-is"] == {plain}
    assert min(by_arm["one/wide"]) > plain, "that arm has no cut-off"
    assert len({(who, known[page["query_id"]]) for who, page in pages}) == 12
    nobody = found(tried, "")["query_id"]
    assert arms(doors)[nobody] is None, "nobody known, no session: no part of it"
    shown = tried.get("/v1/experiments/one").json()["outcome"]
    assert sum(arm["units"] for arm in shown["arms"]) == 12
    assert shown["trusted"]
    assert tried.post("/v1/experiments/one/stop").json()["experiment"]["state"] == "stopped"
    after = found(tried, "s1")["query_id"]
    assert arms(doors)[after] is None


def test_an_interleaved_list_is_of_both_and_goes_on_with_its_pages(tried: Any, doors: Any) -> None:
    assert start(tried, kind="interleave").status_code == 201
    whole = found(tried, "ann")
    ids = [hit["id"] for hit in whole["hits"]]
    teams = arms(doors)[whole["query_id"]]
    assert teams is not None
    assert set(teams.removeprefix("one/~")) == {"a", "b"}
    assert len(set(ids)) == len(ids) == len(teams.removeprefix("one/~"))
    parts = [found(tried, "ann", k=5, offset=offset) for offset in (0, 5)]
    assert [hit["id"] for part in parts for hit in part["hits"]] == ids


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rank.dense": 7}, "0 to 1"),
        ({"rank.dense": "much"}, "such as"),
        ({"rank.colour": 1}, "colour"),
        ({"encode.source": "x"}, "SECTION"),
        ({"rules": 5}, "off"),
        ({"rank.ranker": "ranker/gone"}, "gone"),
    ],
)
def test_an_arm_that_cannot_be_served_is_refused_at_once(tried: Any, settings: dict[str, Any], said: str) -> None:
    answer = start(tried, arms=[{"name": "a"}, {"name": "b", "settings": settings}])
    assert answer.status_code in (404, 422), answer.text
    assert said in answer.text
    assert tried.get("/v1/experiments").json() == {"experiments": []}


def test_an_arm_that_breaks_later_costs_nobody_the_answer(tried: Any, doors: Any) -> None:
    book = doors.shop.store / "experiments.json"
    assert start(tried).status_code == 201
    book.write_text(book.read_text("utf-8").replace("rank.cut", "rank.gone"), "utf-8")
    pages = [found(tried, f"s{n}") for n in range(8)]
    assert {page["total"] for page in pages} == {found(tried, "")["total"]}
    assert "mercer_experiment_faults_total 0.0" not in tried.get("/metrics").text
    book.write_text("{", "utf-8")
    assert found(tried, "ann")["hits"]
    assert tried.get("/v1/experiments").status_code == 503


def test_rules_and_recommendation_have_arms_too(tried: Any, doors: Any) -> None:
    doors.rules.put([{"id": "pin", "do": "pin", "products": ["p-4"], "position": 1, "words": "stoneware cup"}])
    try:
        without = {"name": "without", "settings": {"rules": ["pin"], "recommend.deepest": 900}}
        off = {"name": "off", "settings": {"rules": "off"}}
        assert start(tried, arms=[{"name": "as-is"}, without, off]).status_code == 201
        pages = {shopper: found(tried, shopper) for shopper in (f"s{n}" for n in range(12))}
        known = arms(doors)
        pinned = {known[page["query_id"]]: page["rules"] for page in pages.values()}
        assert pinned == {"one/as-is": ["pin"], "one/without": [], "one/off": []}
        assert start(tried, id="two", scenes=["home"]).status_code == 201
        home = tried.post("/v1/recommend", json={"scene": "home", "shopper": "s1", "k": 3}).json()
        assert str(arms(doors)[home["query_id"]]).startswith("two/")
    finally:
        doors.rules.remove(["pin"])


def test_alarms_are_read_acknowledged_and_muted(tried: Any, doors: Any) -> None:
    book = AlarmBook(doors.shop)
    rules = {"empty": AlarmRule("quality.zero_results", 0.3, 0.2)}
    book.see(rules, [Measured("quality.zero_results", 0.5, 0.4, 0.6, 1)])
    (alarm,) = tried.get("/v1/alarms").json()["alarms"]
    assert (alarm["rule"], alarm["stands"], alarm["alarm"]["severity"]) == ("empty", True, "medium")
    assert 'mercer_alarms{severity="medium"} 1.0' in tried.get("/metrics").text
    seen = tried.post("/v1/alarms/empty", json={"act": "acknowledge", "note": "on it"}).json()
    assert (seen["acknowledged"], seen["note"]) == ("anyone over HTTP", "on it")
    assert tried.post("/v1/alarms/empty", json={"act": "mute", "hours": 2}).json()["muted_until"] > 0
    assert tried.post("/v1/alarms/gone", json={"act": "mute"}).status_code == 404
    assert tried.post("/v1/alarms/empty", json={"act": "shout"}).status_code == 422
    book.path.unlink()


def test_metrics_tell_stages_reasons_and_queues(tried: Any, doors: Any) -> None:
    found(tried, "ann")
    text = tried.get("/metrics").text
    for stage in ("understand", "rules", "lexical", "encode", "dense", "rank", "page"):
        assert f'mercer_stage_seconds_count{{scene="search",stage="{stage}"}} 1.0' in text
    for gauge in ("mercer_waiting", "mercer_encode_queue"):
        assert f"\n{gauge} 0.0" in text
    assert tried.put("/v1/products", json={"products": [{"id": "p-0", "title": "Stoneware cup"}]}).status_code == 200
    assert "\nmercer_encode_queue 0.0" in tried.get("/metrics").text, "what was made waits no more"


def test_labels_stay_few_whatever_a_door_says() -> None:
    from mercer.records import Page
    from mercer.serve.metrics import Metrics, reasons

    metrics = Metrics()
    for number in range(50):
        metrics.page("search", Page("q", (), 0, degraded=f"odd {number}", stages={f"stage {number}": 1.0}))
    assert metrics.text().count(b"mercer_stage_seconds_count{") == 1
    assert b'mercer_degraded_reasons_total{why="other"} 50.0' in metrics.text()
    assert reasons("busy: words only") == ["busy"]
