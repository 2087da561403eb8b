"""Integrated gradients: what words add sums to the score, whatever the model, the text and the head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from mercer.encode import load
from mercer.encode.attribute import AttributeSettings, by_cosine, by_reranker
from mercer.encode.head import Head, open_judge
from mercer.encode.model import read
from mercer.errors import SettingsError

PAIRS = (("red dress", "a red dress. 12"), ("红色 连衣裙", "红色连衣裙 abc"), ("x", "充电器"))


@pytest.mark.parametrize(("query", "passage"), PAIRS)
def test_what_words_add_is_the_cosine_less_the_blank_text(tiny_bert: Path, query: str, passage: str) -> None:
    exact = AttributeSettings(steps=64, most=256, exact=1e-3)
    encoder = load(str(tiny_bert), engine="torch")
    wanted = float(encoder([query], side="query")[0] @ encoder([passage])[0])
    for one in by_cosine(read(tiny_bert), query, passage, settings=exact):
        assert one.score == pytest.approx(wanted, abs=1e-5)
        assert one.tokens
        total = sum(token.value for token in one.tokens)
        assert total == pytest.approx(one.score - one.base + one.gap, abs=1e-5)
        assert abs(one.gap) <= max(0.01 * abs(one.score - one.base), 1e-3)
        assert all(one.text[token.start : token.end] == token.text for token in one.tokens)


def test_pieces_of_a_word_are_one_and_han_characters_stand_alone(tiny_bert: Path) -> None:
    query, passage = by_cosine(read(tiny_bert), "red dress", "红色大 cup")
    assert [token.text for token in query.tokens] == ["red", "dress"]
    assert [token.text for token in passage.tokens] == ["红", "色", "大", "cup"]


def test_the_rerankers_log_odds_are_attributed(tiny_bert: Path, with_head: Callable[..., Path], tmp_path: Path) -> None:
    folder = with_head(tmp_path / "head", Head(length=24, scale=2.0, shift=0.5, match=3.0))
    exact = AttributeSettings(steps=64, most=256, exact=1e-3)
    query, passage = by_reranker(read(folder), "red dress", "a long red dress 123456789 " * 3, settings=exact)
    judge = open_judge(folder)
    outputs = judge.outputs(judge.tokens([query.text], [passage.text]))
    assert query.score == pytest.approx(2 * float(outputs[0, 0]) + 0.5, abs=1e-3)
    for one in (query, passage):
        assert sum(token.value for token in one.tokens) == pytest.approx(one.score - one.base, abs=0.02)
    assert passage.tokens[-1].end < len(passage.text), "what is cut off is not attributed"


def test_settings_that_cannot_be() -> None:
    with pytest.raises(SettingsError, match="steps is 1"):
        AttributeSettings(steps=1)
    with pytest.raises(SettingsError, match="exact is 0"):
        AttributeSettings(exact=0)
