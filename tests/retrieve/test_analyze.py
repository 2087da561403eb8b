"""Words and pieces of any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.retrieve.analyze import LONGEST_TEXT, grams, normalise, words

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12)
ANY = st.text(st.characters(), max_size=60)


@given(ANY)
def test_no_text_raises_and_no_token_is_empty(text: str) -> None:
    for found in (words(text), grams(text)):
        assert all(token and not token.isspace() for token in found)


@given(ANY)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(ANY)
def test_tokens_do_not_depend_on_case_or_width(text: str) -> None:
    assert words(normalise(text)) == words(text)
    assert grams(normalise(text)) == grams(text)


@settings(max_examples=200)
@given(HAN, st.data())
def test_any_piece_of_a_han_title_is_among_its_tokens(title: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(title) - 1))
    piece = title[start : data.draw(st.integers(start + 1, len(title)))]
    for tokens in (words, grams):
        wanted, there = tokens(piece), tokens(title)
        places = range(len(there) - len(wanted) + 1)
        assert any(there[place : place + len(wanted)] == wanted for place in places), (piece, title)
    assert words(piece), "a single character is a word"


@pytest.mark.parametrize(
    ("query", "title"),
    [("檯燈", "台灯"), ("ＬＥＤ", "led"), ("Café", "cafe"), ("naïve", "NAIVE"), ("straße", "STRASSE"), ("①", "1"),
     ("shoes'", "shoe"), ("children’s", "children's"), ("㎏", "kg"), ("ﬁne", "fine"), ("ÅNGSTRÖM", "angstrom")],
)  # fmt: skip
def test_the_same_word_written_otherwise(query: str, title: str) -> None:
    assert words(query) == words(title)


@pytest.mark.parametrize(
    "text", ["เสื้อผ้า", "فستان أحمر", "красное платье", "빨간 드레스", "赤いドレス", "ह"], ids=lambda text: text
)
def test_other_scripts_have_words(text: str) -> None:
    assert words(text)


@pytest.mark.parametrize("text", ["", " ", "\x00\x01", "!?…", "😀👍🏽", "\ud800", "\u200b\u202e"])
def test_what_is_no_word_has_none(text: str) -> None:
    assert words(text) == []
    assert grams(text) == []


def test_a_huge_text_is_read_to_its_limit() -> None:
    assert len(words("词" * 1_000_000)) == LONGEST_TEXT
    assert len(words("a" * 1_000_000)) == 1
