"""L06 finds negatives that are, nearly are, or are bought with what answers the query."""

import numpy as np
import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.l06_negative import Negative


@pytest.fixture
def rows():
    """Queries for a kind in a colour; grade 3 for both, 0 for another kind."""
    kinds, colours = ("mug", "tent", "dress", "lamp", "茶杯"), ("red", "blue", "green", "black", "白色")
    shapes = ("round tall", "flat wide", "old wooden", "soft linen", "heavy steel", "tiny glass")
    places = [(k, c, s) for k in kinds for c in colours for s in shapes]
    products = [{"id": f"p{n}", "title": f"{c} {k} {s}", "brand": f"b{n % 7}"} for n, (k, c, s) in enumerate(places)]
    queries = [{"query_id": f"q{k}{c}", "text": f"{c} {k}"} for k in kinds for c in colours]
    judgments = [
        {"query_id": f"q{k}{c}", "product": f"p{n}", "grade": 3.0 if (k, c) == (kind, colour) else 0.0}
        for k in kinds
        for c in colours
        for n, (kind, colour, _) in enumerate(places)
        if (k, c) == (kind, colour) or (kind != k and n % 12 == 5)
    ]
    return {"products": products, "queries": queries, "judgments": judgments}


def positives(rows):
    return [place for place, row in enumerate(rows["judgments"]) if row["grade"] == 3.0]


def test_right_negatives(found_in, rows):
    assert found_in(rows, "L06") == []


def test_a_copy_of_a_positive(found_in, rows):
    place = positives(rows)[4]
    row = rows["judgments"][place]
    title = next(product["title"] for product in rows["products"] if product["id"] == row["product"])
    rows["products"].append({"id": "copy", "title": title.upper() + "!", "brand": "b4"})
    brand = next(product["brand"] for product in rows["products"] if product["id"] == row["product"])
    rows["products"][-1]["brand"] = brand
    rows["judgments"].append({**row, "product": "copy", "grade": 0.0})
    assert found_in(rows, "L06") == [("judgments", len(rows["judgments"]) - 1, "grade", "same_as_positive")]


def test_nearly_a_positive(found_in, rows):
    place = positives(rows)[4]
    row = rows["judgments"][place]
    product = next(product for product in rows["products"] if product["id"] == row["product"])
    rows["products"].append({**product, "id": "near", "title": product["title"] + " " + product["title"]})
    rows["judgments"].append({**row, "product": "near", "grade": 0.0})
    last = len(rows["judgments"]) - 1
    assert found_in(rows, "L06") == [("judgments", last, "grade", "like_positive")]


def test_what_a_model_takes_for_an_answer(found_in, rows):
    planted = np.random.default_rng(0).choice(positives(rows), 8, replace=False).tolist()
    for place in planted:
        rows["judgments"][place]["grade"] = 0.0
    found = found_in(rows, "L06")
    assert {problem for *_, problem in found} == {"fits_like_positive"}
    assert len({row for _, row, _, _ in found} & set(planted)) >= 6
    assert {row for _, row, _, _ in found} <= set(planted)


def test_what_says_the_query_where_less_was_preferred(found_in, rows):
    rows["judgments"] = rows["judgments"][:120]
    planted, other = positives(rows)[:2]
    rows["judgments"][planted]["grade"] = 0.0
    preferred = next(p for p in rows["products"] if p["id"] == rows["judgments"][other]["product"])
    preferred["title"] = "mug old wooden"
    assert found_in(rows, "L06") == [("judgments", planted, "grade", "says_the_query")]


def test_bought_with_what_answers(found_in, rows):
    rows["judgments"] = rows["judgments"][:120]
    planted, other = positives(rows)[:2]
    rows["judgments"][planted]["grade"] = 0.0
    assert found_in(rows, "L06") == []
    rows["events"] = [
        {"event_id": f"{s}{p}", "type": "purchase", "shopper": s, "product": rows["judgments"][p]["product"], "time": 1}
        for s in ("s1", "s2", "s3")
        for p in (planted, other)
    ]
    assert found_in(rows, "L06") == [("judgments", planted, "grade", "bought_with_positive")]


def test_settings_that_cannot_be():
    for wrong in ({"alike": 0.0}, {"bought": 0}):
        with pytest.raises(SettingsError):
            Negative(**wrong)
