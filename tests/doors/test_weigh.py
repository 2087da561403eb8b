"""A reranker counts as much as validation queries say; one that has it the wrong way round never passes."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from mercer.cli.settings import read_settings
from mercer.doors import Doors, build, open_doors
from mercer.doors.prove import prove
from mercer.doors.weigh import GRID, Weight, keep_weight, read_weight, weigh
from mercer.errors import DataError
from mercer.rank.hybrid import HybridSettings
from mercer.rank.rerank import Rerank
from mercer.retrieve.text import passage
from mercer.shop import Shop

Truth = Mapping[str, Mapping[str, float]]


@pytest.fixture(scope="module")
def doors(tiny_shop: Path) -> Iterator[Doors]:
    opened = open_doors(tiny_shop, read_settings(tiny_shop), writable=False)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def truth(tiny_shop: Path) -> Truth:
    """The shop's own judgments: query text → product → gain."""
    from mercer.learn.gather import gather
    from mercer.learn.pairs import gains_of
    from mercer.learn.settings import LearnSettings

    shop = Shop(tiny_shop)
    live = shop.live("checked")
    assert live is not None
    gathered = gather(shop, live.version, LearnSettings())
    return {query: gains for table in gathered.labelled.values() for query, gains in gains_of(table).items()}


class Taught:
    """A reranker that learned the grades by heart: as they are, or the wrong way round."""

    name = "taught"

    def __init__(self, doors: Doors, truth: Truth, *, inverted: bool = False) -> None:
        self.inverted, self.known = inverted, {}
        for query, gains in truth.items():
            texts = {passage(product): gains[product.id] for product in doors.index.products(gains)}
            self.known[query] = texts

    def __call__(self, query: str, passages: Sequence[str], *, budget: float = math.inf) -> Any:
        said = np.array([self.known[query].get(text, 0.3) for text in passages], np.float32)
        return 1 - said if self.inverted else said


def test_what_knows_better_is_given_weight(doors: Doors, truth: Truth) -> None:
    told: list[int] = []
    found = weigh(doors, Taught(doors, truth), truth, tick=told.append)
    assert found.refusal == ""
    assert found.best > found.alone + 0.05
    assert found.rerank_weight in GRID
    assert found.best == max(found.tried.values())
    assert sum(told) == found.queries == sum(any(gains.values()) for gains in truth.values())


def test_inverted_labels_pass_neither_validation_nor_the_proof(doors: Doors, truth: Truth) -> None:
    """What learned from grades turned round is refused by queries whose grades are as they should be."""
    wrong = Taught(doors, truth, inverted=True)
    found = weigh(doors, wrong, truth)
    assert found.best <= found.alone
    assert found.refusal.startswith(f"on {found.queries} validation queries it ")
    assert f"{found.alone:.4f}" in found.refusal
    proof = prove(doors, Reranking(doors, wrong, 1.0), truth, systems=("hybrid",))  # type: ignore[arg-type]
    assert not proof.passes
    weighed = dataclasses.replace(prove(doors, doors, truth, systems=("hybrid",)), refused=found.refusal)
    assert not weighed.passes
    assert not weighed.better


class Reranking:
    """Doors whose search has a last stage."""

    def __init__(self, doors: Doors, reranker: Any, weight: float) -> None:
        search = doors._search
        settings = HybridSettings(rerank=50, rerank_weight=weight, rerank_budget=60_000)
        self._search = type(search)(search.index, search.encoder, ranking=settings, reranker=reranker)

    def search(self, request: Any, *, system: Any) -> Any:
        return self._search(request, system=system)


def test_offline_ranks_as_serving_does(doors: Doors, truth: Truth) -> None:
    """The figure of a weight is the figure of a search door with that weight."""
    taught = Taught(doors, truth)
    found = weigh(doors, taught, truth)
    for weight in (0.05, 0.5, 1.0):
        proof = prove(doors, Reranking(doors, taught, weight), truth, systems=("hybrid",))  # type: ignore[arg-type]
        assert proof.before["hybrid"] == pytest.approx(found.alone)
        assert proof.after["hybrid"] == pytest.approx(found.tried[f"{weight:g}"])


def test_of_equal_weights_the_lowest_is_taken(doors: Doors, truth: Truth) -> None:
    def indifferent(query: str, passages: Sequence[str], *, budget: float = math.inf) -> Any:
        return np.full(len(passages), 0.5, np.float32)

    found = weigh(doors, indifferent, truth)  # type: ignore[arg-type]  # a function does as well
    assert found.rerank_weight == GRID[0]
    assert "gains nothing" in found.refusal


def test_no_more_is_promised_than_serving_has_time_for(
    doors: Doors, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow reranker is weighed, and published, by the products that it reads within the budget."""
    taught, now = Taught(doors, truth), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def slow(query: str, passages: Sequence[str], *, budget: float = math.inf) -> Any:
        now[0] += 0.002 * len(passages)
        return taught(query, passages)

    found = weigh(doors, slow, truth, products=20, budget=30.5)  # type: ignore[arg-type]  # a function does as well
    assert found.rerank == 15
    assert found.milliseconds == pytest.approx(30.0)
    few = weigh(doors, taught, truth, products=found.rerank)
    assert found.best == pytest.approx(few.best)
    assert weigh(doors, taught, truth, products=20, budget=1e6).rerank == 20


def test_no_right_answer_says_nothing(doors: Doors) -> None:
    with pytest.raises(DataError, match="no validation query"):
        weigh(doors, Taught(doors, {}), {"cup": {"p1": 0.0}})


def test_what_was_chosen_goes_live_with_the_index(own_shop: Path, tiny_reranker: Path) -> None:
    import shutil

    shop = Shop(own_shop)
    with shop.writing("models") as folder:
        shutil.copytree(tiny_reranker, folder, dirs_exist_ok=True)
        shop.keep("models", folder, {}, version="reranker/1")
    settings = read_settings(own_shop)
    unweighed = build(shop, settings, reranker="reranker/1").version
    keep_weight(shop, "reranker/1", Weight(20, 0.3, 0.5, {"0.3": 0.6}, 9, 12.0))
    assert read_weight(shop, "reranker/1") == {"rerank": 20, "rerank_weight": 0.3}
    built = build(shop, settings, reranker="reranker/1").version
    assert built != unweighed
    cases: tuple[tuple[dict[str, Any], tuple[int, float]], ...] = (
        ({}, (20, 0.3)),
        ({"rerank": 5}, (5, 0.3)),
        ({"rerank_weight": 0.9}, (20, 0.9)),
        ({"rerank": 7, "reranker": str(tiny_reranker)}, (7, 0.7)),
    )
    for changes, wanted in cases:
        rank = dataclasses.replace(settings.rank, **changes)
        doors = open_doors(own_shop, dataclasses.replace(settings, rank=rank), version=built, writable=False)
        doors.close()
        stage = doors._search._rank.rerank
        assert isinstance(stage, Rerank)
        assert (stage._settings.rerank, stage._settings.rerank_weight) == wanted
