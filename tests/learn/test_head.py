"""A head learns from few texts, chooses its strength on texts it did not see, and says how sure it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from mercer.errors import DataError, SettingsError
from mercer.learn.head import HeadSettings, fit_head

WORDS = {
    "late": ["delivery", "slow", "wait", "days"],
    "broken": ["cracked", "screen", "dead", "faulty"],
    "质量": ["很好", "舒服", "满意", "不错"],
}


def texts(number: int, seed: int = 0) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    labels = [list(WORDS)[at % 3] for at in range(number)]
    said = [" ".join([*rng.choice(WORDS[label], 2), rng.choice(["the", "a", "we", "了"])]) for label in labels]
    return said, labels


class Hashed:
    """An encoder that throws words into 16 boxes."""

    name = "hashed"
    dimension = 16
    engine = "none"

    def __call__(
        self, given: Iterable[str], *, side: str = "passage", tick: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        rows = []
        for text in given:
            row = np.full(16, 0.01)
            for word in text.split():
                row[sum(word.encode()) % 16] += 1
            rows.append(row / np.linalg.norm(row))
        return np.array(rows, np.float32)


@pytest.mark.parametrize("views", [("vectors",), ("ngrams",), ("vectors", "ngrams")])
def test_unseen_texts_are_told_apart(views: tuple[str, ...]) -> None:
    head = fit_head(*texts(60), encoder=Hashed(), settings=HeadSettings(views=views))
    said, wanted = texts(30, seed=9)
    right = np.mean([label == answer for (label, _), answer in zip(head(said), wanted, strict=True)])
    assert right > 0.9
    assert set(head.views) == set(views)


def test_one_text_a_class_is_enough_to_fit() -> None:
    said, labels = texts(3)
    head = fit_head(said, labels, encoder=Hashed())
    assert [label for label, _ in head(said)] == labels


def test_two_classes_have_chances_that_sum_to_one() -> None:
    head = fit_head(
        ["good", "bad", "fine good", "bad poor"], ["1", "0", "1", "0"], settings=HeadSettings(views=("ngrams",))
    )
    chances = head.probabilities(["good", "poor", "nothing known"])
    assert chances[0, 1] > 0.5 > chances[1, 1]
    assert np.allclose(chances.sum(1), 1, atol=1e-6)


def test_weights_count() -> None:
    said, labels = ["same", "same"], ["a", "b"]
    head = fit_head(said, labels, settings=HeadSettings(views=("ngrams",)), weights=[1, 9])
    assert head(["same"])[0][0] == "b"


def test_noise_makes_the_head_unsure() -> None:
    """With labels drawn by chance the calibrated chances stay near even."""
    said, _ = texts(90)
    labels = np.random.default_rng(3).choice(["x", "y"], 90).tolist()
    head = fit_head(said, labels, encoder=Hashed())
    assert head.probabilities(texts(30, seed=4)[0]).max() < 0.8


def test_wrong_input_is_told() -> None:
    with pytest.raises(DataError, match="1 class"):
        fit_head(["a", "b"], ["x", "x"], settings=HeadSettings(views=("ngrams",)))
    with pytest.raises(DataError, match="2 texts, 1 labels"):
        fit_head(["a", "b"], ["x"], settings=HeadSettings(views=("ngrams",)))
    with pytest.raises(SettingsError, match="no encoder"):
        fit_head(["a", "b"], ["x", "y"])
    with pytest.raises(SettingsError, match="views"):
        HeadSettings(views=("pictures",))
    with pytest.raises(SettingsError, match="strength"):
        HeadSettings(strength=float("nan"))
