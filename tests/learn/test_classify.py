"""Heads for texts: any number of classes, a chance, a rating, from a few labelled texts."""

import numpy as np
import pytest

pytest.importorskip("torch")

from mercer.encode import EncodeSettings
from mercer.encode.head import open_judge
from mercer.encode.model import read
from mercer.errors import DataError
from mercer.learn.classify import tune_classifier
from mercer.learn.lists import Examples, TextLists
from mercer.learn.settings import LearnSettings

SETTINGS = LearnSettings(steps=60, batch=8, evaluations=3, dropout=0.0, lr=1e-3, length=24, seed=5, patience=9)
TEXTS = [f"{word} {number}" for word in ("red", "cup", "phone") for number in range(8)]
KINDS = [place // 8 for place in range(24)]
TORCH = EncodeSettings(engine="torch", threads=1)


def halves(targets):
    train, valid = ([at for at in range(24) if (at % 4 == 0) == held] for held in (False, True))
    return tuple(Examples([TEXTS[at] for at in rows], [targets[at] for at in rows]) for rows in (train, valid))


def test_classes_are_learned(tiny_bert, tmp_path):
    train, valid = halves(KINDS)
    names = ("colour", "dish", "device")
    tuned = tune_classifier(
        read(tiny_bert), train, SETTINGS, folder=tmp_path / "m", work=tmp_path / "w", labels=names, valid=valid
    )
    assert tuned.best > 0.9
    judge = open_judge(tmp_path / "m", settings=TORCH)
    assert judge.head.labels == names
    assert judge.probabilities(["cup 9", "phone 3", "red 1"]).argmax(1).tolist() == [1, 2, 0]


def test_a_chance_is_learned(tiny_bert, tmp_path):
    train, valid = halves([float(kind == 1) for kind in KINDS])
    tuned = tune_classifier(
        read(tiny_bert), train, SETTINGS, folder=tmp_path / "m", work=tmp_path / "w", kind="relevance", valid=valid
    )
    assert tuned.best > 0.9
    chance = open_judge(tmp_path / "m", settings=TORCH).probabilities(["cup 9", "red 1"])[:, 0]
    assert chance[0] > 0.6 > 0.4 > chance[1]


def test_a_rating_is_learned(tiny_bert, tmp_path):
    train, valid = halves([(4.5, 1.5, 3.0)[kind] for kind in KINDS])
    tuned = tune_classifier(
        read(tiny_bert), train, SETTINGS, folder=tmp_path / "m", work=tmp_path / "w", kind="rating", valid=valid
    )
    assert tuned.best > 0.7
    said = open_judge(tmp_path / "m", settings=TORCH)(["red 9", "cup 1", "phone 3"])[:, 0]
    assert said == pytest.approx([4.5, 1.5, 3.0], abs=0.8)


def test_each_text_comes_once_an_epoch():
    dealt = TextLists(Examples(TEXTS, KINDS), steps=7, batch=8, seed=1)
    first = [text for step in range(3) for text in dealt[step].first]
    assert sorted(first) == sorted(TEXTS)
    assert first != TEXTS
    assert dealt[6].first == TextLists(Examples(TEXTS, KINDS), steps=9, batch=8, seed=1)[6].first
    odd = TextLists(Examples(TEXTS[:5], KINDS[:5]), steps=5, batch=3, seed=1)
    assert sorted(text for step in range(5) for text in odd[step].first) == sorted(TEXTS[:5] * 3)


def test_what_cannot_be_learned_is_refused(tiny_bert, tmp_path):
    where = {"folder": tmp_path / "m", "work": tmp_path / "w"}
    for examples, said in ((Examples([], []), "no text"), (Examples(["a"], [7]), "target 7 is none of 2 classes")):
        with pytest.raises(DataError, match=said):
            tune_classifier(read(tiny_bert), examples, SETTINGS, **where, labels=("a", "b"))
    with pytest.raises(DataError, match="2 texts, 1 targets"):
        Examples(["a", "b"], [1])
    with pytest.raises(DataError, match="finite"):
        Examples(["a"], [np.nan])
