"""What each behavioural retriever says of a past small enough to work out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.records import Product, Request, Shopper
from mercer.retrieve.exact import ExactIndex
from mercer.retrieve.history import DAY, History
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.item_knn import ItemKnn, ItemKnnSettings
from mercer.retrieve.popular import Popular, PopularSettings
from mercer.retrieve.similar import Similar
from mercer.retrieve.together import Together, TogetherSettings
from mercer.retrieve.trending import Trending


def history(*lines: tuple[str, str, int], type_: str = "purchase", session: str | None = None) -> History:
    """(shopper, products as letters, first moment): one product a moment, or all at once in a session."""
    rows = [
        (shopper, product, first if session else first + place, f"{session}{shopper}{first}" if session else None)
        for shopper, products, first in lines
        for place, product in enumerate(products)
    ]
    shoppers, products, times, sessions = zip(*rows, strict=True)
    return History.of(
        pa.table(
            {
                "type": [type_] * len(rows),
                "shopper": shoppers,
                "product": products,
                "time": times,
                "session": pa.array(sessions, pa.string()),
            }
        )
    )


def told(candidates: list) -> dict[str, float]:  # type: ignore[type-arg]
    return {candidate.id: candidate.score for candidate in candidates}


def test_knn_by_hand() -> None:
    settings = ItemKnnSettings(fade=2.0, backward=0.5, own=0.5, other=0.25, recency=1.0)
    fitted = ItemKnn.fit(history(("ann", "abc", 0), ("bob", "ab", 0)), settings)
    found = told(fitted(Request(item="a"), 9))
    # a comes twice before b at distance 1, once before c at distance 2; counts are a 2, b 2, c 1
    assert found["b"] == pytest.approx(2 / (2**0.5 * 2**0.25), rel=1e-5)
    assert found["c"] == pytest.approx(math.exp(-0.5) / (2**0.5 * 1), rel=1e-5)
    back = told(fitted(Request(item="b"), 9))
    assert back["a"] == pytest.approx(0.5 * 2 / (2**0.5 * 2**0.25), rel=1e-5)


def test_knn_forgets_what_is_long_ago() -> None:
    fitted = ItemKnn.fit(history(("ann", "ax", 0), ("bob", "by", 0), ("cid", "ax", 0), ("dot", "by", 0)))
    lately_b = told(fitted(Request(shopper=Shopper("", ("a", "b"))), 9))
    lately_a = told(fitted(Request(shopper=Shopper("", ("b", "a"))), 9))
    assert lately_b["y"] > lately_b["x"]
    assert lately_a["x"] > lately_a["y"]


def test_knn_within_a_basket_has_no_order() -> None:
    fitted = ItemKnn.fit(history(("ann", "abc", 0), session="s"))
    assert told(fitted(Request(item="a"), 9))["c"] == pytest.approx(told(fitted(Request(item="c"), 9))["a"])


def test_knn_keeps_the_best_neighbours_and_counts_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    lines = [(f"s{n}", "".join(rng.choice(list("abcdefghij"), 6, replace=False)), 0) for n in range(50)]
    whole = ItemKnn.fit(history(*lines))
    few = ItemKnn.fit(history(*lines), ItemKnnSettings(neighbours=3))
    monkeypatch.setattr("mercer.retrieve.item_knn.PAIRS", 500)
    pieces = ItemKnn.fit(history(*lines))
    for letter in "abcdefghij":
        assert few(Request(item=letter), 9) == whole(Request(item=letter), 3)
        assert pieces(Request(item=letter), 9) == whole(Request(item=letter), 9)


def test_popular_counts_shoppers_once_and_decays() -> None:
    past = history(("ann", "aaaa", 20 * DAY), ("bob", "b", 20 * DAY), ("cid", "b", 20 * DAY), ("eve", "ccc", 0))
    assert [c.id for c in Popular.fit(past)(Request(), 9)] == ["b", "a", "c"]
    assert told(Popular.fit(past, PopularSettings(half_life=0))(Request(), 9)) == {"a": 1, "b": 2, "c": 1}
    week = Popular.fit(past, PopularSettings(window=7))
    assert {c.id for c in week(Request(), 9)} == {"a", "b"}
    assert week.week.tolist() == [1, 2, 0]


def test_trending_is_a_rise_beyond_the_shops_own() -> None:
    before = [(f"o{n}", "ab", int(2.5 * DAY)) for n in range(20)]
    now = [(f"n{n}", "aab" if n < 40 else "c", 10 * DAY) for n in range(60)]
    found = told(Trending.fit(history(*before, *now))(Request(), 9))
    assert set(found) == {"c"}, "a and b doubled because the shop did"
    assert Trending.fit(history(("ann", "ab", 0)))(Request(), 9) == [], "nothing to compare with"


def test_together_finds_complements_not_what_everybody_buys() -> None:
    rng = np.random.default_rng(2)
    lines = []
    for n in range(400):
        basket = {"z"} if rng.random() < 0.8 else set()  # everybody's bag
        basket |= {"t", "p"} if n % 10 == 0 else set()  # tea and pot
        basket |= set(rng.choice(list("abcdef"), 2, replace=False))
        lines.append((f"s{n}", "".join(sorted(basket)), n))
    past = history(*lines, session="s")
    fitted = Together.fit(past)
    assert [c.id for c in fitted(Request(item="t"), 9)] == ["p"]
    assert [c.id for c in fitted(Request(item="p"), 9)] == ["t"]
    assert ItemKnn.fit(past)(Request(item="t"), 9)[1].id == "z", "item-knn does show the bag"
    few = Together.fit(history(*lines[:21], session="s"), TogetherSettings(significance=0, caution=0))
    assert told(few(Request(item="t"), 9))["p"] == pytest.approx(math.log(3 / (3 * 3 / 21)) * 3**0.5, rel=1e-5)


def test_together_needs_purchases_and_leaves_out_stockists() -> None:
    lines = [(f"s{n}", "tp", n) for n in range(9)] + [(f"r{n}", "ab", n) for n in range(9)]
    assert Together.fit(history(*lines, type_="view", session="s"))(Request(item="t"), 9) == []
    assert told(Together.fit(history(*lines, session="s"))(Request(item="t"), 9)).keys() == {"p"}
    stockist = [(f"s{n}", "tpabcdefgh", n) for n in range(20)]
    assert Together.fit(history(*stockist, session="s"), TogetherSettings(largest=5))(Request(item="t"), 9) == []


def test_similar_works_for_a_cold_product(tmp_path: Path) -> None:
    index = ExactIndex(tmp_path, dimension=4, settings=IndexSettings(engine="exact"))
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((20, 4)).astype(np.float32)
    vectors[1] = vectors[0] + 0.05
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index.upsert([Product(chr(97 + n), "thing") for n in range(20)], vectors)
    knn = ItemKnn.fit(history(*[(f"s{n}", "cd", 0) for n in range(5)]))
    similar = Similar(index, knn)
    assert similar(Request("similar", item="a"), 5)[0].id == "b", "nobody has touched a or b"
    by_content = told(Similar(index, None)(Request("similar", item="c"), 20))
    blended = told(similar(Request("similar", item="c"), 20))
    assert blended["d"] > by_content.get("d", 0.0)
    assert similar(Request("similar", item="gone"), 5) == []
    index.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ItemKnnSettings(window=0),
        lambda: ItemKnnSettings(recency=0),
        lambda: PopularSettings(half_life=-1),
        lambda: TogetherSettings(least=0),
    ],
)
def test_settings_refuse_what_cannot_be(make: object) -> None:
    with pytest.raises(SettingsError, match="give"):
        make()  # type: ignore[operator]
