"""What was read out of a query is in the answer where it is asked for, with what had to be left out."""

from __future__ import annotations

from typing import Any

from mercer.serve.understood import UnderstoodShape
from mercer.understand.query import Understood
from mercer.understand.said import said


def test_a_search_that_explains_says_its_steps(client: Any) -> None:
    known = client.post("/v1/search", json={"query": "wool blnaket without belt", "explain": True}).json()["understood"]
    assert known["text"] == "wool blanket"
    assert known["negated"] == ["belt"]
    steps = {step["name"]: step for step in known["steps"]}
    assert (steps["spelling"]["before"], steps["spelling"]["after"]) == ("blnaket", "blanket")
    assert 0 < steps["spelling"]["confidence"] <= 1
    assert steps["negation"]["evidence"]


def test_a_filter_that_nothing_meets_is_left_out_and_said(client: Any) -> None:
    currency = next(
        hit["product"]["currency"] for hit in client.post("/v1/search", json={"query": "wool blanket"}).json()["hits"]
    )
    answer = client.post("/v1/search", json={"query": f"wool blanket under 0.01 {currency}", "explain": True}).json()
    wanted = {"field": "price", "values": [], "low": None, "high": 0.01}
    assert answer["understood"]["filters"] == answer["understood"]["left_out"] == [wanted]
    assert "price" in answer["degraded"]
    assert answer["hits"]


def test_nothing_is_said_unasked_or_where_nothing_is_asked(client: Any) -> None:
    assert client.post("/v1/search", json={"query": "wool"}).json()["understood"] is None
    assert client.post("/v1/search", json={"query": "", "explain": True}).json()["understood"] is None
    body = {"scene": "trending", "explain": True}
    assert client.post("/v1/recommend", json=body).json()["understood"] is None


def test_the_shape_has_every_field() -> None:
    assert set(said(Understood("a", "a", "a"))) == set(UnderstoodShape.model_fields)
