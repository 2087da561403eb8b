"""Queries typed otherwise: every way changes what it can, leaves the rest alone, and comes out the same by its seed."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest

pytest.importorskip("torch")

from mercer.errors import DataError, SettingsError
from mercer.learn.augment import WAYS, Augment, AugmentSettings
from mercer.learn.augment_rewrite import by_call, by_command
from mercer.learn.augmented import Augmented
from mercer.learn.pairs.pair import to_pairs
from mercer.learn.step import Steps, Task


def typed(way: str, text: str, **known: object) -> set[str]:
    augment = Augment((way,), **known)  # type: ignore[arg-type]
    return {augment(text, random.Random(seed)) for seed in range(60)}


def test_a_typo_is_one_letter_away() -> None:
    found = typed("typo", "red shoe")
    assert len(found) > 20
    assert all(abs(len(text) - len("red shoe")) <= 1 for text in found)
    assert "red shoe" not in found - {"red shoe"}
    assert {"连裙", "连衣"} & typed("typo", "连衣裙")


def test_words_are_lost_and_change_places() -> None:
    assert typed("drop", "big red shoe") == {"red shoe", "big shoe", "big red"}
    assert typed("drop", "red shoe") == {"red shoe"}, "of two words none is lost: another wish would be left"
    assert typed("order", "steel cup") == {"cup steel"}


def test_synonyms_are_whole_words() -> None:
    known = {"cup": ["mug"], "笔记本": ["手提电脑"]}
    assert typed("synonym", "steel cup", synonyms=known) == {"steel mug"}
    assert typed("synonym", "cupboard", synonyms=known) == {"cupboard"}
    assert typed("synonym", "新笔记本", synonyms=known) == {"新手提电脑"}


def test_han_characters_by_sound_and_script() -> None:
    pytest.importorskip("pypinyin")
    assert typed("homophone", "包", characters=frozenset("包胞饱大")) == {"胞", "饱"}
    assert "lianyi裙" in typed("pinyin", "连衣裙") or "连yiqun" in typed("pinyin", "连衣裙")
    assert typed("script", "连衣裙") == {"連衣裙"}
    assert typed("script", "連衣裙") == {"连衣裙"}
    assert typed("homophone", "cup") == typed("pinyin", "cup") == typed("script", "cup") == {"cup"}


def test_nothing_to_change_comes_back() -> None:
    for way in WAYS:
        assert typed(way, "12") == {"12"}
        assert typed(way, "") == {""}


def test_a_rewriter_is_a_call_or_a_command() -> None:
    assert by_call(["a b", "c"], lambda texts: [text.upper() for text in texts]) == {"a b": "A B", "c": "C"}
    script = "import sys; [print(line.strip()[::-1]) for line in sys.stdin]"
    said = by_command(["red cup", "aa"], f'{sys.executable} -c "{script}"')
    assert said == {"red cup": "puc der"}, "what comes back as it was says nothing new"
    assert typed("rewrite", "red cup", rewritten=said) == {"puc der"}
    with pytest.raises(DataError, match="1 lines of 2"):
        by_call(["a", "b"], lambda texts: texts[:1])
    with pytest.raises(SettingsError, match="no-such-command"):
        by_command(["a"], "no-such-command --now")


def test_settings_that_cannot_be() -> None:
    with pytest.raises(SettingsError, match="share is 2"):
        AugmentSettings(share=2)
    with pytest.raises(SettingsError, match="'smell'"):
        AugmentSettings(ways=("smell",))


def test_steps_keep_what_is_judged() -> None:
    rows = [
        (f"word{at} other{at} more", str(at), f"text {at}", 1.0, 1.0, str(at), None, "judgments", "") for at in range(8)
    ]
    steps = Steps([Task("judged", to_pairs(rows), ("contrastive",), 1.0, 1)], steps=6, passages=8, seed=4)
    one, other = (Augmented(steps, Augment(("typo",)), share=0.5, seed=3) for _ in range(2))
    changed = [a != b for step in range(6) for a, b in zip(one[step].queries, steps[step].queries, strict=True)]
    assert 0.2 < np.mean(changed) < 0.8
    assert [one[step].queries for step in range(6)] == [other[step].queries for step in reversed(range(6))][::-1]
    for step in range(6):
        np.testing.assert_array_equal(one[step].gains, steps[step].gains)
        assert one[step].passages == steps[step].passages
