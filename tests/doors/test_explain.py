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


def test_below_the_cut(doors: Doors, title: str) -> None:
    inside = {hit.id for hit in doors.search(Request(query=title, k=1000)).hits}
    found = [explain(doors, Request(query=title), id) for id in doors.index.ids() if id not in inside][:20]
    assert {why.place for why in found} <= {"below the cut", "not retrieved"}
    scored = [why for why in found if why.place == "below the cut" and why.score is not None]
    assert scored
    assert all(why.score < why.needed for why in scored)  # type: ignore[operator]


def test_filtered_by_the_shopper_or_by_what_was_read(doors: Doors, title: str) -> None:
    id = doors.search(Request(query=title)).hits[0].id
    cheap = Filter("price", high=0.001)
    assert explain(doors, Request(query=title, filters=(cheap,)), id).filters == (cheap,)
    assert explain(doors, Request(query=title, exclude=(id,)), id).place == "filtered"
    assert explain(doors, Request(query=title), "nobody").place == "not in the index"
