"""Each way in which a product can be lost is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mercer.cli.settings import read_settings
from mercer.doors import Doors, open_doors
from mercer.doors.explain import explain
from mercer.records import Filter, Request


@pytest.fixture(scope="module")
def doors(tiny_shop: Path) -> Iterator[Doors]:
    opened = open_doors(tiny_shop, read_settings(tiny_shop), writable=False)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def title(doors: Doors) -> str:
    return doors.index.products(doors.index.ids()[:1])[0].title


def test_shown_and_outranked(doors: Doors, title: str) -> None:
    whole = doors.search(Request(query=title, k=100)).hits
    first = explain(doors, Request(query=title, k=1), whole[0].id)
    assert (first.place, first.position, first.score) == ("shown", 1, whole[0].score)
    assert sum(line.part for line in first.ledger) == pytest.approx(first.score, abs=1e-6)
    assert first.words or first.meaning
    later = explain(doors, Request(query=title, k=1), whole[-1].id)
    assert (later.place, later.position, later.needed) == ("outranked", len(whole), whole[0].score)
    assert first.above is None
    assert later.above is not None
    assert (later.above.product, later.above.score) == (whole[-2].id, whole[-2].score)
    assert later.above.title == whole[-2].product.title


def test_below_the_cut(doors: Doors, title: str) -> None:
    inside = {hit.id for hit in doors.search(Request(query=title, k=1000)).hits}
    found = [explain(doors, Request(query=title), id) for id in doors.index.ids() if id not in inside][:20]
    assert {why.place for why in found} <= {"below the cut", "not retrieved"}
    scored = [why for why in found if why.place == "below the cut" and why.score is not None]
    assert scored
    for why in scored:
        assert why.score is not None
        assert why.needed is not None
        assert why.score < why.needed
        assert sum(line.part for line in why.ledger) == pytest.approx(why.score, abs=1e-6)
        assert why.above is not None
        assert why.above.score >= why.score


def test_filtered_by_the_shopper_or_by_what_was_read(doors: Doors, title: str) -> None:
    id = doors.search(Request(query=title)).hits[0].id
    cheap = Filter("price", high=0.001)
    assert explain(doors, Request(query=title, filters=(cheap,)), id).filters == (cheap,)
    assert explain(doors, Request(query=title, exclude=(id,)), id).place == "excluded"
    assert explain(doors, Request(query=title), "nobody").place == "not in the index"


def test_every_product_is_somewhere(doors: Doors, title: str) -> None:
    """Whatever is asked, a product is in the answer exactly where it is said to be."""
    for query in (title, "dress under 50", "杯 不含 陶瓷"):
        hits = [hit.id for hit in doors.search(Request(query=query, k=1000)).hits]
        for id in doors.index.ids()[::9]:
            why = explain(doors, Request(query=query), id)
            assert (id in hits) == (why.place in ("shown", "outranked"))
            assert why.position == (hits.index(id) + 1 if id in hits else 0)
            assert (why.place == "filtered") == bool(why.filters)
            assert (why.place == "not retrieved") <= (why.words == why.meaning == 0)


def test_ruled_out_names_the_rule(own_shop: Path) -> None:
    rules = own_shop / "rules.toml"
    opened = open_doors(own_shop, read_settings(own_shop), writable=False)
    first, second = (hit.id for hit in opened.search(Request(query="dress", k=2)).hits)
    opened.close()
    rules.write_text(
        f'''[[rule]]
id = "away"
do = "hide"
products = ["{first}"]

[[rule]]
id = "dear"
do = "filter"
filters = [{{ field = "price", low = 100000 }}]
''',
        "utf-8",
    )
    opened = open_doors(own_shop, read_settings(own_shop), writable=False)
    try:
        away, dear = (explain(opened, Request(query="dress"), id) for id in (first, second))
    finally:
        opened.close()
    assert (away.place, away.rules[0]) == ("ruled out", "away")
    assert (dear.place, dear.rules, dear.filters[0].field) == ("ruled out", ("dear",), "price")
