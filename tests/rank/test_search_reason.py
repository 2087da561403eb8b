"""The sentence under a hit."""

import pytest

from mercer.rank.reason import search_reason


@pytest.mark.parametrize(
    ("terms", "chinese", "said"),
    [
        (["红", "连衣裙"], True, "含有“红”“连衣裙”"),
        ([], False, "Close in meaning"),
        (["<b>"], False, "Has “<b>”"),
    ],
)
def test_it_names_words_or_says_that_there_are_none(terms: list[str], chinese: bool, said: str) -> None:
    assert search_reason(terms, chinese=chinese) == said
