"""Rules in the recommendation door: the same precedence as in search, exact pages, ledgers that sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mercer.rank.rule_book import RuleBook
from mercer.recommend import Recommend
from mercer.records import Filter, Page, Product, Request, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.exact import ExactIndex
from mercer.retrieve.history import DAY
from mercer.retrieve.index import IndexSettings
from mercer.search.ruled import READING
from mercer.shop import Shop

COUNT = 30
SHELF = [
    Product(
        f"p{n:02d}", f"Thing {n}", brand=f"brand{n % 3}", category=("Shop", f"kind{n % 5}"), stock=3, price=float(n)
    )
    for n in range(COUNT)
]


def behaviour() -> Behaviour:
    rows = [
        (kind, f"s{n}", f"s{n}", f"p{(n * step) % COUNT:02d}", int(n * DAY / 8 + step))
        for n in range(80)
        for step, kind in ((1, "view"), (2, "view"), (3, "purchase"), (5, "purchase"))
    ]
    names = ("type", "shopper", "session", "product", "time")
    return Behaviour.fit(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExactIndex]:
    opened = ExactIndex(tmp_path_factory.mktemp("index"), dimension=8, settings=IndexSettings(engine="exact"))
    vectors = np.random.default_rng(4).standard_normal((COUNT, 8)).astype(np.float32)
    opened.upsert(SHELF, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    yield opened
    opened.close()


@pytest.fixture
def ask(index: ExactIndex, tmp_path: Path) -> Callable[..., Page]:
    """``ask("home", rule, rule, k=5)``: a page as these rules make it."""
    book = RuleBook(Shop.create(tmp_path / "shop"), reading=READING)
    door = Recommend(index, behaviour(), rules=book)

    def asked(scene: Any, *rows: dict[str, Any], **more: Any) -> Page:
        book.replace(rows)
        item = "p03" if scene in ("similar", "together") else ""
        return door(Request(scene, **{"item": item, "shopper": Shopper("", ("p01",)), "k": 50, **more}))

    return asked


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


SCENES = ("home", "next", "similar", "together", "trending")


@pytest.mark.parametrize("scene", SCENES)
def test_hidden_filtered_pinned_boosted(ask: Callable[..., Page], scene: str) -> None:
    plain = ids(ask(scene))
    everywhere = {"scenes": [scene]}
    assert plain[0] not in ids(ask(scene, {"id": "h", "do": "hide", "products": [plain[0]], **everywhere}))
    only = {"id": "f", "do": "filter", "filters": [{"field": "brand", "values": ["brand1"]}], **everywhere}
    assert {hit.product.brand for hit in ask(scene, only).hits} == {"brand1"}
    last = {"id": "b", "do": "boost", "products": [plain[-1]], "points": 9, **everywhere}
    assert ids(ask(scene, last))[0] == plain[-1]
    first = {"id": "d", "do": "bury", "products": [plain[0]], "points": 9, **everywhere}
    assert ids(ask(scene, first))[-1] == plain[0]
    pin = {"id": "p", "do": "pin", "products": ["p29"], "position": 2, **everywhere}
    page = ask(scene, pin)
    assert ids(page)[1] == "p29"
    assert page.rules == ("p",)
    assert "p29" not in ids(ask(scene, pin, {"id": "h", "do": "hide", "products": ["p29"], **everywhere}))
    assert "p29" not in ids(ask(scene, pin, filters=(Filter("price", high=20.0),)))


@pytest.mark.parametrize("scene", SCENES)
def test_pages_are_exact_and_ledgers_sum(ask: Callable[..., Page], scene: str) -> None:
    plain, here = ids(ask(scene)), {"scenes": [scene]}
    rules = (
        {"id": "p", "do": "pin", "products": ["p28", "p29"], "position": 4, **here},
        {"id": "h", "do": "hide", "products": [plain[1]], **here},
        {"id": "b", "do": "boost", "filters": [{"field": "brand", "values": ["brand2"]}], "points": 0.3, **here},
        {"id": "d", "do": "bury", "products": [plain[0]], "points": 0.4, **here},
    )
    whole = ask(scene, *rules)
    assert len(set(ids(whole))) == len(whole.hits) == whole.total
    assert set(ids(whole)) == (set(plain) | {"p28", "p29"}) - {plain[1]}
    paged = [id for offset in range(0, whole.total + 3, 3) for id in ids(ask(scene, *rules, k=3, offset=offset))]
    assert paged == ids(whole)
    for hit in whole.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)
    buried = next(hit for hit in whole.hits if hit.id == plain[0])
    assert ("rule d", -0.4) in {(line.signal, line.part) for line in buried.ledger}


def test_rules_are_for_their_scenes_categories_and_contexts(ask: Callable[..., Page]) -> None:
    hide = {"id": "h", "do": "hide", "products": ["p08"], "scenes": ["similar"]}
    assert ask("home", hide).rules == ()
    assert ask("similar", hide).rules == ("h",)
    assert ask("similar", hide | {"category": "Shop > kind3"}).rules == ("h",), "the item's"
    assert ask("similar", hide | {"category": "kind4"}).rules == ()
    assert ask("similar", hide | {"device": "phone"}).rules == ()
    assert ask("similar", hide | {"device": "phone"}, context={"device": "Phone"}).rules == ("h",)
    banner = {"id": "b", "do": "banner", "text": "hello", "scenes": ["home"]}
    assert ask("home", banner).banner == {}
