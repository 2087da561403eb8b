"""Names of metrics, gains and worked examples."""

from __future__ import annotations

import math

import pytest

from mercer.errors import RequestError
from mercer.measure.metric import Scores, known, parse, parse_gains

ESCI = {3: 1.0, 2: 0.1, 1: 0.01, 0: 0.0}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nDCG@10", "nDCG@10"),
        ("NDCG@10", "nDCG@10"),
        (" p@5 ", "Precision@5"),
        ("R@100", "Recall@100"),
        ("Success@1", "HR@1"),
        ("rr", "MRR"),
        ("AP(rel=2)@7", "MAP(rel=2)@7"),
    ],
)
def test_spellings(text: str, name: str) -> None:
    assert parse(text).name == name


@pytest.mark.parametrize(
    "text", ["nDCG@0", "nDCG@-1", "nDCG@", "nDCG@ten", "nDCG@1.5", "@10", "", "nDCG@10@5", "MRR(rel=x)@3"]
)
def test_refused_names_say_what_was_seen(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(text)
    assert repr(text) in caught.value.problem
    assert caught.value.cure


def test_nearest_name_is_offered() -> None:
    with pytest.raises(RequestError, match="did you mean Recall"):
        parse("recal@10")


@pytest.mark.parametrize("text", ["", "3", "3=x", "3=1,3=2", "a=1", "3=-1", "3=inf", "3=nan"])
def test_refused_gains(text: str) -> None:
    with pytest.raises(RequestError):
        parse_gains(text)


def test_a_grade_without_a_gain_is_refused() -> None:
    with pytest.raises(RequestError, match="add 4=GAIN"):
        parse("nDCG@10", gains=ESCI)({"q": ["a"]}, {"q": {"a": 4}})


def test_esci_gains_by_hand() -> None:
    ranking, judged = ["s", "x", "e", "c"], {"e": 3, "s": 2, "c": 1, "i": 0}
    dcg = 0.1 / 1 + 1.0 / 2 + 0.01 / math.log2(5)
    best = 1.0 + 0.1 / math.log2(3) + 0.01 / 2
    assert parse("nDCG@10", gains=ESCI)({"q": ranking}, {"q": judged}).mean == pytest.approx(dcg / best)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Recall@3", 2 / 3),
        ("Precision@3", 2 / 3),
        ("Precision@10", 3 / 10),
        ("F1@10", 2 * 0.3 * 1 / 1.3),
        ("MRR@10", 1 / 2),
        ("MRR@1", 0.0),
        ("MAP@10", (1 / 2 + 2 / 3 + 3 / 5) / 3),
        ("MAP@3", (1 / 2 + 2 / 3) / 3),
        ("HR@1", 0.0),
        ("HR@2", 1.0),
        ("Recall(rel=2)@2", 0.5),
    ],
)
def test_by_hand(name: str, value: float) -> None:
    truth = {"q": {"a": 1, "b": 2, "c": 3 - 1, "x": 0}}
    truth["q"]["b"] = 2
    assert parse(name)({"q": ["x", "c", "a", "y", "b"]}, truth).mean == pytest.approx(value)


def test_mean_of_nothing_is_not_a_number() -> None:
    assert math.isnan(Scores().mean)


def test_a_new_metric_is_one_new_file() -> None:
    import pkgutil

    import mercer.measure.metrics as package

    assert len(list(pkgutil.iter_modules(package.__path__))) == len(known())
