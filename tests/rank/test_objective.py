"""Several objectives: weights are points of score, the answer stays the same set, and ledgers sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from mercer.errors import SettingsError
from mercer.rank.hybrid import HybridSettings, Scored
from mercer.rank.objective import weighed
from mercer.records import Page, Product, Request
from mercer.retrieve.index import IndexSettings, open_index
from mercer.retrieve.text import passage
from mercer.search import Search

SHELF = [
    Product(f"p{n}", f"tea cup {n}", price=None if n == 5 else float(10 + n), attributes={"margin": str(n / 10)})
    for n in range(9)
]


def meaning(texts: Sequence[str], *, side: str = "query") -> np.ndarray:
    vectors = np.array([np.random.default_rng(sum(text.encode())).standard_normal(8) for text in texts], np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    index = open_index(tmp_path_factory.mktemp("objective"), dimension=8, settings=IndexSettings(engine="exact"))
    index.upsert(SHELF, meaning([passage(product) for product in SHELF]))
    yield Search(index, meaning, popularity={"p1": 0.7, "p2": 0.3})
    index.close()


def ask(plain: Search, k: int = 20, offset: int = 0, **weights: float) -> Page:
    objectives = {name.replace("_", "."): weight for name, weight in weights.items()}
    door = plain.otherwise(ranking=HybridSettings(objectives=objectives))
    return door(Request(query="tea cup", k=k, offset=offset))


def test_weights_are_points_between_the_least_and_the_most() -> None:
    scores = np.array([0.5, 0.4, 0.3, 0.9])
    numbers = np.array([1.0, 100.0, np.nan, 7.0])
    before = Scored(scores, {"words": scores}, {"words": scores})
    found = weighed(before, np.array([0, 1, 2]), {"price": (0.2, numbers)})
    np.testing.assert_allclose(found.scores, [0.4, 0.5, 0.3, 0.9])
    assert weighed(found, np.array([0]), {"price": (0.2, numbers)}) is found


def test_the_answer_is_the_same_in_another_order(plain: Search) -> None:
    before, after = ask(plain), ask(plain, price=1.0)
    assert {hit.id for hit in after.hits} == {hit.id for hit in before.hits}
    assert after.total == before.total
    priced = [hit.product.price for hit in after.hits if hit.product.price is not None]
    assert priced == sorted(priced, reverse=True), "a weight above all differences of relevance orders by it alone"
    for hit in after.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)
    assert [hit.id for hit in ask(plain, 3, price=1.0).hits + ask(plain, 20, 3, price=1.0).hits] == [
        hit.id for hit in after.hits
    ]


@pytest.mark.parametrize(
    ("weights", "first"),
    [({"attributes_margin": 1.0}, "p8"), ({"price": -1.0}, "p0"), ({"popular": 1.0, "price": -0.5}, "p1")],
)
def test_any_number_of_the_shop_may_count(plain: Search, weights: dict[str, float], first: str) -> None:
    assert ask(plain, **weights).hits[0].id == first


def test_new_products_may_count(plain: Search) -> None:
    assert {hit.id for hit in ask(plain, new=1.0).hits[-2:]} == {"p1", "p2"}


@pytest.mark.parametrize("wrong", [{"profit": 0.1}, {"price": 2.0}, {"attributes.": 0.1}, {"price": True}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"rank\.objectives"):
        HybridSettings(objectives=wrong)
