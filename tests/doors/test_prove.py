"""A proof compares the same held-out queries pairwise, by kind, and lets nothing through that is worse."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from mercer.doors.prove import keep_proof, proof_refusal, prove, require_proof
from mercer.errors import DataError, GateBlocked, RequestError
from mercer.shop import Shop


@dataclass
class Answers:
    """Doors that find the right product at a place drawn for each query."""

    places: tuple[int, ...]
    refused: str = ""
    asked: list[str] = field(default_factory=list)

    def search(self, request: Any, *, system: str) -> Any:
        if request.query == self.refused:
            raise RequestError("query is refused", cure="ask another")
        self.asked.append(system)
        place = random.Random(request.query).choice(self.places)
        hits = [SimpleNamespace(id=f"wrong {number}") for number in range(20)]
        hits[place] = SimpleNamespace(id=f"right {request.query}")
        return SimpleNamespace(hits=hits)


QUERIES = [f"red shoe number {number}" for number in range(20)] + [f"红色连衣裙{number}" for number in range(20)]
TRUTH = {query: {f"right {query}": 1.0} for query in QUERIES}


def test_better_is_better_in_every_kind_of_query() -> None:
    before, after = Answers((3, 4, 5)), Answers((0, 1, 2))
    seen = frozenset(f"right {query}" for query in QUERIES[:10])
    proof = prove(before, after, TRUTH, seen=seen)  # type: ignore[arg-type]  # all that is asked of doors
    assert proof.better
    assert proof.passes
    assert proof.comparisons["nDCG@10"].low > 0
    assert {one.name: one.queries for one in proof.slices} == {
        "zh": 20, "other": 20, "long": 40, "seen": 10, "unseen": 30,
    }  # fmt: skip
    assert all(one.after > one.before for one in proof.slices)
    assert set(before.asked) == {"dense", "hybrid"}
    assert proof.to_json()["passes"] is True


def test_worse_is_refused_and_a_little_worse_is_neither() -> None:
    worse = prove(Answers((0, 1)), Answers((6, 9)), TRUTH)  # type: ignore[arg-type]
    assert not worse.better
    assert not worse.passes
    assert prove(Answers((0, 1)), Answers((6, 9)), TRUTH, worse=0.9).passes  # type: ignore[arg-type]
    nearly = prove(Answers((0, 3)), Answers((3, 0)), TRUTH)  # type: ignore[arg-type]
    assert nearly.passes


def test_a_query_that_cannot_be_asked_finds_nothing() -> None:
    proof = prove(Answers((0,)), Answers((0,), refused=QUERIES[0]), TRUTH)  # type: ignore[arg-type]
    assert proof.after["hybrid"] == pytest.approx(39 / 40)


def test_queries_without_a_right_answer_prove_nothing() -> None:
    with pytest.raises(DataError, match="no held-out query"):
        prove(Answers((0,)), Answers((0,)), {"red shoe": {"1": 0.0}})  # type: ignore[arg-type]


def test_what_a_proof_refuses(tmp_path: Any) -> None:
    shop = Shop.create(tmp_path / "shop")
    for model, places in (("encoder/good", (0,)), ("encoder/bad", (9,)), ("encoder/new", ())):
        with shop.writing("models") as folder:
            shop.keep("models", folder, {}, version=model)
        if places:
            keep_proof(shop, model, prove(Answers((1,)), Answers(places), TRUTH))  # type: ignore[arg-type]
    assert proof_refusal(shop, "encoder/good") == ""
    with pytest.raises(GateBlocked, match=r"encoder/bad is worse: nDCG@10 -0\.\d+"):
        require_proof(shop, "encoder/bad", "")
    with pytest.raises(GateBlocked, match="never measured"):
        require_proof(shop, "encoder/new", "")
    require_proof(shop, "encoder/bad", "known")
    require_proof(shop, "", "")
