"""The search door over the exact index, with an encoder of a few known meanings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.errors import RequestError
from mercer.rank.hybrid import Background, HybridSettings, hybrid
from mercer.records import Filter, Product, Request
from mercer.retrieve.index import IndexSettings, open_index
from mercer.retrieve.text import passage
from mercer.search import Search, SearchSettings
from mercer.understand.normalise import readable

MEANINGS = (("dress", "gown", "连衣裙"), ("mug", "cup", "杯"), ("lamp", "light", "灯"), ("shoe", "sneaker", "鞋"))


def meaning(texts: Sequence[str], *, side: str = "query") -> np.ndarray:
    """Unit vectors with a direction for each meaning and a little of their own."""
    vectors = np.zeros((len(texts), 12), dtype=np.float32)
    for row, text in enumerate(texts):
        own = np.random.default_rng(sum(text.encode())).standard_normal(12)
        vectors[row] = 0.2 * own / np.linalg.norm(own)
        for place, words in enumerate(MEANINGS):
            vectors[row, place] += sum(word in text.lower() for word in words)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


KINDS = ("red dress", "coffee mug", "desk lamp", "running shoe", "tea cup", "evening gown")
PRODUCTS = [
    Product(
        f"p{n:02}",
        f"{KINDS[n % 6]} {n}",
        brand=f"brand{n % 4}",
        category=("Shop", KINDS[n % 6]),
        price=None if n == 7 else float(5 + n),
        stock=n % 3,
    )
    for n in range(48)
]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    index = open_index(tmp_path_factory.mktemp("search"), dimension=12, settings=IndexSettings(engine="exact"))
    index.upsert(PRODUCTS, meaning([passage(product) for product in PRODUCTS]))
    yield Search(index, meaning, popularity={"p03": 0.5, "p11": 0.2})
    index.close()


def ids(search: Search, **given_: object) -> list[str]:
    return [hit.id for hit in search(Request(**given_)).hits]  # type: ignore[arg-type]


def test_words_and_meaning_both_find(search: Search) -> None:
    wide = Search(search.index, meaning, ranking=HybridSettings(cut=0.1))  # a third of this shop is dresses
    found = ids(wide, query="red dress 6", k=48)
    assert found[0] == "p06"
    titles = [product.title for product in search.index.products(found)]
    assert any("gown" in title for title in titles), "the meaning arm brings what the words do not"


def test_an_arm_alone_brings_only_its_own(search: Search) -> None:
    lexical = search(Request(query="gown", k=48), system="lexical")
    assert {hit.product.title.split()[1] for hit in lexical.hits} == {"gown"}
    assert lexical.degraded == ""
    assert {line.signal for hit in search(Request(query="gown"), system="dense").hits for line in hit.ledger} >= {
        "meaning"
    }


def test_the_ledger_sums_to_the_score(search: Search) -> None:
    for hit in search(Request(query="blue tea cup", k=48)).hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)


def test_reasons_name_only_what_is_there(search: Search) -> None:
    hit = search(Request(query="green desk lamp", k=1)).hits[0]
    assert hit.reason == "Has “desk”, “lamp”"
    chinese = search(Request(query="lamp", k=1, context={"language": "zh"})).hits[0]
    assert chinese.reason == "含有“lamp”"


def test_total_and_facets_do_not_change_with_the_page(search: Search) -> None:
    pages = [
        search(Request(query="cup", k=k, offset=o, facets=("brand", "category", "price")))
        for k, o in ((3, 0), (10, 5), (1, 9))
    ]
    assert len({page.total for page in pages}) == 1
    assert pages[0].facets == pages[1].facets == pages[2].facets
    assert sum(pages[0].facets["brand"].values()) == pages[0].total


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 9), query=st.sampled_from(["cup", "red dress", "", "灯"]))
def test_pages_neither_repeat_nor_skip(search: Search, size: int, query: str) -> None:
    whole = ids(search, query=query, k=100)
    paged = [id for start in range(0, len(whole), size) for id in ids(search, query=query, k=size, offset=start)]
    assert paged == whole
    assert len(set(whole)) == len(whole)


def test_sorting_keeps_the_set_and_puts_the_unknown_last(search: Search) -> None:
    cheap = search(Request(query="mug", k=100, sort="price_up"))
    prices = [hit.product.price for hit in cheap.hits]
    known = [price for price in prices if price is not None]
    assert known == sorted(known)
    assert None not in prices[: len(known)]
    assert {hit.id for hit in cheap.hits} == set(ids(search, query="mug", k=100))
    dear = search(Request(query="mug", k=100, sort="price_down"))
    assert [hit.product.price for hit in dear.hits if hit.product.price is not None] == sorted(known, reverse=True)


def test_excluded_and_filtered_never_appear(search: Search) -> None:
    found = search(
        Request(
            query="lamp", k=100, exclude=("p02",), filters=(Filter("in_stock", ("true",)), Filter("price", high=30))
        )
    )
    assert found.hits
    for hit in found.hits:
        assert hit.id != "p02"
        assert hit.product.stock
        assert hit.product.price is not None
        assert hit.product.price <= 30


def test_no_query_browses_by_popularity(search: Search) -> None:
    page = search(Request(query="  ", k=5))
    assert [hit.id for hit in page.hits[:2]] == ["p03", "p11"]
    assert page.total == len(PRODUCTS)
    assert ids(search, query="", filters=(Filter("category", ("coffee mug",)),), k=100) == [
        f"p{n:02}" for n in range(1, 48, 6)
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"k": 0}, "k is 0"),
        ({"k": -1}, "k is -1"),
        ({"k": 10**9}, "k is 1000000000"),
        ({"offset": -1}, "offset is -1"),
        ({"query": "x" * 1_048_576}, "1,048,576 characters"),
        ({"filters": (Filter("colour", ("red",)),)}, "'colour' is unknown"),
        ({"facets": ("flavour",)}, "'flavour' is unknown"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_value(search: Search, wrong: dict, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        search(Request(**{"query": "cup", **wrong}))


@pytest.mark.parametrize(
    "query",
    [
        "😀",
        "\x00\x07",
        "!?",
        "'; DROP TABLE products; --",
        "ﷺ",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_odd_queries_are_answered(search: Search, query: str) -> None:
    assert search(Request(query=query)).total >= 0


def test_without_an_encoder_words_remain_and_it_says_so(search: Search) -> None:
    page = Search(search.index, None)(Request(query="desk lamp"))
    assert page.hits[0].product.title.startswith("desk lamp")
    assert page.degraded == "no encoder: words only"


def test_stages_are_timed(search: Search) -> None:
    stages = set(search(Request(query="lamp")).stages)
    assert stages == {"understand", "rules", "lexical", "encode", "dense", "rank", "page"}


def test_readable_drops_controls() -> None:
    assert readable("  red\x00\tdress\u200b ", longest=50) == "red dress"


def test_scores_do_not_depend_on_the_encoders_scale() -> None:
    lexical, cosine = np.array([1.0, 0.0, 2.0]), np.array([0.2, 0.5, 0.1])
    background = Background(0.05, 0.1)
    squeezed = hybrid(
        lexical, 0.8 + cosine / 10, attainable=4.0, background=Background(0.805, 0.01), settings=HybridSettings()
    )
    plain = hybrid(lexical, cosine, attainable=4.0, background=background, settings=HybridSettings())
    assert squeezed.scores == pytest.approx(plain.scores)


def test_settings_refuse_what_cannot_be() -> None:
    from mercer.errors import SettingsError

    with pytest.raises(SettingsError, match="pool is 1"):
        SearchSettings(pool=1)
    with pytest.raises(SettingsError, match="dense is 2"):
        HybridSettings(dense=2.0)


class Likes:
    """A reranker that likes what has a word in its title, and takes no more than some passages."""

    name = "likes"

    def __init__(self, word: str, most: int = 1000) -> None:
        self.word, self.most = word, most

    def __call__(self, query: str, passages: Sequence[str], *, budget: float = 0.0) -> np.ndarray:
        return np.array([float(self.word in text) for text in passages[: self.most]], np.float32)


def test_a_reranker_orders_the_first_and_moves_nothing_else(search: Search) -> None:
    plain = search(Request(query="red dress", k=48))
    ranking = HybridSettings(rerank=5, rerank_weight=1.0)
    door = Search(search.index, meaning, ranking=ranking, reranker=Likes(plain.hits[4].product.title))
    page = door(Request(query="red dress", k=48, facets=("brand",)))
    assert page.hits[0].id == plain.hits[4].id
    assert (page.degraded, page.total) == ("", plain.total)
    assert {hit.id for hit in page.hits[:5]} == {hit.id for hit in plain.hits[:5]}
    assert [hit.id for hit in page.hits[5:]] == [hit.id for hit in plain.hits[5:]]
    assert "rerank" in page.stages
    for place, hit in enumerate(page.hits):
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)
        assert ("reranker" in {line.signal for line in hit.ledger}) == (place < 5)
    paged = [hit.id for start in range(0, 48, 3) for hit in door(Request(query="red dress", k=3, offset=start)).hits]
    assert paged == [hit.id for hit in page.hits]


def test_a_reranker_out_of_time_or_not_there_is_told(search: Search) -> None:
    ranking = HybridSettings(rerank=5, rerank_budget=30)
    late = Search(search.index, meaning, ranking=ranking, reranker=Likes("dress", most=2))
    assert late(Request(query="red dress")).degraded == "reranked 2 of 5 products in 30 ms"
    none = Search(search.index, meaning, ranking=ranking)
    assert none(Request(query="red dress")).degraded == "no reranker: words and meaning only"
    for quiet in ({"sort": "price_up"}, {"offset": 5}, {"query": ""}):
        page = none(Request(**{"query": "red dress", **quiet}))  # type: ignore[arg-type]
        assert page.degraded == "", quiet
    assert none(Request(query="red dress"), system="lexical").degraded == ""


def test_a_price_in_the_query_is_a_filter_and_gives_way_when_nothing_is_left(search: Search) -> None:
    page = search(Request(query="coffee mug under $20", k=48))
    assert page.hits
    assert page.degraded == ""
    assert all(hit.product.price is not None and hit.product.price <= 20 for hit in page.hits)
    assert page.hits[0].product.title.startswith("coffee mug")
    loose = search(Request(query="coffee mug under $2", k=48))
    assert loose.hits
    assert loose.degraded == "nothing has all of it, left out: price"
    own = search(Request(query="mug under $2", filters=(Filter("price", high=30.0),)))
    assert own.hits, "the shopper's own filter stands in place of what was read"
    assert own.degraded == ""


def test_a_wished_price_is_a_part_of_the_score(search: Search) -> None:
    page = search(Request(query="coffee mug under 20", k=48))
    prices = [line.part for hit in page.hits for line in hit.ledger if line.signal == "price"]
    assert prices
    assert set(prices) == {0.1 * 0.8}
    for hit in page.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)


def test_what_was_negated_goes_down_with_its_own_line(search: Search) -> None:
    page = search(Request(query="lamp without desk", k=48))
    lines = {line.signal: line.part for hit in page.hits for line in hit.ledger if "desk" in hit.product.title}
    assert lines.get("negated", -0.2) == -0.2
    plain = search(Request(query="cup without tea", k=100))
    asked = search(Request(query="cup", k=100))
    assert asked.hits[0].product.title.startswith("tea cup")
    scores = {hit.id: hit.score for hit in plain.hits if "tea" in hit.product.title}
    for hit in plain.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)
        assert ("negated" in {line.signal for line in hit.ledger}) == (hit.id in scores)
