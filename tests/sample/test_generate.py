"""The promises of the invented shop: same seed, same bytes; files a shop would hand over; known answers."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.errors import NotFoundError
from mercer.records import ACTIONS, Product
from mercer.sample import FILES, STEPS, SampleSettings, Summary, generate, truth
from mercer.sample.generate import ORDERS

Shop = tuple[Path, Summary]
TINY = SampleSettings(products=220, shoppers=40, events=1500, queries=24, images=3, image_size=48)


def fingerprints(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def products(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILES["products"]).read_text("utf-8").splitlines()]


def events(folder: Path) -> list[dict[str, str]]:
    text = gzip.decompress((folder / FILES["events"]).read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_shop(tmp_path: Path) -> None:
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        settings = SampleSettings(
            **{field: getattr(TINY, field) for field in TINY.__slots__} | {"seed": seed, "dirt": 0.05}
        )
        generate(tmp_path / name, settings)
    first, again, other = (fingerprints(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert len(first) == len(FILES) + len([ORDERS]) + 3 + 7
    same = {name for name in first if first[name] == other.get(name)}
    assert same <= {FILES["faq"], FILES["policies"], "truth/propensity.json"}


def test_more_shoppers_leave_the_catalogue_as_it_is(tmp_path: Path) -> None:
    generate(tmp_path / "few", TINY)
    generate(
        tmp_path / "many", SampleSettings(products=220, shoppers=90, events=1500, queries=24, images=3, image_size=48)
    )
    assert products(tmp_path / "few") == products(tmp_path / "many")


def test_counts_are_what_was_asked_for(clean: Shop, small: SampleSettings) -> None:
    folder, summary = clean
    assert len(products(folder)) == summary.rows["products"] == small.products
    assert len(events(folder)) == summary.rows["events"] == small.events == sum(summary.actions.values())
    assert len((folder / FILES["queries"]).read_text("utf-8").splitlines()) == small.queries + 1
    assert len(list((folder / "images").iterdir())) == summary.images == small.images
    assert summary.dirt == {}


def test_a_tick_for_every_step(tmp_path: Path) -> None:
    ticks: list[int] = []
    generate(tmp_path, TINY, ticks.append)
    assert ticks == [1] * len(STEPS)


def test_columns_are_the_canonical_ones(clean: Shop) -> None:
    schema = pytest.importorskip("mercer.quality.schema").COLUMNS
    folder, _ = clean
    assert {name for row in products(folder) for name in row} == set(schema["products"]) - {"derived"}
    assert list(events(folder)[0]) == list(schema["events"])
    assert (folder / FILES["queries"]).read_text("utf-8").split("\n")[0].split("\t") == list(schema["queries"])
    for family in ("reviews", "faq"):
        line = (folder / FILES[family]).read_text("utf-8").splitlines()[0]
        assert set(json.loads(line)) == set(schema[family])


def test_products_are_whole_and_different(clean: Shop) -> None:
    rows = products(clean[0])
    assert len({row["id"] for row in rows}) == len({row["title"] for row in rows}) == len(rows)
    for row in rows:
        product = Product.from_row(row | {"attributes": json.dumps(row["attributes"])})
        assert len(product.category) == 3
        assert product.title
        assert product.description
        assert "{" not in product.title + product.description + product.bullets
        assert product.price is not None
        assert 0 < product.price <= (product.list_price or 0)
        assert (product.availability == "in_stock") == product.in_stock


def test_half_of_the_listings_are_chinese_through_and_through(clean: Shop) -> None:
    rows = products(clean[0])
    chinese = [row for row in rows if any("一" <= letter <= "鿿" for letter in row["title"])]
    assert len(chinese) == len(rows) // 2
    assert all("型号" in row["attributes"] for row in chinese)
    others = [row for row in rows if row not in chinese]
    assert all(not any("一" <= letter <= "鿿" for letter in json.dumps(row, ensure_ascii=False)) for row in others)


def test_events_refer_to_what_is_there_in_order_of_time(clean: Shop, small: SampleSettings) -> None:
    folder, _ = clean
    rows, known = events(folder), {row["id"] for row in products(folder)}
    asked = {line.split("\t")[0] for line in (folder / FILES["queries"]).read_text("utf-8").splitlines()[1:]}
    assert {row["product"] for row in rows} <= known
    assert {row["query_id"] for row in rows} - {""} <= asked
    assert {row["type"] for row in rows} <= set(ACTIONS)
    times = [int(row["time"]) for row in rows]
    assert times == sorted(times)
    assert small.first <= times[0]
    assert times[-1] < small.last
    assert len({row["event_id"] for row in rows}) == len(rows)


def test_clicks_follow_impressions_and_purchases_follow_carts(clean: Shop) -> None:
    rows = events(clean[0])
    shown = {(row["session"], row["product"], row["position"]) for row in rows if row["type"] == "impression"}
    clicks = [row for row in rows if row["type"] == "click"]
    carts = {(row["session"], row["product"]) for row in rows if row["type"] == "add_to_cart"}
    bought = [row for row in rows if row["type"] == "purchase"]
    assert clicks
    assert bought
    assert all((row["session"], row["product"], row["position"]) in shown for row in clicks)
    assert all((row["session"], row["product"]) in carts for row in bought)
    assert all(float(row["price"]) > 0 and float(row["quantity"]) >= 1 for row in bought)


def test_reviews_and_stars_agree_with_purchases(clean: Shop) -> None:
    folder, _ = clean
    bought = {(row["shopper"], row["product"]) for row in events(folder) if row["type"] == "purchase"}
    rows = [json.loads(line) for line in (folder / FILES["reviews"]).read_text("utf-8").splitlines()]
    assert len(rows) > 50
    assert {(row["shopper"], row["product"]) for row in rows} <= bought
    moans = ("有点失望", "Disappointed")
    assert all(row["rating"] <= 2 for row in rows if any(moan in row["text"] for moan in moans))
    assert {row["rating"] for row in rows} == {1.0, 2.0, 3.0, 4.0, 5.0}


def test_every_query_has_an_exact_answer_and_some_wrong_ones(clean: Shop) -> None:
    folder, _ = clean
    known = {row["id"] for row in products(folder)}
    judged: dict[str, Counter[str]] = {}
    for line in (folder / FILES["judgments"]).read_text("utf-8").splitlines():
        query, _, product, grade = line.split(" ")
        assert product in known
        judged.setdefault(query, Counter())[grade] += 1
    assert all(grades["3"] >= 1 and grades["0"] >= 1 for grades in judged.values())
    kinds = truth.load(folder).queries.to_pylist()
    assert {row["query_id"] for row in kinds} == set(judged)
    assert {row["kind"] for row in kinds} >= {"category", "thing", "attribute", "brand", "model", "need", "misspelt"}
    assert len({row["text"] for row in kinds}) == len(kinds)
    assert abs(sum(row["language"] == "zh" for row in kinds) / len(kinds) - 0.5) < 0.1


def test_truth_reads_back_what_was_drawn(clean: Shop, small: SampleSettings) -> None:
    from mercer.sample import catalogue, shopper
    from mercer.sample.taxonomy import taxonomy

    known = truth.load(clean[0])
    assert known.settings == small
    goods, people = catalogue.draw(small, taxonomy()), shopper.draw(small, taxonomy())
    assert np.array_equal(known.goods.price, goods.price)
    assert known.goods.model == goods.model
    assert np.array_equal(known.people.interest, people.interest)


def test_best_products_are_ones_the_shopper_likes(clean: Shop) -> None:
    known = truth.load(clean[0])
    best = known.best("U00003", 5)
    affinity = dict(zip(known.goods.id, known.affinity("U00003"), strict=True))
    assert len(set(best)) == 5
    assert [affinity[product] for product in best] == sorted((affinity[product] for product in best), reverse=True)
    assert min(affinity[product] for product in best) > np.quantile(known.affinity("U00003"), 0.9)
    assert known.best("U00004", 5) != best
    with pytest.raises(NotFoundError, match="U99999"):
        known.best("U99999")


def test_truth_of_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="generate"):
        truth.load(tmp_path)
