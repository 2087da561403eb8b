"""Classification measures against brute force and worked examples."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import RequestError
from mercer.measure.classify import accuracy, auc, f1, precision, recall

TRUTH = ["a", "a", "a", "b", "b", "c"]
SAID = ["a", "a", "b", "b", "c", "a"]


def test_by_hand() -> None:
    assert precision(TRUTH, SAID) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert recall(TRUTH, SAID) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert f1(TRUTH, SAID) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert accuracy(TRUTH, SAID) == pytest.approx(3 / 6)


@pytest.mark.parametrize("measure", [precision, recall, f1])
def test_micro_is_accuracy_with_one_label_a_row(measure) -> None:
    assert measure(TRUTH, SAID, average="micro") == pytest.approx(accuracy(TRUTH, SAID))


def test_a_class_never_said_counts_nothing() -> None:
    assert precision(["a", "b"], ["a", "a"]) == pytest.approx(0.25)
    assert recall(["a", "a"], ["a", "b"]) == pytest.approx(0.25)


rows = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=30)


@given(rows)
def test_macro_f1_is_the_mean_of_harmonic_means(pairs: list[tuple[str, str]]) -> None:
    truth, said = [a for a, _ in pairs], [b for _, b in pairs]
    values = []
    for label in set(truth) | set(said):
        right = sum(a == b == label for a, b in pairs)
        p = right / said.count(label) if label in said else 0.0
        r = right / truth.count(label) if label in truth else 0.0
        values.append(2 * p * r / (p + r) if p + r else 0.0)
    assert f1(truth, said) == pytest.approx(sum(values) / len(values))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_auc_counts_ordered_pairs(pairs: list[tuple[bool, int]]) -> None:
    up = [score for flag, score in pairs if flag]
    down = [score for flag, score in pairs if not flag]
    flags, scores = [flag for flag, _ in pairs], [score for _, score in pairs]
    if not up or not down:
        with pytest.raises(RequestError, match="at least one of each"):
            auc(flags, scores)
        return
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(up, down)]
    assert auc(flags, scores) == pytest.approx(sum(wins) / len(wins))


@pytest.mark.parametrize(("truth", "said"), [([], []), (["a"], ["a", "b"])], ids=["nothing", "lengths differ"])
def test_refused(truth: list, said: list) -> None:
    with pytest.raises(RequestError):
        f1(truth, said)


def test_refused_average_and_auc() -> None:
    with pytest.raises(RequestError, match="macro or micro"):
        f1(["a"], ["a"], average="weighted")  # type: ignore[arg-type]
    with pytest.raises(RequestError):
        auc([0, 2], [1, 2])
    with pytest.raises(RequestError):
        auc([0, 1], [1, float("nan")])
    with pytest.raises(RequestError):
        auc([0, 1], [1, 2, 3])
