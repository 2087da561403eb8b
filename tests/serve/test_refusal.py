"""Bad input: a problem with the value and the cure, never a 500, and nothing half done."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.errors import DiskFull, RequestError, ShopLocked

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

JSON = {"content-type": "application/json"}


def refused(answer: Any, status: int) -> dict[str, Any]:
    """Check that an answer is a whole RFC 9457 problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["cure"]
    return problem


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"query": "a"', b"\xff\xfe", b'{"k": NaN}', b'{"k": Infinity}', b'{"query": "\\ud800"}']
)
def test_what_is_no_json_is_said_to_be_none(client: Any, body: bytes) -> None:
    refused(client.post("/v1/search", content=body, headers=JSON), 422 if body == b"" else 400)


def test_deep_json_is_refused(client: Any) -> None:
    refused(client.post("/v1/search", content=b'{"query":' + b"[" * 20_000, headers=JSON), 400)


def test_another_type_of_body_is_named(client: Any) -> None:
    problem = refused(client.post("/v1/search", content=b"query=a", headers={"content-type": "text/plain"}), 415)
    assert "text/plain" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "field", "seen"),
    [
        ({"k": 0}, "k", "0"),
        ({"k": -1}, "k", "-1"),
        ({"k": 10**9}, "k", "1000000000"),
        ({"k": "5"}, "k", "5"),
        ({"k": 2.5}, "k", "2.5"),
        ({"offset": -1}, "offset", "-1"),
        ({"query": 7}, "query", "7"),
        ({"query": "a" * 513}, "query", "(513 characters)"),
        ({"sort": "newest"}, "sort", "newest"),
        ({"shopper": "a\u0000b"}, "shopper", "x00"),
        ({"shopper": "s" * 129}, "shopper", "(129 characters)"),
        ({"filters": [{"field": "brand", "values": []}]}, "filters.0", None),
        ({"filters": [{"field": "price", "low": 9, "high": 1}]}, "filters.0", None),
        ({"filters": "brand"}, "filters", "brand"),
        ({"unknown": 1}, "unknown", "1"),
        ({"context": {"device": "d" * 65}}, "context.device", "ddd"),
    ],
)
def test_a_field_out_of_bounds_is_named_with_its_value(client: Any, body: Any, field: str, seen: str | None) -> None:
    problem = refused(client.post("/v1/search", json={"query": "cup", **body}), 422)
    assert problem["errors"][0]["field"] == field
    assert seen is None or seen in problem["detail"]


@pytest.mark.parametrize("where", ["filters", "facets"])
def test_an_unknown_field_to_filter_by_gets_the_known_ones(client: Any, where: str) -> None:
    body = {"filters": [{"field": "colour", "values": ["red"]}], "facets": ["colour"]}
    problem = refused(client.post("/v1/search", json={"query": "cup", where: body[where]}), 422)
    assert "'colour'" in problem["detail"]
    for known in ("brand", "category", "price", "attributes.NAME"):
        assert known in problem["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "🫖🧵👩‍👩‍👧",
        "\u0000\u0001\u0002",
        "\u202e\u200b\ufeff",
        "   ",
        "'; DROP TABLE--",
        "包" * 500,
        '"AND OR NOT (*~^',
    ],
)
def test_odd_queries_are_questions_too(client: Any, query: str) -> None:
    assert client.post("/v1/search", json={"query": query}).status_code in (200, 422)
    assert client.get("/v1/suggest", params={"q": query[:200]}).status_code in (200, 422)
    assert client.get("/search", params={"q": query}).status_code == 200


def test_a_megabyte_is_refused(client: Any) -> None:
    problem = refused(client.post("/v1/search", json={"query": "a" * 1_000_000}), 413)
    assert "65536" in problem["detail"]
    refused(client.get("/v1/suggest", params={"q": "a" * 60_000}), 422)


def test_a_body_that_hides_its_length_is_refused(client: Any) -> None:
    chunks = (b"a" * 10_000 for _ in range(20))
    refused(client.post("/v1/search", content=chunks, headers=JSON), 413)


def test_batches_may_be_longer_than_questions_but_not_endless(client: Any) -> None:
    text = "d" * 40_000
    products = [{"id": f"n{number}", "title": "t", "description": text} for number in range(10)]
    assert client.put("/v1/products", json={"products": products}).status_code == 200
    refused(client.put("/v1/products", content=b" " * 9_000_000, headers=JSON), 413)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"scene": "garden"}, "garden"),
        ({}, "required"),
        ({"scene": "similar"}, "item"),
        ({"scene": "similar", "item": "none-such"}, "none-such"),
    ],
)
def test_bad_recommendations(client: Any, body: Any, word: str) -> None:
    assert word in refused(client.post("/v1/recommend", json=body), 422)["detail"]


def test_bad_events_are_listed_and_the_others_stored(double_client: Any, double: Any) -> None:
    later = int(time.time() * 1000) + 10_000_000
    events = [
        {"id": "ok-1", "type": "click", "product": "p-1"},
        {"id": "no-product", "type": "click", "product": "ghost"},
        {"id": "no-type", "type": "stare", "product": "p-1"},
        {"type": "click", "product": "p-1"},
        {"id": "later", "type": "click", "product": "p-1", "time": later},
        {"id": "seconds", "type": "click", "product": "p-1", "time": 1_700_000_000},
        "nonsense",
        {"id": "ok-2", "type": "view", "product": "p-2"},
    ]
    problem = refused(double_client.post("/v1/events", json={"events": events}), 422)
    assert [fault["index"] for fault in problem["errors"]] == [1, 2, 3, 4, 5, 6]
    assert "'ghost' is not in the catalogue" in problem["errors"][0]["problem"]
    assert [fault.get("id") for fault in problem["errors"][:2]] == ["no-product", "no-type"]
    assert (problem["accepted"], problem["stored"]) == (2, 2)
    assert set(double.logged) == {"ok-1", "ok-2"}


@pytest.mark.parametrize("events", [[], [{}] * 1001, {}, None])
def test_a_batch_has_bounds(client: Any, events: Any) -> None:
    refused(client.post("/v1/events", json={"events": events}), 422)


def test_bad_products_are_listed_and_the_others_stored(double_client: Any, double: Any) -> None:
    products = [
        {"id": "good", "title": "Good"},
        {"id": "good", "title": "Twice"},
        {"id": "no-title"},
        {"id": "dear", "title": "x", "price": -1},
        {"id": "odd", "title": "x", "currency": "euro"},
        {"id": "wide", "title": "x", "attributes": {"a": 1}},
    ]
    problem = refused(double_client.put("/v1/products", json={"products": products}), 422)
    assert [fault["index"] for fault in problem["errors"]] == [1, 2, 3, 4, 5]
    assert problem["stored"] == 1
    assert double.shelf["good"].title == "Good"


def test_a_patch_of_nothing_is_refused(client: Any) -> None:
    assert (
        "ghost"
        in refused(client.patch("/v1/products", json={"products": [{"id": "ghost", "price": 1}]}), 422)["detail"]
    )
    refused(client.patch("/v1/products", json={"products": [{"id": "p-1", "title": None}]}), 422)


def test_wrong_addresses_and_methods(client: Any) -> None:
    assert "/v1/nothing" in refused(client.get("/v1/nothing"), 404)["detail"]
    assert "GET" in refused(client.get("/v1/search"), 405)["detail"]
    assert client.get("/v1/search").headers["allow"] == "POST"
    refused(client.get("/v1/products/none"), 404)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (ShopLocked("held", cure="wait"), 503),
        (DiskFull("full", cure="free some"), 507),
        (RequestError("odd", cure="ask otherwise"), 422),
        (RuntimeError("a bug"), 500),
    ],
)
def test_what_goes_wrong_behind_the_doors(double_client: Any, double: Any, fault: Exception, status: int) -> None:
    double.fault = fault
    problem = refused(double_client.post("/v1/search", json={"query": "cup"}), status)
    assert "a bug" not in str(problem), "the insides are for the log"
    page = double_client.get("/search?q=cup", headers={"accept": "text/html"})
    assert page.status_code == status


def test_a_full_disk_loses_no_event_silently(double_client: Any, double: Any) -> None:
    double.append = lambda events: (_ for _ in ()).throw(DiskFull("no space is left", cure="free some"))
    body = {"events": [{"id": "e", "type": "click", "product": "p-1"}]}
    assert "no space" in refused(double_client.post("/v1/events", json=body), 507)["detail"]


def test_only_named_hosts_are_answered(double: Any) -> None:
    from mercer.serve import ServeSettings, create_app

    app = create_app(double, settings=ServeSettings(hosts=("localhost", "[::1]")))
    with testclient.TestClient(app, base_url="http://localhost:80") as client:
        assert client.get("/health").status_code == 200
        assert client.get("/health", headers={"host": "[::1]:8000"}).status_code == 200
        refused(client.get("/health", headers={"host": "evil.example"}), 421)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["query", "k", "offset", "filters", "facets", "sort", "scene", "item", "shopper", "exclude", "context", "events",
     "products", "ids", "id", "title", "type", "product", "time", "field", "values", "low", "high"]
)  # fmt: skip
bodies = values | st.dictionaries(fields, values | st.lists(st.dictionaries(fields, values), max_size=3), max_size=5)


@given(
    body=bodies,
    route=st.sampled_from(["search", "recommend", "events", "products"]),
    method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_is_answered_with_a_server_error(client: Any, body: Any, route: str, method: str) -> None:
    answer = client.request(method, f"/v1/{route}", json=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        refused(answer, answer.status_code)


@given(
    address=st.dictionaries(
        st.sampled_from(["q", "category", "brand", "low", "high", "in_stock", "sort", "page", "from", "at", "back"]),
        st.text(max_size=12),
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_address_of_a_page_is_answered_with_a_server_error(client: Any, address: dict[str, str]) -> None:
    for path in ("/search", "/p/p-1"):
        assert client.get(path, params=address).status_code == 200
