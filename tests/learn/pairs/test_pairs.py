"""Pairs come with their lineage, and a group is never on two sides."""

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.errors import DataError, RequestError, SettingsError
from mercer.learn.pairs import (
    BehaviourPairs,
    CataloguePairs,
    apart,
    empty,
    from_catalogue,
    from_events,
    from_judgments,
    group_of,
    joined,
)
from mercer.records import Product

CUP = Product(
    "1",
    "Nord steel travel cup 350ml",
    description="Keeps tea hot for six hours. Fits every car holder there is.",
    brand="Nord",
    category=("Home", "Cups"),
    attributes={"color": "red"},
)
DRESS = Product(
    "2", "红色雪纺连衣裙 夏季新款", description="轻薄透气的雪纺面料适合夏天穿着。", category=("女装", "连衣裙")
)
BOTH = {product.id: product for product in (CUP, DRESS)}


def test_every_kind_of_catalogue_pair_is_made_and_none_gives_itself_away():
    settings = CataloguePairs(a_product=100)
    rows = from_catalogue(BOTH.values(), settings=settings).to_pylist()
    kinds = {row["source"] for row in rows if row["product"] == "1"}
    assert kinds == {f"catalogue:{kind}" for kind in ("title", "description", "words", "category", "kind")}
    for row in rows:
        assert row["lineage"] == f"products:{row['product']}"
        if row["source"] in ("catalogue:title", "catalogue:description"):
            assert row["query"] not in row["text"]
    assert any("雪纺" in row["query"] for row in rows)


def test_a_large_catalogue_is_drawn_from_and_the_same_each_time():
    many = [Product(str(number), f"thing number {number} of many") for number in range(50)]
    settings = CataloguePairs(a_product=2, most=20)
    first, again = (from_catalogue(many, settings=settings, seed=3) for _ in range(2))
    assert first.equals(again)
    assert len(set(first["product"].to_pylist())) == 10
    assert not first.equals(from_catalogue(many, settings=settings, seed=4))


def test_judgments_are_scaled_and_those_of_unknown_products_left_out():
    rows = [
        {"row_id": 0, "query_id": "a", "product": "1", "grade": 3.0},
        {"row_id": 1, "query_id": "a", "product": "2", "grade": 1.0},
        {"row_id": 2, "query_id": "a", "product": "gone", "grade": 1.0},
        {"row_id": 3, "query_id": "silent", "product": "1", "grade": 1.0},
        {"row_id": 4, "query_id": "a", "product": "1", "grade": None},
    ]
    found = from_judgments(rows, {"a": "travel cup", "silent": " "}, BOTH).to_pylist()
    assert [(row["product"], row["lineage"]) for row in found] == [("1", "judgments:0"), ("2", "judgments:1")]
    assert [row["gain"] for row in found] == pytest.approx([1.0, 1 / 3])
    given = from_judgments(rows[:2], {"a": "travel cup"}, BOTH, gains={3: 2.0, 1: 0.5}).to_pylist()
    assert [row["gain"] for row in given] == pytest.approx([1.0, 0.25])
    with pytest.raises(RequestError, match=r"grade 1 .* add 1=GAIN"):
        from_judgments(rows, {"a": "travel cup"}, BOTH, gains={3: 1.0})


@pytest.fixture
def log(tmp_path):
    """A click at the top, one far down, a purchase, and a product that is looked at and never wanted."""
    events = [
        ("s1", "impression", "1", 1),
        ("s1", "click", "1", 1),
        ("s2", "impression", "2", 5),
        ("s2", "click", "2", 5),
        ("s3", "purchase", "2", 5),
        *[("s4", "impression", "1", 1)] * 4,
    ]
    names = ("query_id", "type", "product", "position")
    table = pa.table(dict(zip(names, zip(*events, strict=True), strict=True)))
    table = table.append_column("time", pa.array(range(1000, 1000 + len(events))))
    pq.write_table(table.append_column("row_id", pa.array(range(len(events)))), tmp_path / "events.parquet")
    asked = {"query_id": ["s1", "s2", "s3", "s4"], "text": ["cup", "dress", "dress", "dress"]}
    pq.write_table(pa.table(asked), tmp_path / "queries.parquet")
    return tmp_path


def test_behaviour_counts_by_the_chance_of_a_look(log):
    settings = BehaviourPairs(least=0)
    found = from_events(log / "events.parquet", log / "queries.parquet", BOTH, settings=settings)
    rows = {(row["query"], row["product"]): row for row in found.to_pylist()}
    assert rows["dress", "2"]["gain"] == 1.0
    assert rows["cup", "1"]["gain"] == pytest.approx(settings.click)
    assert rows["dress", "1"]["gain"] == 0.0
    assert rows["dress", "1"]["source"] == "events:skipped"
    assert rows["dress", "2"]["weight"] == pytest.approx(math.log1p(2), rel=1e-5)
    assert rows["dress", "2"]["lineage"] == "events:2+2"

    told = [1.0, 0.8, 0.6, 0.5, 0.25]
    found = from_events(log / "events.parquet", log / "queries.parquet", BOTH, propensity=told, settings=settings)
    rows = {(row["query"], row["product"]): row for row in found.to_pylist()}
    assert rows["dress", "2"]["weight"] == pytest.approx(math.log1p(8), rel=1e-5)


def test_no_events_no_pairs(tmp_path):
    assert from_events(tmp_path / "no", tmp_path / "no", BOTH).num_rows == 0


def test_a_group_is_on_one_side_only():
    pairs = joined(*(pairs_of(f"query {number}", number) for number in range(30)))
    for by in ("group", "time"):
        parts = apart(pairs, by=by, seed=5)
        groups = [set(part["group"].to_pylist()) for part in parts.values()]
        assert [len(group) for group in groups] == [21, 3, 6]
        assert len(set.union(*groups)) == sum(map(len, groups))
        assert sum(map(len, parts.values())) == len(pairs)
    assert min(parts["test"]["time"].to_pylist()) > max(parts["train"]["time"].to_pylist())


def pairs_of(query, time):
    rows = from_judgments([{"query_id": "a", "product": "1", "grade": 1.0}], {"a": query}, BOTH)
    return rows.set_column(rows.schema.get_field_index("time"), "time", pa.array([time], pa.int64()))


def test_spellings_of_one_query_are_one_group():
    assert group_of("Red shoes!") == group_of("shoes  RED")
    assert group_of("連衣裙") == group_of("连衣裙")


@pytest.mark.parametrize(("name", "value"), [("weight", math.nan), ("gain", math.inf), ("gain", 1.5)])
def test_numbers_that_cannot_be_are_refused(name, value):
    one = pairs_of("query", 1)
    bad = one.set_column(one.schema.get_field_index(name), name, pa.array([value], pa.float32()))
    with pytest.raises(DataError, match=name):
        joined(bad)


def test_too_few_groups_and_shares_that_cannot_be():
    with pytest.raises(DataError, match="1 groups"):
        apart(pairs_of("query", 1))
    with pytest.raises(DataError, match="0 groups"):
        apart(empty())
    with pytest.raises(SettingsError, match="leave 10 %"):
        apart(pairs_of("query", 1), valid=0.5, test=0.5)
    untimed = joined(*(pairs_of(f"query {number}", None) for number in range(5)))
    with pytest.raises(DataError, match="have no time"):
        apart(untimed, by="time")


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (CataloguePairs, "hidden", 2),
        (CataloguePairs, "a_product", 0),
        (BehaviourPairs, "click", 0),
        (BehaviourPairs, "clip", 0.5),
    ],
)
def test_settings_that_cannot_be(kind, name, value):
    with pytest.raises(SettingsError, match=name):
        kind(**{name: value})
