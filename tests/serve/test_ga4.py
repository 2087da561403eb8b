"""Events as Google Analytics 4 names them become ours, once each."""

from __future__ import annotations

from typing import Any

import pytest

from mercer.serve.shape_ga4 import NAMES, Ga4Batch, mapped

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")
MOMENT = 1_790_000_000_000


def body(name: str, *items: dict[str, Any], **params: Any) -> dict[str, Any]:
    event = {"name": name, "params": {"items": list(items), "engagement_time_msec": 5, **params}}
    return {"client_id": "c.1", "timestamp_micros": MOMENT * 1000 + 7, "non_personalized_ads": False, "events": [event]}


def test_an_item_is_an_event(double: Any, double_client: Any) -> None:
    items = ({"item_id": "p-1", "quantity": 2, "price": 9.5, "item_brand": "x"}, {"item_id": "p-2", "index": 0})
    sent = body("purchase", *items, transaction_id="t1", session_id=99, query_id="q")
    for stored in (2, 0):
        answer = double_client.post("/v1/events/ga4", json=sent)
        assert (answer.status_code, answer.json()["stored"]) == (202, stored)
    first, second = double.logged.values()
    assert (first.type, first.product, first.quantity, first.price) == ("purchase", "p-1", 2, 9.5)
    assert (first.shopper, first.session, first.query_id, first.time) == ("c.1", "99", "q", MOMENT)
    assert (second.product, second.position) == ("p-2", 1)
    double_client.post("/v1/events/ga4", json={**body("view_item", {"item_id": "p-1"}), "user_id": "ann"})
    assert list(double.logged.values())[-1].shopper == "ann"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_an_action(double_client: Any, double: Any, name: str) -> None:
    assert double_client.post("/v1/events/ga4", json=body(name, {"item_id": "p-1"})).status_code == 202
    assert [event.type for event in double.logged.values()] == [NAMES[name]]


def test_what_names_no_product_is_passed_over(double_client: Any, double: Any) -> None:
    for sent in (body("scroll", {"item_id": "p-1"}), body("view_item")):
        assert double_client.post("/v1/events/ga4", json=sent).json()["stored"] == 0
    assert double.logged == {}


@pytest.mark.parametrize(
    "item",
    [{}, {"item_id": 7}, {"item_id": "nowhere"}, {"item_id": "p-1", "price": "9"}, {"item_id": "p-1", "quantity": -1}],
)
def test_what_is_wrong_is_said(double_client: Any, item: dict[str, Any]) -> None:
    answer = double_client.post("/v1/events/ga4", json=body("purchase", item))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["index"] == 0


def test_without_time_or_transaction_each_is_new() -> None:
    sent = {"client_id": "c", "events": [{"name": "view_item", "params": {"items": [{"item_id": "p-1"}]}}]}
    first, second = (mapped(Ga4Batch.model_validate(sent))[0][0]["id"] for _ in range(2))
    assert first != second
