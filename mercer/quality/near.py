"""Texts in; which of them say the same but for order, marks, plurals or one more word out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from mercer.quality.slot import tokens

__all__ = ["bag", "families"]

LONGEST = 40
"""Words of a text beyond which one word more or less is not looked for."""
SHORTEST = 5
"""Words below which one word more or less makes another text."""


@lru_cache(maxsize=65_536)
def bag(text: str) -> tuple[str, ...]:
    """The words of a text in alphabetical order: no marks, no case, no plural s, traditional characters as they are.

    >>> bag("Mugs, RED!") == bag("red mug")
    True
    """
    plain = unicodedata.normalize("NFKC", text)
    found = [_singular(word) for word in tokens(plain) if any(letter.isalnum() for letter in word)]
    return tuple(sorted(word for word in found if word not in ("的", "the", "a")))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def shorter(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words less each one of them that is no number, where they are many enough; a Han character is half a word."""
    weight = sum(0.6 if len(word) == 1 and word > "\u33ff" else 1 for word in words)
    if weight >= SHORTEST and len(words) <= LONGEST:
        for place, word in enumerate(words):
            if not any(letter.isdigit() for letter in word):
                yield words[:place] + words[place + 1 :]


def families(texts: Sequence[str | None]) -> list[int | None]:
    """For each text the place of the first text of its family (itself, where it begins one); None for no words.

    Two texts are of one family when their bags are equal, or when one of many words has one word more.

    >>> families(["red mug", "mugs red", None, "blue mug"])
    [0, 0, None, 3]
    """
    whole: dict[tuple[str, ...], int] = {}
    less: dict[tuple[str, ...], int] = {}
    found: list[int | None] = []
    for place, text in enumerate(texts):
        words = bag(text or "")
        if not words:
            found.append(None)
            continue
        known = [*(whole[key] for key in (words, *shorter(words)) if key in whole), less.get(words, place)]
        found.append(min(known))
        whole.setdefault(words, found[-1] or 0)
        for key in shorter(words):
            less.setdefault(key, found[-1] or 0)
    return found
