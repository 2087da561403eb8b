"""Baskets, tastes, wishes, weariness, context and exploration: what each does to a page, and to the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import RequestError, SettingsError
from mercer.rank.diverse import DiverseSettings
from mercer.recommend import Recommend, RecommendSettings
from mercer.recommend.explore import thompson
from mercer.records import Filter, Page, Product, Request, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.context import Context, cells
from mercer.retrieve.exact import ExactIndex
from mercer.retrieve.history import DAY
from mercer.retrieve.index import IndexSettings

NOW = 1_760_000_000_000
KINDS = ("Kettle", "Tea", "Mug", "Lamp")


def shelf() -> list[Product]:
    """Forty products: ten of each kind, five brands, prices that rise."""
    return [
        Product(
            f"{kind.lower()}{n}", f"{kind} {n}", brand=f"brand{n % 5}", category=("Home", kind), price=5.0 + 5 * n,
            attributes={"occasion": "gift"} if kind == "Lamp" and n < 3 else {},
        )
        for kind in KINDS
        for n in range(10)
    ]  # fmt: skip


def events() -> pa.Table:
    """Kettles are bought with the tea of the same number, mugs by phone and at weekends; lamps have no events."""
    rng, rows = np.random.default_rng(3), []
    for shopper in range(300):
        n, day = int(rng.integers(10)), NOW - int(rng.integers(60)) * DAY
        for kind in ("kettle", "tea"):
            rows.append(("purchase", f"s{shopper}", f"s{shopper}-1", f"{kind}{n}", day + 5, "desktop"))
        if shopper % 2:
            rows.append(("view", f"s{shopper}", f"s{shopper}-2", f"mug{n}", day + DAY, "phone"))
    names = ("type", "shopper", "session", "product", "time", "device")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


BEHAVIOUR = Behaviour.fit(events())


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExactIndex]:
    opened = ExactIndex(tmp_path_factory.mktemp("scenes"), dimension=8, settings=IndexSettings(engine="exact"))
    vectors = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)
    opened.upsert(shelf(), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    yield opened
    opened.close()


def door(index: ExactIndex, *, seed: int = 0, **given: Any) -> Recommend:
    return Recommend(index, BEHAVIOUR, settings=RecommendSettings(**given), clock=lambda: (NOW + DAY) / 1000, seed=seed)


def moment(day: float) -> int:
    return NOW + int(day * DAY)


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


def summing(page: Page) -> None:
    for hit in page.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)


def test_a_basket_is_completed_not_doubled(index: ExactIndex) -> None:
    page = door(index)(Request("basket", basket=("kettle3", "mug1"), k=40))
    assert page.hits[0].id == "tea3"
    assert page.hits[0].reason == "Often bought with Kettle 3"
    kinds = Counter(hit.product.category[-1] for hit in page.hits)
    assert kinds["Kettle"] == kinds["Mug"] == 0, "another kettle replaces the first, it does not go with it"
    assert page.degraded == ""
    summing(page)
    doubled = door(index, exclude_substitutes=False)(Request("basket", basket=("kettle3", "mug1"), k=40))
    assert Counter(hit.product.category[-1] for hit in doubled.hits)["Kettle"] == 9
    assert not {"kettle3", "mug1"} & set(ids(doubled))


def test_a_basket_nothing_is_known_of_says_so(index: ExactIndex) -> None:
    page = door(index)(Request("basket", basket=("lamp1",), k=5))
    assert page.hits
    assert "nothing is known to be bought with this basket" in page.degraded
    with pytest.raises(RequestError, match="no product of the shop"):
        door(index)(Request("basket"))
    with pytest.raises(RequestError, match="nowhere of the shop"):
        door(index)(Request("basket", basket=("nowhere",)))
    assert door(index)(Request("basket", basket=("nowhere", "kettle1"), k=1)).hits[0].id == "tea1"


def test_what_is_muted_is_on_no_page(index: ExactIndex) -> None:
    shopper = Shopper("x", ("kettle1",), muted=(Filter("brand", ("brand2",)), Filter("gone", ("x",))))
    for scene in ("home", "next", "trending", "basket"):
        page = door(index)(Request(scene, shopper=shopper, basket=("kettle1",), k=40))
        assert page.hits
        assert not [hit for hit in page.hits if hit.product.brand == "brand2"], scene
    assert any(hit.product.brand == "brand2" for hit in door(index)(Request("similar", item="tea1", k=40)).hits)


def test_taste_is_of_kind_brand_and_price(index: ExactIndex) -> None:
    only = {"home": {**dict.fromkeys(RecommendSettings().home, 0.0), "taste": 1.0}}
    page = door(index, **only)(Request("home", shopper=Shopper("", ("lamp4",)), k=40))
    assert {hit.product.category[-1] for hit in page.hits[:9]} == {"Lamp"}
    assert page.hits[0].id == "lamp9", "same kind and brand, although its price is far"
    assert ids(page)[1:3] == ["lamp5", "lamp3"] or ids(page)[1:3] == ["lamp3", "lamp5"], "then the nearest prices"
    assert page.hits[0].reason == "Of the same kind as Lamp 4"
    assert {hit.reason for hit in page.hits[9:] if hit.score} == {"Of the same brand as Lamp 4"}
    wished = replace(Shopper("", ()), wanted=(Filter("brand", ("brand1",)),))
    page = door(index, **only)(Request("home", shopper=wished, k=40))
    assert {hit.product.brand for hit in page.hits if hit.score} == {"brand1"}
    assert page.hits[0].reason == "You asked for this"
    summing(page)


def test_shoppers_tire_of_what_they_leave_alone(index: ExactIndex) -> None:
    fresh = door(index, patience=4)(Request("home", k=40))
    first = fresh.hits[0]

    def seen(times: int) -> Page:
        return door(index, patience=4)(Request("home", shopper=Shopper("", shown={first.id: times}), k=40))

    def score(page: Page) -> float:
        return next(hit.score for hit in page.hits if hit.id == first.id)

    assert ids(seen(4)) == ids(fresh)
    assert score(seen(6)) == pytest.approx(first.score / 2)
    assert score(seen(8)) == score(seen(800)) == pytest.approx(0)
    assert seen(8).hits[0].id != first.id
    summing(seen(6))
    line = next(line for hit in seen(6).hits if hit.id == first.id for line in hit.ledger if line.signal == "tired")
    assert line.part == pytest.approx(-first.score / 2)
    tireless = door(index, patience=0)(Request("home", shopper=Shopper("", shown={first.id: 99}), k=40))
    assert ids(tireless) == ids(fresh)


def test_context_lifts_what_is_wanted_there_and_falls_back(index: ExactIndex) -> None:
    phone, desktop = {"device": "phone"}, {"device": "desktop"}
    lift = BEHAVIOUR.context
    mugs = [code for code, name in enumerate(BEHAVIOUR.products.names.to_pylist()) if name.startswith("mug")]
    assert lift(phone)[mugs].min() > 0.3
    assert lift(desktop)[mugs].max() == 0
    assert not lift({"device": "fridge"}).any()
    assert not lift({}).any()
    given = {"trending": {"context": 1.0}}
    page = door(index, **given)(Request("trending", context={**phone, "time": "0"}, k=10))
    assert {hit.product.category[-1] for hit in page.hits} == {"Mug"}
    assert page.hits[0].reason == "Chosen more than usual at such times and places"
    gift = door(index, **given)(Request("trending", context={"occasion": "gift", "time": "0"}, k=3))
    assert set(ids(gift)) == {"lamp0", "lamp1", "lamp2"}
    assert gift.hits[0].reason == "Made for this occasion"
    nothing = door(index)(Request("similar", item="lamp1", context=phone, k=40))
    assert all(any(line.signal in ("content", "behaviour") for line in hit.ledger) for hit in nothing.hits)


def test_context_is_learnt_as_it_is_and_kept(tmp_path: Any) -> None:
    BEHAVIOUR.context.save(tmp_path)
    again = Context.load(tmp_path, BEHAVIOUR.products)
    for context in ({"device": "phone"}, {"device": "desktop", "time": str(NOW)}, {}):
        np.testing.assert_array_equal(again(context), BEHAVIOUR.context(context))
    assert not Context.load(tmp_path / "before", BEHAVIOUR.products)({"device": "phone"}).any()
    assert cells({"time": str(3 * DAY)}) == ["part:night", "day:weekend", "month:1"], "4 January 1970, a Sunday"
    assert cells({"time": "soon"}) == []
    none = Context.fit(events().drop_columns(["device"]), BEHAVIOUR.products)
    assert not [name for name in none.names if name.startswith("device")]


def test_exploring_gives_one_place_to_what_few_have_found_at_the_chance_it_says(index: ExactIndex) -> None:
    recommend = door(index, explore=0.25, explore_place=3, explore_below=1e-9)
    plain = ids(door(index)(Request("home", k=6)))
    drawn: Counter[str] = Counter()
    for _ in range(1200):
        page = recommend(Request("home", k=6))
        assert [hit.propensity for hit in page.hits[:2] + page.hits[3:]] == [None] * 5
        assert ids(page)[:2] + ids(page)[3:] == plain[:2] + plain[3:]
        hit = page.hits[2]
        few = 10  # lamps, which nobody has wanted
        assert hit.propensity == pytest.approx(0.75 if hit.id == plain[2] else 0.25 / few)
        drawn[hit.id] += 1
        summing(page)
    assert set(drawn) == {plain[2], *(f"lamp{n}" for n in range(10))}
    assert abs(drawn[plain[2]] / 1200 - 0.75) < 5 * (0.75 * 0.25 / 1200) ** 0.5
    assert all(hit.propensity is None for hit in door(index)(Request("home", k=6)).hits)
    assert all(hit.propensity is None for hit in recommend(Request("home", k=6, offset=6)).hits)
    assert all(hit.propensity is None for hit in recommend(Request("similar", item="tea1", k=6)).hits)


@pytest.mark.parametrize("given_", [{"explore": 1.5}, {"explore_place": 0}, {"patience": -1}, {"basket": {"x": 1.0}}])
def test_settings_are_checked(given_: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"give|name"):
        RecommendSettings(**given_)


def test_what_is_due_again_comes_back_with_its_reason(index: ExactIndex) -> None:
    rows = [
        ("purchase", f"s{n}", f"s{n}-{turn}", "tea1", moment(30 * turn + n % 5)) for n in range(40) for turn in range(6)
    ]
    rows += [("purchase", f"s{n}", f"s{n}-9", "lamp1", moment(60)) for n in range(40)]
    names = ("type", "shopper", "session", "product", "time")
    known = Behaviour.fit(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))

    def home(day: float, **how: Any) -> Page:
        clock = lambda: moment(day) / 1000  # noqa: E731
        return Recommend(index, known, clock=clock)(Request("home", shopper=Shopper("s0"), k=40, **how))

    due = home(178)
    assert due.hits[0].id == "tea1"
    assert due.hits[0].reason == "You bought this 28 days ago; it is often bought again after about 30"
    assert "repeat" in {line.signal for line in due.hits[0].ledger}
    summing(due)
    assert "lamp1" not in ids(due), "bought once, and nobody buys it again"
    assert "tea1" not in ids(home(155)), "bought five days ago"
    assert "tea1" not in ids(home(178, exclude=("tea1",)))
    page = Recommend(index, known, clock=lambda: moment(178) / 1000)(
        Request("home", shopper=Shopper("s0", ("tea1",), (moment(177),)), k=40)
    )
    assert "tea1" not in ids(page), "what was done with it since puts it off"


def test_a_page_is_spread_over_kinds_and_new_products_have_their_floor(index: ExactIndex) -> None:
    plain = door(index)(Request("trending", k=8))
    spread = door(index, diversity=DiverseSettings(how="mmr", weight=0.9))(Request("trending", k=8))
    summing(spread)
    assert len({hit.product.brand for hit in spread.hits}) > len({hit.product.brand for hit in plain.hits})
    first = door(index, diversity=DiverseSettings(how="mmr", weight=0.9))
    assert ids(first(Request("trending", k=4))) + ids(first(Request("trending", k=4, offset=4))) == ids(spread)
    assert not [id for id in ids(plain) if id.startswith("lamp")], "lamps have no events"
    fair = door(index, diversity=DiverseSettings(fresh=0.25))(Request("trending", k=8))
    assert sum(id.startswith("lamp") for id in ids(fair)) == 2
    low = door(index, diversity=DiverseSettings(fresh=0.25, depth=8))
    asked = Request("home", shopper=Shopper("", ("lamp0", "kettle3")), k=8)
    assert sum(id.startswith("lamp") for id in ids(low(asked))) >= 2, "though they are not among the best eight"
    pages = [ids(low(replace(asked, k=4, offset=4 * n))) for n in range(10)]
    whole = [id for page in pages for id in page]
    assert len(whole) == len(set(whole)) == low(replace(asked, k=40)).total
    assert whole == ids(low(replace(asked, k=40)))


def test_thompson_draws_as_often_as_it_says_and_learns(index: ExactIndex) -> None:
    won = {"lamp3": (40, 12), "lamp4": (40, 0)}
    chosen = Recommend(
        index, BEHAVIOUR, settings=RecommendSettings(explore=0.5, explore_how="thompson"), seed=4,
        clock=lambda: (NOW + DAY) / 1000, tally=lambda: won,
    )  # fmt: skip
    said, times = {}, Counter[str]()
    for _ in range(600):
        hit = chosen(Request("trending", k=8)).hits[4]
        times[hit.id] += 1
        said[hit.id] = hit.propensity
    own = next(id for id in times if not id.startswith("lamp"))
    assert said[own] == 0.5
    assert times["lamp3"] / 600 == pytest.approx(said["lamp3"], abs=0.08)
    assert (said["lamp3"] or 0) > 0.35 > 0.1 > max(said[id] or 0 for id in said if id not in (own, "lamp3"))


def test_thompson_knows_the_chance_to_be_best() -> None:
    shown, acted = np.array([100, 100, 0, 0, 20]), np.array([8, 2, 0, 0, 1])
    rng = np.random.default_rng(6)
    draws = rng.beta(1 + acted, 19 + shown - acted, size=(40_000, 5)).argmax(axis=1)
    np.testing.assert_allclose(thompson(shown, acted, even=0.0), np.bincount(draws, minlength=5) / 40_000, atol=0.01)
    even = thompson(shown, acted, even=0.5)
    assert even.sum() == pytest.approx(1)
    assert even.min() >= 0.1
    many = thompson(np.zeros(5000, int), np.zeros(5000, int))
    np.testing.assert_allclose(many, 1 / 5000)
