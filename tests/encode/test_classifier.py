"""A head says the same after it was kept, refuses another encoder, and sees Chinese as well as English."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mercer.encode.classifier import Classifier, View, open_classifier
from mercer.encode.ngram import Ngrams, grams
from mercer.errors import ModelError

FILE, WEIGHTS = "classifier.json", "classifier.npz"


class Letters:
    """An encoder of how often each letter stands in a text."""

    name = "letters"
    dimension = 26
    engine = "none"

    def __call__(
        self, texts: Iterable[str], *, side: str = "passage", tick: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        rows = np.array([[text.count(chr(97 + at)) + 0.01 for at in range(26)] for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def small() -> Classifier:
    ngrams = Ngrams.fit(["屏幕很好", "物流太慢", "screen is great", "slow delivery"])
    rng = np.random.default_rng(1)
    views = {
        "vectors": View(rng.normal(size=(26, 3)).astype(np.float32), np.zeros(3, np.float32), 0.5),
        "ngrams": View(rng.normal(size=(len(ngrams.names), 3)).astype(np.float32), np.zeros(3, np.float32), 2.0),
    }
    return Classifier(["a", "b", "c"], views, encoder=Letters(), ngrams=ngrams)


TEXTS = ["屏幕 好", "delivery slow", "", "!!!", "ＧＲＥＡＴ screen"]


def test_what_is_kept_says_the_same(tmp_path: Path) -> None:
    before = small()
    before.save(tmp_path / "new")
    after = open_classifier(tmp_path / "new", encoder=Letters())
    assert np.array_equal(before.probabilities(TEXTS), after.probabilities(TEXTS))
    assert before(TEXTS) == after(TEXTS)
    assert np.allclose(after.probabilities(TEXTS).sum(1), 1, atol=1e-6)


def test_views_add_up_and_can_be_asked_alone() -> None:
    head = small()
    both = 0.5 * head.logits(TEXTS, view="vectors") + 2 * head.logits(TEXTS, view="ngrams")
    assert np.allclose(head.logits(TEXTS), both, atol=1e-5)
    known = Letters()(TEXTS)
    assert np.array_equal(head.probabilities(TEXTS, vectors=known), head.probabilities(TEXTS))


def test_no_text_is_no_error() -> None:
    assert small().probabilities([]).shape == (0, 3)
    assert small()([]) == []


def test_another_encoder_or_none_is_refused(tmp_path: Path) -> None:
    small().save(tmp_path)

    class Other(Letters):
        name = "other"

    for encoder in (None, Other()):
        with pytest.raises(ModelError, match="stands on encoder letters"):
            open_classifier(tmp_path, encoder=encoder)


@pytest.mark.parametrize("broken", ["no json", "no weights", "other weights", "half json"])
def test_a_damaged_folder_is_told(tmp_path: Path, broken: str) -> None:
    small().save(tmp_path)
    if broken == "no json":
        (tmp_path / FILE).unlink()
    elif broken == "no weights":
        (tmp_path / WEIGHTS).unlink()
    elif broken == "other weights":
        (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:-3] + b"abc")
    else:
        (tmp_path / FILE).write_text('{"labels": ["a"]}', "utf-8")
    with pytest.raises(ModelError):
        open_classifier(tmp_path, encoder=Letters())


def test_a_view_without_what_it_looks_through_is_refused() -> None:
    view = View(np.zeros((26, 2), np.float32), np.zeros(2, np.float32))
    with pytest.raises(ModelError, match="nothing to look through"):
        Classifier(["a", "b"], {"vectors": view})
    with pytest.raises(ModelError, match="at least two"):
        Classifier(["a"], {"vectors": view}, encoder=Letters())
    with pytest.raises(ModelError, match="for 3 classes"):
        Classifier(["a", "b", "c"], {"vectors": view}, encoder=Letters())


def test_grams_see_words_pieces_and_han() -> None:
    assert {"很", "好", "很好"} <= set(grams("很好"))
    assert {"lost card", "card", "#car"} <= set(grams("Lost CARD"))
    assert "好 card" not in grams("好card")
    assert grams("  ") == []


def test_rows_have_length_one_and_rare_says_more() -> None:
    ngrams = Ngrams.fit(["a b", "a c", "a d"])
    rows = ngrams(["a b", "z"])
    assert np.allclose(np.asarray(rows.multiply(rows).sum(1)).ravel(), [1, 0], atol=1e-6)
    weight = dict(zip(ngrams.names, ngrams.weights, strict=True))
    assert weight["b"] > weight["a"]
