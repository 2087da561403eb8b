"""Contrast pulls classes together, hidden pieces are learned, prompts read behind the mask, guesses are held back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mercer.encode.model import Model, read
from mercer.errors import DataError, ModelError, SettingsError
from mercer.learn.few_contrast import ContrastSettings, contrast, fit_contrasted
from mercer.learn.few_loop import loop
from mercer.learn.few_pretrain import PretrainSettings, pretrain
from mercer.learn.few_ways import drawn, right
from mercer.learn.prompt import PromptSettings, fit_prompted
from mercer.learn.self_train import SelfSettings, agreed
from mercer.learn.tower import build

TEXTS = ["red dress", "dress red", "red red dress", "phone charger", "charger phone", "phone phone charger"]
LABELS = ["dress"] * 3 + ["phone"] * 3


@pytest.fixture(scope="module")
def model(mask_piece: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Model:
    return read(mask_piece(tmp_path_factory.mktemp("masked")))


def apart(vectors: np.ndarray) -> float:
    """Mean cosine within classes less that across."""
    cosines, same = vectors @ vectors.T, np.array(LABELS)[:, None] == np.array(LABELS)
    return float(cosines[same].mean() - cosines[~same].mean())


def test_contrast_pulls_classes_together(model: Model) -> None:
    tower = build(model, length=32)
    before = apart(tower.encode(TEXTS, "query"))
    losses = contrast(tower, TEXTS, LABELS, ContrastSettings(least=40, most=40, lr=2e-3, batch=4))
    assert len(losses) == 40
    assert losses[-1] < losses[0]
    assert apart(tower.encode(TEXTS, "query")) > before + 0.1


def test_the_contrasted_head_knows_its_texts_and_repeats(model: Model) -> None:
    settings = ContrastSettings(least=20, most=20, lr=2e-3, batch=4)
    first, second = (fit_contrasted(model, TEXTS, LABELS, settings) for _ in range(2))
    assert [label for label, _ in first(TEXTS)] == LABELS
    assert np.allclose(first.probabilities(TEXTS), second.probabilities(TEXTS), atol=1e-5)


def test_one_class_is_refused(model: Model) -> None:
    with pytest.raises(DataError, match="1 classes"):
        contrast(build(model, length=32), ["a", "b"], ["x", "x"], ContrastSettings())


@pytest.mark.parametrize("kind", ["simcse", "masked"])
def test_further_pretraining_makes_its_loss_smaller(model: Model, kind: str) -> None:
    tower, losses = build(model, length=32), list[float]()
    settings = PretrainSettings(kind=kind, steps=40, lr=2e-3, batch=4)  # type: ignore[arg-type]
    head = pretrain(tower, [*TEXTS, "case for phone", "long sleeve"], settings, tick=lambda *at: losses.append(at[2]))
    assert np.mean(losses[-8:]) < np.mean(losses[:8])
    assert (head is None) == (kind == "simcse")


def test_a_model_without_a_mask_is_told(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match=r"has no piece \[MASK\]"):
        pretrain(build(read(tiny_bert), length=32), TEXTS, PretrainSettings(steps=1))


def test_a_prompt_learns_its_classes(model: Model) -> None:
    settings = PromptSettings(pretrain=5, least=60, most=60, lr=2e-3, batch=6, pattern="{text} [MASK]")
    names, prompted = fit_prompted(model, TEXTS, LABELS, settings, words={"phone": "charger"})
    said = prompted.probabilities(TEXTS)
    assert names == ["dress", "phone"]
    assert [names[at] for at in said.argmax(1)] == LABELS
    assert np.allclose(said.sum(1), 1, atol=1e-5)


def test_a_long_text_is_cut_and_the_pattern_is_not(model: Model) -> None:
    settings = PromptSettings(pretrain=0, passes=0, length=8)
    _, prompted = fit_prompted(model, TEXTS, LABELS, settings)
    (row,) = prompted.rows(["red " * 500])
    assert prompted.mask in row
    assert len(row) <= model.positions
    assert prompted.probabilities([]).shape == (0, 2)


def test_settings_that_cannot_be_are_refused() -> None:
    for make in (
        lambda: PromptSettings(pattern="{text} only"),
        lambda: ContrastSettings(lr=float("nan")),
        lambda: PretrainSettings(hidden=0.0),
        lambda: SelfSettings(confidence=2.0),
    ):
        with pytest.raises(SettingsError):
            make()


def test_a_loss_that_is_no_number_stops_the_loop(model: Model) -> None:
    tower = build(model, length=32)

    def broken(_: int) -> object:
        return next(tower.parameters()).sum() * float("nan")

    with pytest.raises(ModelError, match="loss became nan"):
        loop([(tower, 1e-3)], broken, steps=2, seed=1, cast=tower.cast)  # type: ignore[arg-type]


def test_only_sure_and_agreed_guesses_are_taken_and_evenly() -> None:
    both = np.array([[0.9, 0.1], [0.8, 0.2], [0.95, 0.05], [0.4, 0.6], [0.45, 0.55]], np.float32)
    other = both.copy()
    other[2] = [0.1, 0.9]
    settings = SelfSettings(confidence=0.5)
    assert agreed(both, [both, other], settings, most=4).tolist() == [0, 1, 3, 4]
    assert agreed(both, [both, other], settings, most=2).tolist() == [0, 3]
    assert agreed(both, [both, other], SelfSettings(confidence=0.7), most=4).tolist() == [0, 1]
    assert agreed(both, [both, other], SelfSettings(confidence=0.7, agreement=False), most=4).tolist() == [0, 2]


def test_draws_have_so_many_of_each_class_and_depend_on_the_seed() -> None:
    labels = ["a"] * 9 + ["b"] * 9 + ["c"]
    rows = drawn(labels, 2, seed=1)
    assert sorted(labels[row] for row in rows) == ["a", "a", "b", "b", "c"]
    assert rows.tolist() != drawn(labels, 2, seed=2).tolist()
    assert len(drawn(labels, 0, seed=1)) == 19


def test_a_class_nobody_learned_counts_as_wrong() -> None:
    found, guesses = right((["a", "b"], np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)), ["a", "z"])
    assert found.tolist() == [True, False]
    assert guesses == ["a", "b"]
