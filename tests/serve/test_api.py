"""Every route of the API: what it answers to good questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")


def test_search_answers_with_everything_promised(client: Any) -> None:
    answer = client.post(
        "/v1/search", json={"query": "stoneware cup", "facets": ["brand", "category"], "k": 2, "explain": True}
    )
    assert answer.status_code == 200
    page = answer.json()
    assert set(page) >= {"query_id", "hits", "facets", "total", "corrected", "degraded", "stages", "suggestion"}
    assert page["query_id"]
    assert len(page["hits"]) == 2 < page["total"]
    hit = page["hits"][0]
    assert set(hit) == {"id", "product", "score", "reason", "ledger"}
    assert hit["product"]["category"] == ["Kitchen", "Cups"]
    assert page["facets"]["category"]["Kitchen > Cups"] >= 3
    assert hit["reason"]


def first_hits(client: Any, query: str) -> list[str]:
    return [hit["id"] for hit in client.post("/v1/search", json={"query": query, "k": 5}).json()["hits"]]


def test_ledger_is_given_only_where_asked_for(client: Any) -> None:
    short = client.post("/v1/search", json={"query": "cup"}).json()["hits"][0]
    long = client.post("/v1/search", json={"query": "cup", "explain": True}).json()["hits"][0]
    assert short["ledger"] is None
    assert sum(line["part"] for line in long["ledger"]) == pytest.approx(long["score"])


def test_filters_sort_and_offset_reach_the_door(client: Any) -> None:
    body = {
        "filters": [{"field": "price", "low": 20, "high": 60}, {"field": "in_stock", "values": ["true"]}],
        "sort": "price_down",
        "k": 5,
    }
    first = client.post("/v1/search", json=body).json()
    second = client.post("/v1/search", json={**body, "offset": 5}).json()
    prices = [hit["product"]["price"] for hit in first["hits"] + second["hits"]]
    assert prices == sorted(prices, reverse=True)
    assert all(20 <= price <= 60 for price in prices)
    assert first["total"] == second["total"]


@pytest.mark.parametrize("scene", ["home", "next", "trending"])
def test_recommend_without_an_item(client: Any, scene: str) -> None:
    page = client.post("/v1/recommend", json={"scene": scene, "shopper": "s", "k": 4, "exclude": ["p-0"]}).json()
    assert page["query_id"]
    assert len(page["hits"]) == 4
    assert "p-0" not in {hit["id"] for hit in page["hits"]}


@pytest.mark.parametrize("scene", ["similar", "together"])
def test_recommend_beside_an_item(client: Any, scene: str) -> None:
    page = client.post("/v1/recommend", json={"scene": scene, "item": "p-0", "k": 4}).json()
    assert "p-0" not in {hit["id"] for hit in page["hits"]}


def test_suggest(client: Any) -> None:
    assert client.get("/v1/suggest", params={"q": "oa"}).json()["completions"][0] == "Oak serving board"
    assert client.get("/v1/suggest", params={"q": "咖啡", "k": 1}).json()["completions"] == ["咖啡器具"]
    assert client.get("/v1/suggest", params={"q": "oa"}).json()["query_id"]


def test_events_are_stored_once(client: Any, doors: Any) -> None:
    events = [
        {"id": "once-1", "type": "click", "product": "p-1", "shopper": "s", "query_id": "q", "position": 2},
        {"id": "once-2", "type": "purchase", "product": "p-2", "price": 8.5, "quantity": 2, "time": 1_700_000_000_000},
    ]
    first = client.post("/v1/events", json={"events": events})
    again = client.post("/v1/events", json={"events": events})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == {"accepted": 2, "stored": 2, "duplicates": 0}
    assert again.json() == {"accepted": 2, "stored": 0, "duplicates": 2}
    logged = {event.id: event for event in doors.events.all()}
    assert logged["once-1"].position == 2
    assert logged["once-1"].time > 1_700_000_000_000
    assert logged["once-2"].time == 1_700_000_000_000


def test_an_upsert_is_seen_by_the_next_search(client: Any) -> None:
    product = {"id": "new", "title": "Zirconia paper knife", "category": ["Office"], "price": 12.0, "stock": 3}
    assert "new" not in first_hits(client, "zirconia")
    assert client.put("/v1/products", json={"products": [product]}).json()["stored"] == 1
    assert first_hits(client, "zirconia")[0] == "new"


def test_a_patch_changes_only_what_it_names(client: Any) -> None:
    before = client.get("/v1/products/p-1").json()
    answer = client.patch("/v1/products", json={"products": [{"id": "p-1", "price": 1.25, "list_price": None}]})
    assert answer.status_code == 200
    assert client.get("/v1/products/p-1").json() == {**before, "price": 1.25, "list_price": None}


def test_a_delete_is_seen_by_the_next_search(client: Any) -> None:
    assert "p-0" in first_hits(client, "stoneware cup small")
    assert client.request("DELETE", "/v1/products", json={"ids": ["p-0", "p-0", "none"]}).json()["stored"] == 1
    assert "p-0" not in first_hits(client, "stoneware cup small")
    assert client.get("/v1/products/p-0").status_code == 404


def test_an_id_may_hold_a_slash(client: Any) -> None:
    client.put("/v1/products", json={"products": [{"id": "a/b c", "title": "Odd"}]})
    assert client.get("/v1/products/a%2Fb%20c").json()["id"] == "a/b c"
    assert client.get("/p/a%2Fb%20c").status_code == 200


def test_health_and_ready(client: Any) -> None:
    assert client.get("/health").json()["status"] == "ok"
    ready = client.get("/ready").json()
    assert (ready["status"], ready["products"], ready["behind"], ready["fault"]) == ("ready", 36, "", "")


def test_an_empty_shop_is_not_ready_and_says_why(double_client: Any, double: Any) -> None:
    double.shelf.clear()
    answer = double_client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the index has no products"]


def test_metrics_count_requests_and_stages(client: Any) -> None:
    client.post("/v1/search", json={"query": "cup"})
    client.get("/v1/products/none")
    text = client.get("/metrics").text
    assert 'mercer_requests_total{method="POST",route="/v1/search",status="200"} 1.0' in text
    assert 'mercer_requests_total{method="GET",route="/v1/products/{id:path}",status="404"} 1.0' in text
    assert 'mercer_request_seconds_count{route="/v1/search"} 1.0' in text
    for stage in ("encode", "lexical", "dense", "rank"):
        assert f'mercer_stage_seconds_count{{scene="search",stage="{stage}"}} 1.0' in text


def test_metrics_count_degraded_answers(double_client: Any, double: Any) -> None:
    double.degraded = "words only"
    assert double_client.post("/v1/search", json={"query": "cup"}).json()["degraded"] == "words only"
    assert 'mercer_degraded_answers_total{scene="search"} 1.0' in double_client.get("/metrics").text


def test_what_was_shown_is_noted(client: Any, doors: Any) -> None:
    page = client.post("/v1/search", json={"query": "mug", "k": 2, "offset": 1}).json()
    noted = [shown for _, shown in doors.events.impressions() if shown.query_id == page["query_id"]]
    assert [(shown.product, shown.position) for shown in noted] == [
        (page["hits"][0]["id"], 2),
        (page["hits"][1]["id"], 3),
    ]
    assert noted[0].version == doors.version
    (answer,) = (one for _, one in doors.events.answers() if one.query_id == page["query_id"])
    assert (answer.query, answer.scene, answer.total, answer.offset) == ("mug", "search", page["total"], 1)
    assert answer.models == {"encoder": doors.encoder.name}


def test_an_answer_with_nothing_on_it_is_noted_without_numbers_of_people(client: Any, doors: Any) -> None:
    body = {"query": "mug for 13800138000", "filters": [{"field": "price", "low": 1e9}], "context": {"device": "phone"}}
    page = client.post("/v1/search", json=body).json()
    assert page["hits"] == []
    (answer,) = (one for _, one in doors.events.answers() if one.query_id == page["query_id"])
    assert (answer.query, answer.total, answer.device) == ("mug for [mobile-1]", 0, "phone")


def test_home_learns_from_events_at_once(client: Any) -> None:
    def home() -> list[str]:
        page = client.post("/v1/recommend", json={"scene": "home", "shopper": "learner", "k": 5}).json()
        return [hit["id"] for hit in page["hits"]]

    before = home()
    events = [{"id": f"learn-{id}", "type": "click", "product": id, "shopper": "learner"} for id in ("p-18", "p-19")]
    assert client.post("/v1/events", json={"events": events}).status_code == 202
    after = home()
    assert after != before
    assert not {"p-18", "p-19"} & set(after)


def test_openapi_has_an_example_for_every_body(client: Any) -> None:
    api = client.get("/openapi.json").json()
    assert {"/v1/search", "/v1/recommend", "/v1/suggest", "/v1/events", "/v1/products", "/ready"} <= set(api["paths"])
    for path, methods in api["paths"].items():
        for method, route in methods.items():
            assert route["summary"], f"{method} {path}"
            for kind in route.get("requestBody", {}).get("content", {}).values():
                assert kind["examples"], f"{method} {path}"


@pytest.fixture
def without_rules(doors: Any) -> Iterator[None]:
    """Rules made meanwhile are gone afterwards: the doors are those of other tests too."""
    yield
    doors.rules.path.unlink(missing_ok=True)


@pytest.mark.usefixtures("without_rules")
def test_the_examples_of_openapi_are_accepted(client: Any) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in ("put", "post", "patch", "delete"):
            content = methods.get(method, {}).get("requestBody", {}).get("content", {})
            for example in content.get("application/json", {}).get("examples", {}).values():
                if path.startswith("/v1/keys"):
                    continue  # this server asks for none; test_keys.py has one that does
                answer = client.request(method, path, json=example["value"])
                assert answer.status_code < 300, (path, method, answer.text)


def test_every_answer_carries_the_security_headers(client: Any) -> None:
    for answer in (client.get("/"), client.get("/v1/nothing"), client.post("/v1/search", content=b"{")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy


def test_facets_leave_more_to_choose_and_prices_are_bars(client: Any) -> None:
    asked = {"query": "", "facets": ["brand", "price", "category"], "k": 100}
    plain = client.post("/v1/search", json=asked).json()
    brands = {"field": "brand", "values": ["Nordwald", "Lumi"]}
    chosen = client.post("/v1/search", json=asked | {"filters": [brands]}).json()
    assert chosen["facets"]["brand"] == plain["facets"]["brand"], "its own filter does not touch its counts"
    assert chosen["total"] == sum(chosen["facets"]["brand"][name] for name in brands["values"]) < plain["total"]
    assert chosen["total"] == sum(chosen["facets"]["price"].values())
    prices = [hit["product"]["price"] for hit in chosen["hits"]]
    for name, count in chosen["facets"]["price"].items():
        low, high = (float(end or "inf") for end in name.split("-"))
        assert count == sum(low <= price < high for price in prices)
