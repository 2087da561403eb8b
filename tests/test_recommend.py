"""The recommendation door: scenes, reasons that are true, ledgers that sum, paging, what is left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.errors import NotFoundError, RequestError, SettingsError
from mercer.recommend import Recommend, RecommendSettings
from mercer.records import Filter, Product, Request, Scene, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.exact import ExactIndex
from mercer.retrieve.history import DAY
from mercer.retrieve.index import IndexSettings

COUNT, DIMENSION = 60, 8
NOW = 30 * DAY
SCENES: tuple[Scene, ...] = ("home", "next", "similar", "together", "basket", "trending")


def shelf() -> list[Product]:
    return [
        Product(
            f"p{n:02d}", f"Thing {n}", brand="Nord" if n % 2 else "Süd", price=float(n), stock=0 if n % 10 == 9 else 3
        )
        for n in range(COUNT)
    ]


def vectors(count: int = COUNT, seed: int = 4) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def events() -> pa.Table:
    """Products 0 to 39 have a past: walks in order, baskets of n and n + 20, and a rise of p05 in the last week."""
    rng = np.random.default_rng(0)
    rows: list[tuple[str, str, str, str, int]] = []
    for n in range(120):
        who, at = f"s{n}", int(rng.integers(20))
        for step in range(4):
            rows.append(("view", who, f"{who}v", f"p{at + step:02d}", int((n % 28) * DAY + step)))
        for product in (at, at + 20):
            rows.append(("purchase", who, f"{who}b", f"p{product:02d}", int((n % 28) * DAY + 50)))
    rows += [("view", f"late{n}", f"late{n}", "p05", NOW - DAY + n) for n in range(40)]
    names = ("type", "shopper", "session", "product", "time")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


BEHAVIOUR = Behaviour.fit(events())


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExactIndex]:
    opened = ExactIndex(tmp_path_factory.mktemp("shop"), dimension=DIMENSION, settings=IndexSettings(engine="exact"))
    opened.upsert(shelf(), vectors())
    yield opened
    opened.close()


def door(index: ExactIndex, *, now: int = NOW, behaviour: Behaviour = BEHAVIOUR, **given: Any) -> Recommend:
    return Recommend(index, behaviour, settings=RecommendSettings(**given), clock=lambda: now / 1000)


@pytest.fixture(scope="module")
def recommend(index: ExactIndex) -> Recommend:
    return door(index)


def asking(scene: Scene, **given: Any) -> Request:
    item = "p03" if scene in ("similar", "together") else ""
    basket = ("p03", "p04") if scene == "basket" else ()
    return Request(scene, **{"item": item, "basket": basket, "shopper": Shopper("", ("p01", "p02")), **given})


@pytest.mark.parametrize("scene", SCENES)
def test_ledgers_sum_scores_descend_nothing_twice(recommend: Recommend, scene: Scene) -> None:
    page = recommend(asking(scene, k=100))
    assert page.hits
    assert len({hit.id for hit in page.hits}) == len(page.hits) == page.total
    scores = [hit.score for hit in page.hits]
    assert scores == sorted(scores, reverse=True)
    for hit in page.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-6)
        assert (hit.reason != "") == (hit.score > 0)
        assert hit.product.in_stock


@pytest.mark.parametrize("scene", SCENES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(k=st.integers(1, 70), offset=st.integers(0, 70))
def test_pages_are_pieces_of_one_ranking(recommend: Recommend, scene: Scene, k: int, offset: int) -> None:
    whole = [hit.id for hit in recommend(asking(scene, k=200)).hits]
    page = recommend(asking(scene, k=k, offset=offset))
    assert [hit.id for hit in page.hits] == whole[offset : offset + k]
    assert page.total == len(whole)


@pytest.mark.parametrize("scene", SCENES)
def test_exclude_and_filters_are_honoured(recommend: Recommend, scene: Scene) -> None:
    first = [hit.id for hit in recommend(asking(scene, k=4)).hits]
    without = recommend(asking(scene, k=100, exclude=(first[0], "no such product")))
    assert first[0] not in {hit.id for hit in without.hits}
    only = (Filter("brand", ("Nord",)), Filter("price", low=10, high=50))
    for hit in recommend(asking(scene, k=100, filters=only)).hits:
        assert hit.product.brand == "Nord"
        assert 10 <= (hit.product.price or 0) <= 50


@pytest.mark.parametrize("k", [0, -1, 1001, 10**9])
def test_k_and_offset_have_limits(recommend: Recommend, k: int) -> None:
    with pytest.raises(RequestError, match=f"k is {k}; give"):
        recommend(asking("home", k=k))
    with pytest.raises(RequestError, match="offset is -1"):
        recommend(asking("home", offset=-1))


@pytest.mark.parametrize("scene", ["similar", "together"])
def test_unknown_items_are_not_found(recommend: Recommend, scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="'nowhere' is not in the index"):
        recommend(asking(scene, item="nowhere"))
    with pytest.raises(RequestError, match="no item"):
        recommend(Request(scene))


def test_unknown_scene_and_filter(recommend: Recommend) -> None:
    with pytest.raises(RequestError, match="scene is 'search'"):
        recommend(Request("search"))
    with pytest.raises(RequestError, match="'colour' is unknown"):
        recommend(asking("home", filters=(Filter("colour", ("red",)),)))


def test_home_changes_with_the_last_product(recommend: Recommend) -> None:
    def home(*products: str) -> list[str]:
        return [hit.id for hit in recommend(Request("home", shopper=Shopper("eve", products), k=5)).hits]

    assert home("p01") != home("p01", "p12")
    assert home() == home(), "nothing happened, nothing changes"
    hits = recommend(Request("home", shopper=Shopper("", ("p12",)), k=5)).hits
    assert {hit.id for hit in hits} & {"p13", "p14", "p32"}, "what those who had p12 went on to"


def test_home_leaves_out_what_was_bought_or_seen(index: ExactIndex, recommend: Recommend) -> None:
    past = BEHAVIOUR.pasts("s7")
    bought = set(BEHAVIOUR.products.take(past.product[past.bought]))
    seen = set(BEHAVIOUR.products.take(past.product))
    assert bought
    shown = {hit.id for hit in recommend(Request("home", shopper=Shopper("s7"), k=100)).hits}
    assert not shown & seen
    may_return = door(index, exclude_bought=False, exclude_seen=False)
    again = {hit.id for hit in may_return(Request("home", shopper=Shopper("s7"), k=100)).hits}
    sold_out = {product.id for product in shelf() if not product.in_stock}
    assert bought - sold_out <= again
    some = door(index, exclude_seen=False)
    assert {hit.id for hit in some(Request("home", shopper=Shopper("s7"), k=100)).hits} & (seen - bought)


def test_reasons_are_true(recommend: Recommend) -> None:
    for scene in SCENES:
        for hit in recommend(asking(scene, k=30)).hits:
            if not hit.ledger:
                continue
            most = max(hit.ledger, key=lambda line: line.part).signal
            named = next((p for p in shelf() if hit.reason.endswith(p.title) or f" {p.title} " in hit.reason), None)
            code = BEHAVIOUR.products.code(hit.id)
            if hit.reason.startswith("Because you viewed"):
                assert most in ("linear", "behaviour")
                assert named is not None
                assert named.id in ("p01", "p02")
                anchor = BEHAVIOUR.products.codes([named.id])
                model = BEHAVIOUR.linear if most == "linear" else BEHAVIOUR.knn
                assert model.neighbours.between(anchor, np.array([code]))[0, 0] > 0
            elif hit.reason.startswith("Often bought with"):
                anchor = BEHAVIOUR.products.codes([named.id if named else ""])
                assert BEHAVIOUR.together.neighbours.between(anchor, np.array([code]))[0, 0] > 0
            elif hit.reason == "Popular this week":
                assert BEHAVIOUR.popular.week[code] >= BEHAVIOUR.popular.weekly > 0
            elif hit.reason == "Rising this week":
                assert BEHAVIOUR.trending.value[code] > 0
            else:
                kinds = (
                    "Similar to Thing",
                    "Shoppers of Thing",
                    "Popular in this shop",
                    "Of the same brand",
                    "Chosen more",
                )
                assert hit.reason.startswith(kinds)
                if hit.reason.startswith("Of the same brand"):
                    assert named
                    assert named.brand == hit.product.brand
                if hit.reason.startswith("Chosen more"):
                    now = {"time": str(NOW)}
                    assert BEHAVIOUR.context(now)[code] > 0


def test_this_week_is_said_only_this_week(index: ExactIndex) -> None:
    now = door(index)(Request("trending", k=1)).hits[0]
    later = door(index, now=NOW + 30 * DAY)(Request("trending", k=1)).hits[0]
    assert (now.id, now.reason) == ("p05", "Rising this week")
    assert (later.id, later.reason) == ("p05", "Rising lately in this shop")
    for hit in door(index, now=NOW + 30 * DAY)(Request("home", k=60)).hits:
        assert "week" not in hit.reason


def test_chinese_and_bought(recommend: Recommend) -> None:
    chinese = {"language": "zh-CN"}
    together = recommend(Request("together", item="p03", context=chinese)).hits[0]
    assert (together.id, together.reason) == ("p23", "常与Thing 3一起买")
    home = recommend(Request("home", shopper=Shopper("s7"), context=chinese, k=30)).hits
    bought = BEHAVIOUR.pasts("s7")
    titles = {f"Thing {int(id[1:])}" for id in BEHAVIOUR.products.take(bought.product[bought.bought])}
    said = [hit.reason.removeprefix("因为你买过") for hit in home if hit.reason.startswith("因为你买过")]
    assert said
    assert set(said) <= titles


def test_a_cold_item_is_similar_through_its_vector(index: ExactIndex) -> None:
    cold = Product("cold", "Brand new")
    index.upsert([cold], vectors()[10:11])
    recommend = door(index)
    hits = recommend(Request("similar", item="cold", k=3)).hits
    assert hits[0].id == "p10"
    assert hits[0].reason == "Similar to Brand new"
    page = recommend(Request("together", item="cold"))
    assert (page.hits, page.total) == ((), 0)
    assert page.degraded
    assert "cold" in {hit.id for hit in recommend(Request("similar", item="p10", k=9)).hits}
    index.delete(["cold"])
    assert "cold" not in {hit.id for hit in recommend(Request("similar", item="p10", k=9)).hits}
    with pytest.raises(NotFoundError):
        recommend(Request("similar", item="cold"))


def test_a_changed_product_is_seen_at_once(index: ExactIndex, recommend: Recommend) -> None:
    first = recommend(asking("home", k=1)).hits[0]
    index.upsert([dataclasses.replace(first.product, stock=0)], index.vectors([first.id]))
    assert first.id not in {hit.id for hit in recommend(asking("home", k=100)).hits}
    index.upsert([first.product], index.vectors([first.id]))
    assert recommend(asking("home", k=1)).hits[0].id == first.id, "its behaviour follows it to its new row"


def test_a_shop_without_events_still_answers(index: ExactIndex) -> None:
    recommend = door(index, behaviour=Behaviour.fit(None))
    anonymous = recommend(Request("home", k=100))
    assert anonymous.total == sum(product.in_stock for product in shelf())
    assert "no events" in anonymous.degraded
    seen = recommend(Request("home", shopper=Shopper("", ("p03",)), k=5))
    assert seen.hits[0].reason in ("Similar to Thing 3", "Of the same brand as Thing 3")
    assert recommend(Request("similar", item="p03", k=5)).hits
    assert recommend(Request("together", item="p03", k=5)).hits == ()


def test_a_basket_goes_together(recommend: Recommend) -> None:
    hits = recommend(Request("together", shopper=Shopper("", ("p03", "p04"), (7, 7)), k=4)).hits
    assert {"p23", "p24"} <= {hit.id for hit in hits}


@pytest.mark.parametrize(
    "given_", [{"home": {"magic": 1.0}}, {"home": {"popular": -1.0}}, {"past": 0}, {"deepest": 10**6}]
)
def test_settings_refuse_what_cannot_be(given_: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"give|name"):
        RecommendSettings(**given_)


def test_weights_given_change_the_defaults_and_0_turns_off(index: ExactIndex) -> None:
    some = RecommendSettings(home={"content": 0.7, "popular": 0.0})
    assert some.home == {**RecommendSettings().home, "content": 0.7, "popular": 0.0}
    hits = door(index, home={"popular": 0.0})(asking("home", k=60)).hits
    assert {line.signal for hit in hits for line in hit.ledger} == set(some.home) - {"popular", "repeat"}


def test_answers_are_the_same_from_several_threads(recommend: Recommend) -> None:
    from concurrent.futures import ThreadPoolExecutor

    requests = [Request("home", shopper=Shopper(f"s{n}"), k=20) for n in range(40)]
    alone = [[hit.id for hit in recommend(request).hits] for request in requests]
    with ThreadPoolExecutor(4) as threads:
        beside = [[hit.id for hit in page.hits] for page in threads.map(recommend, requests)]
    assert beside == alone
