"""Filters and facets against a loop over the products."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import RequestError
from mercer.records import Filter, Product
from mercer.retrieve.columns import Columns, check_filters, tags

BRANDS, LEVELS, COLOURS = ("", "Nord", "青山", 'Le "V"'), ("Home", "Cups", "厨房"), ("red", "蓝", "")
PRODUCT = st.builds(
    Product,
    id=st.sampled_from([f"p{n}" for n in range(12)]),
    title=st.just("x"),
    brand=st.sampled_from(BRANDS),
    category=st.lists(st.sampled_from(LEVELS), max_size=3).map(tuple),
    price=st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0, 9.99, 10.0, 20.0, 1e7])),
    stock=st.one_of(st.none(), st.integers(-2, 3)),
    availability=st.sampled_from(["", "in_stock", "out_of_stock"]),
    attributes=st.dictionaries(st.sampled_from(["color", "size"]), st.sampled_from(COLOURS), max_size=2),
)
CHANGES = st.lists(st.one_of(PRODUCT, st.sampled_from([f"p{n}" for n in range(12)])), max_size=30)
BOUND = st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 1.0, 10.0, 15.0, float("inf"), float("-inf")]))
FILTER = st.one_of(
    st.builds(Filter, st.just("brand"), st.lists(st.sampled_from([*BRANDS, "nobody"]), min_size=1).map(tuple)),
    st.builds(Filter, st.just("category"), st.lists(st.sampled_from([*LEVELS, "Home > Cups"]), min_size=1).map(tuple)),
    st.builds(Filter, st.just("attributes.color"), st.lists(st.sampled_from(COLOURS), min_size=1).map(tuple)),
    st.builds(Filter, st.just("in_stock"), st.sampled_from([("true",), ("false",), ("true", "false")])),
    st.builds(Filter, st.just("id"), st.lists(st.sampled_from(["p1", "p2", "gone"]), min_size=1).map(tuple)),
    st.builds(Filter, st.sampled_from(["price", "stock"]), low=BOUND, high=BOUND).filter(
        lambda one: one.low is not None or one.high is not None
    ),
)


def meets(product: Product, wanted: Filter) -> bool:
    if wanted.field in ("price", "stock"):
        value = getattr(product, wanted.field)
        low = -np.inf if wanted.low is None else wanted.low
        return value is not None and low <= value <= (np.inf if wanted.high is None else wanted.high)
    if wanted.field == "category":
        paths = {" > ".join(product.category[:depth]) for depth in range(1, len(product.category) + 1)}
        return bool(({*product.category} | paths) & set(wanted.values))
    if wanted.field == "in_stock":
        return str(product.in_stock).lower() in wanted.values
    if wanted.field.startswith("attributes."):
        return product.attributes.get("color") in wanted.values
    value = getattr(product, wanted.field)
    return bool(value) and value in wanted.values


def built(changes: list[Product | str]) -> tuple[Columns, dict[str, Product]]:
    columns, truth = Columns(), {}
    for change in changes:
        if isinstance(change, Product):
            columns.add(change)
            truth[change.id] = change
        else:
            assert columns.remove(change) == (truth.pop(change, None) is not None)
    return columns, truth


@settings(max_examples=150, deadline=None)
@given(CHANGES, st.lists(FILTER, max_size=3))
def test_filters_pass_what_a_loop_passes(changes: list[Product | str], filters: list[Filter]) -> None:
    columns, truth = built(changes)
    passed = [columns.ids[row] for row in np.flatnonzero(columns.mask(filters))]
    assert sorted(passed) == sorted(id for id, one in truth.items() if all(meets(one, wanted) for wanted in filters))


@settings(max_examples=100, deadline=None)
@given(CHANGES)
def test_facets_count_what_a_loop_counts(changes: list[Product | str]) -> None:
    columns, truth = built(changes)
    rows = np.flatnonzero(columns.mask(()))
    found = columns.facets(rows, ("brand", "category", "in_stock", "attributes.color", "price"))
    assert found["brand"] == dict(Counter(one.brand for one in truth.values() if one.brand))
    paths = Counter(
        path
        for one in truth.values()
        for path in {" > ".join(one.category[:depth]) for depth in range(1, len(one.category) + 1)}
    )
    assert found["category"] == dict(paths)
    assert found["in_stock"] == dict(Counter(str(one.in_stock).lower() for one in truth.values()))
    colours = Counter(one.attributes["color"] for one in truth.values() if "color" in one.attributes)
    assert found["attributes.color"] == dict(colours)
    assert sum(found["price"].values()) == sum(one.price is not None for one in truth.values())
    for counts in (found["brand"], found["category"]):
        assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_price_bins_are_round_and_in_order() -> None:
    columns = Columns()
    for place, price in enumerate([-3.0, 0.0, 0.5, 1.0, 9.99, 10.0, 1_500_000.0, 1e7, None]):
        columns.add(Product(str(place), "x", price=price))
    counts = columns.facets(np.flatnonzero(columns.mask(())), ("price",))["price"]
    assert counts == {"-0": 1, "0-1": 2, "1-2": 1, "5-10": 1, "10-20": 1, "1000000-2000000": 1, "5000000-": 1}
    assert list(counts) == ["-0", "0-1", "1-2", "5-10", "10-20", "1000000-2000000", "5000000-"]


def test_a_bin_can_be_given_back_as_a_filter() -> None:
    from mercer.cli.search import parse_filters

    columns = Columns()
    for place in range(30):
        columns.add(Product(str(place), "x", price=place + 0.5))
    for name, count in columns.facets(np.arange(30), ("price",))["price"].items():
        low, _, high = name.partition("-")
        assert columns.mask(parse_filters([f"price={low}..{high}"])).sum() == count


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Filter("colour", ("x",)), "'colour' is unknown"),
        (Filter("attributes.", ("x",)), "'attributes.' is unknown"),
        (Filter("", ("x",)), "'' is unknown"),
        (Filter("title", ("x",)), "'title' is unknown"),
        (Filter("price", ("5",)), "no range"),
        (Filter("price", low=float("nan")), "NaN"),
        (Filter("brand", low=1), "no values"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(wrong: Filter, said: str) -> None:
    with pytest.raises(RequestError, match=said) as raised:
        check_filters([wrong])
    assert raised.value.cure


def test_a_product_replaced_is_there_once_at_every_moment() -> None:
    import threading

    columns, stop, seen = Columns(), threading.Event(), set()
    columns.add(Product("p", "x"))

    def look() -> None:
        while not stop.is_set():
            seen.add(int(columns.mask(()).sum()))

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(3000):
        columns.add(Product("p", "x", price=float(number)))
    stop.set()
    reader.join()
    assert seen == {1}


def test_tags_of_a_bare_product() -> None:
    assert tags(Product("1", "")) == [("in_stock", "true")]
