"""Rules in the search door: pages stay exact, precedence is as documented, the ledger sums to the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.rank.diverse import DiverseSettings
from mercer.rank.hybrid import HybridSettings
from mercer.rank.rule import RuleSettings
from mercer.rank.rule_book import RuleBook
from mercer.rank.rule_read import read_rules
from mercer.rank.rules import Rules
from mercer.records import Filter, Page, Product, Request
from mercer.retrieve.index import Index, IndexSettings, open_index
from mercer.retrieve.text import passage
from mercer.search import Search
from mercer.search.ruled import READING, SURE
from mercer.shop import Shop
from mercer.understand.intent import Intent, Wanted
from mercer.understand.understand import Understand

KINDS = ("red dress", "coffee mug", "红色连衣裙", "tea cup")
PRODUCTS = [
    Product(
        f"p{n:02}",
        f"{KINDS[n % 4]} {n}",
        brand=f"brand{n % 3}",
        category=("Shop", KINDS[n % 4]),
        price=float(5 + n),
        stock=1,
    )
    for n in range(40)
]
DAY = "2026-11-{:02}T00:00:00+08:00"
NOW = 1_795_000_000_000
"""In the middle of November 2026, between the days used below."""


def meaning(texts: Sequence[str], *, side: str = "query") -> np.ndarray:
    vectors = np.zeros((len(texts), 8), dtype=np.float32)
    for row, text in enumerate(texts):
        own = np.random.default_rng(sum(text.encode())).standard_normal(8)
        vectors[row] = 0.3 * own / np.linalg.norm(own)
        for place, word in enumerate(("dress", "mug", "裙", "cup")):
            vectors[row, place] += word in text
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    opened = open_index(tmp_path_factory.mktemp("ruled"), dimension=8, settings=IndexSettings(engine="exact"))
    opened.upsert(PRODUCTS, meaning([passage(product) for product in PRODUCTS]))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def search(index: Index) -> Search:
    return Search(index, meaning, popularity={"p03": 0.5})


def made(*rows: dict[str, Any]) -> Rules:
    return Rules.ready(read_rules(rows, zone=None, settings=RuleSettings()), READING, at=NOW)


@pytest.fixture(scope="module")
def ask(search: Search) -> Callable[..., Page]:
    """``ask("red dress", rule, rule, k=5)``: a page as these rules make it."""

    def asked(query: str, *rows: dict[str, Any], **more: Any) -> Page:
        return search(Request(query=query, **{"k": 100, **more}), rules=made(*rows))

    return asked


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


PIN = {"id": "pin", "do": "pin", "products": ["p01"], "position": 2}


def test_a_pin_takes_its_place_and_the_others_close_up(ask: Callable[..., Page]) -> None:
    plain, page = ask("red dress"), ask("red dress", PIN)
    assert "p01" not in ids(plain), "the words and the cut-off do not bring it"
    assert ids(page) == [ids(plain)[0], "p01", *ids(plain)[1:]]
    assert page.total == plain.total + 1
    assert page.rules == ("pin",)
    line = next(line for line in page.hits[1].ledger if line.signal == "rule pin")
    assert (line.value, line.part) == (2.0, 0.0)
    assert page.hits[1].reason == "Chosen by the shop"


def test_a_pin_keeps_to_the_shopper_s_own_filters(ask: Callable[..., Page]) -> None:
    mine = (Filter("brand", ("brand0",)),)
    assert "p01" not in ids(ask("red dress", PIN, filters=mine))
    assert "p01" not in ids(ask("red dress", PIN, exclude=("p01",)))
    assert "p03" in ids(ask("red dress", PIN | {"products": ["p01", "p03"]}, filters=mine))


def test_sorted_by_price_the_answer_has_the_same_products_in_that_order(ask: Callable[..., Page]) -> None:
    page, cheap = ask("red dress", PIN), ask("red dress", PIN, sort="price_up")
    assert sorted(ids(page)) == sorted(ids(cheap))
    prices = [hit.product.price for hit in cheap.hits]
    assert prices == sorted(prices)  # type: ignore[type-var]


def test_boost_and_bury_are_parts_of_the_score_and_change_no_membership(ask: Callable[..., Page]) -> None:
    plain = ask("red dress")
    last, first = ids(plain)[-1], ids(plain)[0]
    rows = (
        {"id": "up", "do": "boost", "products": [last], "points": 5},
        {"id": "down", "do": "bury", "products": [first], "points": 5},
    )
    page = ask("red dress", *rows)
    assert (ids(page)[0], ids(page)[-1]) == (last, first)
    assert sorted(ids(page)) == sorted(ids(plain))
    parts = {line.signal: line.part for line in page.hits[0].ledger}
    assert parts["rule up"] == 5
    assert "rule down" not in parts
    both = ask("red dress", rows[0], rows[1] | {"products": [last]})
    assert ids(both) == ids(plain), "5 up and 5 down"


def test_hide_beats_filter_beats_pin_beats_boost(ask: Callable[..., Page]) -> None:
    boost = {"id": "boost", "do": "boost", "products": ["p04"], "points": 9}
    assert ids(ask("red dress", boost))[0] == "p04"
    assert ids(ask("red dress", boost, PIN | {"position": 1}))[:2] == ["p01", "p04"]
    only = {"id": "only", "do": "filter", "filters": [{"field": "price", "high": 5.5}]}
    assert ids(ask("red dress", boost, PIN, only)) == ["p00"]
    keep = {"id": "only", "do": "filter", "filters": [{"field": "price", "high": 6.5}]}
    assert ids(ask("red dress", boost, PIN, keep)) == ["p00", "p01"]
    hide = {"id": "hide", "do": "hide", "products": ["p01"]}
    assert ids(ask("red dress", boost, PIN, keep, hide)) == ["p00"]


def test_what_is_hidden_does_not_count_and_does_not_hold_the_cut_off(ask: Callable[..., Page]) -> None:
    plain = ask("tea cup 3", facets=("brand",))
    best = plain.hits[0].id
    page = ask("tea cup 3", {"id": "h", "do": "hide", "products": [best]}, facets=("brand",))
    assert best not in ids(page)
    assert sum(page.facets["brand"].values()) == page.total == len(page.hits)
    assert page.total >= plain.total - 1, "the cut-off goes by the best that is left"
    brand = ask("tea cup", {"id": "h", "do": "hide", "filters": [{"field": "brand", "values": ["brand1"]}]})
    assert {hit.product.brand for hit in brand.hits} == {"brand0", "brand2"}


def test_a_later_start_wins_and_ids_break_ties(ask: Callable[..., Page]) -> None:
    def banner(id: str, day: int) -> dict[str, Any]:
        return {"id": id, "do": "banner", "text": id, "start": DAY.format(day)}

    page = ask("cup", banner("old", 1), banner("new", 3), banner("b", 3), banner("planned", 29))
    assert page.banner == {"text": "b", "url": "", "image": ""}
    assert page.rules == ("b", "new", "old")
    one = PIN | {"id": "one", "start": DAY.format(2)}
    two = PIN | {"id": "two", "products": ["p05"], "start": DAY.format(3)}
    assert ids(ask("red dress", one, two))[1:3] == ["p05", "p01"], "the later has the place, the other the next"


def test_conditions_read_a_query_as_understanding_does(ask: Callable[..., Page]) -> None:
    def goes(typed: str, **condition: Any) -> bool:
        return bool(ask(typed, {"id": "r", "do": "redirect", "url": "/sale", **condition}).redirect)

    assert goes("ＲＥＤ  Dress", query="red dress")
    assert not goes("red dresses", query="red dress")
    assert goes("紅色連衣裙", query="红色连衣裙")
    assert goes("红色连衣裙", query="紅色連衣裙")
    assert goes("long dresses in red", words="red dress")
    assert not goes("redder dress", words="red dress")
    assert goes("夏季 紅色 連衣裙", words="红色 连衣裙")
    assert not goes("红色 裙", words="红色 连衣裙")
    assert goes("iPhone 13 case", pattern=r"^iphone \d+")
    assert goes("蘋果手機", pattern="^(苹果|华为)")
    assert not goes("phone", pattern="^iphone")
    assert goes("cup", pattern="(a*)*c")
    assert not goes("", query="cup")


def test_conditions_on_category_and_context(ask: Callable[..., Page]) -> None:
    row = {"id": "b", "do": "banner", "text": "hi"}
    inside = (Filter("category", ("Shop > tea cup",)),)
    assert ask("cup", row | {"category": "Shop"}, filters=inside).banner
    assert ask("cup", row | {"category": "Shop > Tea Cup"}, filters=(Filter("category", ("tea cup",)),)).banner
    assert not ask("cup", row | {"category": "Shop > coffee mug"}, filters=inside).banner
    assert not ask("cup", row | {"category": "Shop"}).banner
    phone = {"device": "phone", "segment": "VIP"}
    assert ask("cup", row | {"device": ["Phone", "tablet"], "segment": "vip"}, context=phone).banner
    assert not ask("cup", row | {"device": "phone", "place": "Lyon"}, context=phone).banner


@st.composite
def some_rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    products = st.lists(st.sampled_from([*(product.id for product in PRODUCTS), "nobody"]), min_size=1, max_size=4)
    rows: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["pin", "boost", "bury", "hide", "filter"]))
        row: dict[str, Any] = {"id": f"r{number}", "do": kind}
        if kind == "filter":
            row["filters"] = [{"field": "price", "low": draw(st.integers(0, 20))}]
        else:
            row["products"] = draw(products)
        if kind == "pin":
            row["position"] = draw(st.integers(1, 30))
        if kind in ("boost", "bury"):
            row["points"] = draw(st.sampled_from([0.1, 0.5, 2.0]))
        if draw(st.booleans()):
            row["start"] = DAY.format(draw(st.integers(1, 9)))
        rows.append(row)
    return rows


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=some_rules(), query=st.sampled_from(["red dress", "", "红色连衣裙", "cup"]), size=st.integers(1, 9))
def test_pages_are_exact_whatever_the_rules(search: Search, rows: list[dict[str, Any]], query: str, size: int) -> None:
    rules = made(*rows)
    whole = search(Request(query=query, k=100, facets=("brand", "category", "price")), rules=rules)
    found = ids(whole)
    assert len(set(found)) == len(found) == whole.total
    paged: list[str] = []
    for start in range(0, len(found) + size, size):
        page = search(Request(query=query, k=size, offset=start, facets=("brand", "category", "price")), rules=rules)
        assert (page.total, page.facets) == (whole.total, whole.facets)
        paged += ids(page)
    assert paged == found
    assert whole.facets["brand"] == Counter(hit.product.brand for hit in whole.hits)
    hidden = {id for row in rows if row["do"] == "hide" for id in row["products"]}
    least = max((row["filters"][0]["low"] for row in rows if row["do"] == "filter"), default=0)
    assert not hidden & set(found)
    assert all(hit.product.price is not None and hit.product.price >= least for hit in whole.hits)
    for hit in whole.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-6)
    plain = set(ids(search(Request(query=query, k=100), rules=made())))
    pinned = {id for row in rows if row["do"] == "pin" for id in row["products"]}
    price = {product.id: product.price or 0 for product in PRODUCTS}
    allowed = {id for id in pinned if id in price and id not in hidden and price[id] >= least}
    assert allowed <= set(found)
    if not hidden and not least:
        assert set(found) == plain | allowed
    pins = sorted(
        (row for row in rows if row["do"] == "pin"),
        key=lambda row: (-int(row.get("start", DAY.format(0))[8:10]), row["id"]),
    )
    if pins and pins[0]["products"][0] in allowed and pins[0]["position"] <= len(found) - len(allowed):
        assert found.index(pins[0]["products"][0]) + 1 == pins[0]["position"]


def test_pages_are_exact_with_a_reranker_below_the_rules(index: Index) -> None:
    def reread(query: str, passages: Sequence[str], *, budget: float) -> np.ndarray:
        return np.linspace(0, 1, len(passages), dtype=np.float32)  # turns what it reads round

    door = Search(index, meaning, reranker=reread, ranking=HybridSettings(rerank=6, rerank_weight=0.9))
    rules = made({"id": "up", "do": "boost", "filters": [{"field": "brand", "values": ["brand1"]}], "points": 5}, PIN)
    whole = door(Request(query="red dress", k=100), rules=rules)
    assert whole.total > 9
    paged = [id for at in range(0, 20, 3) for id in ids(door(Request(query="red dress", k=3, offset=at), rules=rules))]
    assert paged == ids(whole)
    for hit in whole.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-6)


def test_a_synonym_finds_what_only_has_the_other_words(index: Index, tmp_path: Any) -> None:
    book = RuleBook(Shop.create(tmp_path / "shop"), reading=READING)
    door = Search(index, None, rules=book)
    assert ids(door(Request(query="sofabed"))) == []
    book.put([{"id": "same", "do": "synonym", "synonyms": [["sofabed", "tea cup"]]}])
    assert {hit.product.title.split()[0] for hit in door(Request(query="sofabed")).hits} == {"tea"}
    book.remove(["same"])
    assert ids(door(Request(query="sofabed"))) == []


def test_a_changed_file_is_seen_by_the_next_search(index: Index, tmp_path: Any) -> None:
    book = RuleBook(Shop.create(tmp_path / "shop"), reading=READING)
    search = Search(index, meaning, rules=book)
    assert search(Request(query="cup")).rules == ()
    book.put([PIN])
    assert ids(search(Request(query="red dress")))[1] == "p01"
    book.path.write_text("[[rule]]\nid = 'hide'\ndo = 'hide'\nproducts = ['p01']\n", "utf-8")
    assert search(Request(query="red dress")).rules == ("hide",)
    book.path.write_text("[[rule]\n", "utf-8")
    assert search(Request(query="red dress")).rules == ("hide",), "the rules before stay in force"
    assert "no TOML" in book.fault
    book.path.unlink()
    assert search(Request(query="red dress")).rules == ()


def test_a_category_that_the_query_wants_meets_a_rule(index: Index) -> None:
    intent = Intent.build(PRODUCTS, {})
    knowing = Search(index, meaning, understand=Understand(intent=intent))
    rule = {"id": "c", "do": "boost", "category": ["Shop > coffee mug"], "points": 5, "products": ["p01"]}
    (wanted, *_) = intent("coffee mug")
    assert wanted.probability >= SURE
    assert knowing(Request(query="coffee mug"), rules=made(rule)).rules == ("c",)
    assert knowing(Request(query="tea cup"), rules=made(rule)).rules == ()


def test_an_ambiguous_query_shows_each_of_its_kinds(index: Index) -> None:
    class Torn(Intent):
        def __call__(self, text: str) -> list[Wanted]:
            return [Wanted("Shop > red dress", 0.5, 10, 0), Wanted("Shop > tea cup", 0.4, 10, 0)]

    torn = Understand(intent=Torn({}, {}, {}, {}))
    ranking = HybridSettings(cut=0.0, diversity=DiverseSettings(intents=1.0))
    plain = Search(index, meaning, understand=torn, ranking=HybridSettings(cut=0.0))(
        Request(query="red dress cup", k=10)
    )
    page = Search(index, meaning, understand=torn, ranking=ranking)(Request(query="red dress cup", k=10))
    kinds, before = (Counter(hit.product.category[1] for hit in one.hits) for one in (page, plain))
    assert before["tea cup"] < 4 <= kinds["tea cup"]
    assert kinds["red dress"] >= 5
    for hit in page.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)
