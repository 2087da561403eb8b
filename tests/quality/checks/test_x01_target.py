"""X01 finds every way in which inputs give the label away, and leaves honest inputs alone."""

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.x01_target import Target
from mercer.quality.run import QualitySettings
from mercer.quality.training import check_training

HONEST = ("category", "price")
BAG = ("good", "bad", "nice", "warm", "茶", "wide", "late", "soft", "好", "new")


def found(table, inputs, label="rating", **told):
    rows = check_training(table, label=label, inputs=inputs, **told).findings.to_pylist()
    return [(row["field"], row["problem"]) for row in rows if row["check_id"] == "X01"]


def with_column(table, name, values):
    return table.append_column(name, pa.array(values))


def test_honest_inputs(recommended):
    assert found(recommended, HONEST, ids=["user", "item"], time="time") == []


def test_the_label_itself(recommended):
    assert ("rating", "label_is_input") in found(recommended, [*HONEST, "rating"])


@pytest.mark.parametrize(
    "text",
    [
        "User {user} recommends item {item} with rating {rating}",
        "用户{user}给商品{item}打了{rating}分，{words}",
        '{{"stars": {rating}, "note": "{words}"}}',
        "{words} it was {word}",
        "{words}, that is code k{rating}7 for {item}",
    ],
)
def test_a_text_that_holds_the_label(recommended, text):
    rng, bag = np.random.default_rng(0), BAG
    spelled = ("zero", "one", "two", "three", "four", "five")
    texts = [
        text.format(**row, words=" ".join(rng.choice(bag, 6)), word=spelled[row["rating"]])
        for row in recommended.select(["user", "item", "rating"]).to_pylist()
    ]
    assert ("told", "label_in_text") in found(with_column(recommended, "told", texts), [*HONEST, "told"])


def test_a_text_that_holds_the_label_in_some_rows(recommended):
    rng, bag = np.random.default_rng(1), BAG
    ratings = recommended["rating"].to_pylist()
    texts = [" ".join(rng.choice(bag, 8)) + (f" rated {r}" if n % 12 == 0 else "") for n, r in enumerate(ratings)]
    assert ("told", "label_in_text") in found(with_column(recommended, "told", texts), [*HONEST, "told"])


def test_words_without_the_label(recommended):
    rng, bag = np.random.default_rng(1), [*BAG, "4", "3"]
    texts = [" ".join(rng.choice(bag, 8)) for _ in range(len(recommended))]
    assert found(with_column(recommended, "told", texts), [*HONEST, "told"]) == []


@pytest.mark.parametrize("kind", ["copy", "scaled", "noisy", "above", "code", "missing"])
def test_a_column_that_tells_the_label(recommended, kind):
    rng, rating = np.random.default_rng(2), np.asarray(recommended["rating"])
    values = {
        "copy": rating,
        "scaled": 100.0 - 7.5 * rating,
        "noisy": rating + rng.normal(0, 0.2, len(rating)),
        "above": rating >= 4,
        "code": [f"c{(r * 7) % 5}" for r in rating],
        "missing": [None if r >= 4 else float(rng.normal()) for r in rating],
    }[kind]
    assert found(with_column(recommended, "told", values), [*HONEST, "told"]) == [("told", "label_in_column")]


def test_two_columns_that_tell_it_together(recommended):
    one = np.random.default_rng(3).normal(0, 30, len(recommended))
    other = one + np.asarray(recommended["rating"])
    table = with_column(with_column(recommended, "one", one), "other", other)
    assert found(table, [*HONEST, "one", "other"]) == [("one", "label_in_pair")]


@pytest.mark.parametrize("left_out", [0, 1])
def test_the_mean_of_the_labels(recommended, left_out):
    item = np.asarray(recommended["item"].to_pylist(), dtype=int)
    rating = np.asarray(recommended["rating"], dtype=float)
    count, total = np.bincount(item), np.bincount(item, weights=rating)
    mean = (total[item] - left_out * rating) / np.maximum(1, count[item] - left_out)
    told = found(with_column(recommended, "mean", mean), [*HONEST, "mean"], ids=["item"])
    assert told in ([("mean", "label_mean")], [("mean", "label_in_column")])
    assert ("mean", "label_mean") in told or left_out


def test_what_the_owner_allows_and_too_few_rows(recommended):
    allowed = QualitySettings(checks={"X01": Target(allowed=("text",))}, disable=("X06",))
    assert check_training(recommended, label="rating", inputs=["text"], settings=allowed).findings.num_rows == 0
    assert found(recommended[:50], ["text"]) == []
    for wrong in ({"area": 0.4}, {"pair_area": 1.2}, {"coverage": 0.0}):
        with pytest.raises(SettingsError):
            Target(**wrong)
