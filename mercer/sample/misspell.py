"""A word in, the word as a hurried shopper types it out."""

from __future__ import annotations

import random
from collections.abc import Mapping

from mercer.sample.taxonomy import EN

__all__ = ["misspelt"]

LONG = 5
"""Letters from which an English word is likely to be mistyped."""


def misspelt(text: str, language: int, choose: random.Random, *, slips: Mapping[str, str]) -> str:
    """`text` with one slip: a letter dropped, doubled or swapped; in Chinese a character of the same sound.

    "" where no slip is likely.

    >>> misspelt("咖啡豆", 0, random.Random(1), slips={"咖啡": "咖非"})
    '咖非豆'
    """
    if language != EN:
        word = next((word for word in slips if word in text), "")
        return text.replace(word, slips[word], 1) if word else ""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= LONG and word.isalpha()]
    if not long:
        return ""
    place = choose.choice(long)
    word = words[place]
    at = choose.randrange(1, len(word) - 2)
    variants = [
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ]
    words[place] = next((variant for variant in choose.sample(variants, 3) if variant != word), word)
    return " ".join(words)
