"""A clause in; how good or bad its plain words are, and which aspects it speaks of, in Chinese and English, out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["ASPECTS", "Lexicon", "clauses", "lexicon"]

CLAUSE = re.compile(
    r"[,.;!?，。；！？、~～…\n\r]+|\s+(?:but|however|although|though|yet|and)\s+|但是|但|不过|可是|然而|就是"
)
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
BACK = 3
"""Words, or twice as many characters, before a word within which a negation turns it round."""
LONGEST = 4000
"""Characters that are read clause by clause."""


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("mercer.opinion").joinpath("lexicon.json").read_text("utf-8"))
    return found


ASPECTS: tuple[str, ...] = (
    "delivery", "quality", "price", "packaging", "service", "size", "appearance", "battery", "performance", "taste",
    "comfort",
)  # fmt: skip


def clauses(text: str) -> list[str]:
    """Pieces between marks and words that turn what is said.

    >>> clauses("物流很快，但是包装破了")
    ['物流很快', '包装破了']
    """
    return [part for found in CLAUSE.split(text[:LONGEST]) if (part := found.strip())]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word lists, as patterns for Han and as sets for words between blanks."""

    tone_han: re.Pattern[str]
    tone: Mapping[str, int]
    """Word or phrase → 1 or -1, in both languages."""
    phrases: re.Pattern[str]
    negation: frozenset[str]
    negation_han: re.Pattern[str]
    aspect_han: Mapping[str, re.Pattern[str]]
    aspect: Mapping[str, tuple[str, ...]]
    """English word → aspects."""
    names: Mapping[str, tuple[str, str]]
    """Aspect → its English and its Chinese name."""

    def score(self, clause: str) -> int:
        """Good words less bad ones of a clause in small letters; a negation turns the words after it round.

        >>> lexicon().score("质量不太好"), lexicon().score("not a good fit"), lexicon().score("很满意")
        (-1, -1, 1)
        """
        total = 0

        def counted(match: re.Match[str]) -> str:
            nonlocal total
            total += self.tone[match[0]]
            return " "

        rest = self.phrases.sub(counted, clause)
        for match in self.tone_han.finditer(rest):
            before = rest[max(0, match.start() - 2 * BACK) : match.start()]
            total += -self.tone[match[0]] if self.negation_han.search(before) else self.tone[match[0]]
        words = WORD.findall(rest)
        for place, word in enumerate(words):
            if word in self.tone:
                turned = any(one in self.negation or one.endswith("n't") for one in words[max(0, place - BACK) : place])
                total += -self.tone[word] if turned else self.tone[word]
        return total

    def aspects(self, clause: str) -> list[str]:
        """Aspects that a clause in small letters names, in the order of `ASPECTS`."""
        found = {aspect for word in WORD.findall(clause) for aspect in self.aspect.get(word, ())}
        found |= {aspect for aspect, pattern in self.aspect_han.items() if pattern.search(clause)}
        return [aspect for aspect in ASPECTS if aspect in found]


@cache
def lexicon() -> Lexicon:
    """The lists that come with Mercer (``lexicon.json``)."""
    said, aspects = _data()["sentiment"], _data()["aspects"]
    tone = {
        word: sign
        for sign, kind in ((1, "positive"), (-1, "negative"))
        for two in ("zh", "en")
        for word in said[kind][two]
    }
    phrases = {
        word: sign
        for sign, kind in ((1, "positive"), (-1, "negative"))
        for two in ("zh", "en")
        for word in said["phrases"][kind][two]
    }
    english: dict[str, list[str]] = {}
    for name in ASPECTS:
        for word in aspects[name]["en"]:
            english.setdefault(word, []).append(name)
    han = [word for kind in ("positive", "negative") for word in said[kind]["zh"]]
    return Lexicon(
        _any(han), {**tone, **phrases}, _any(phrases), frozenset(said["negation"]["en"]), _any(said["negation"]["zh"]),
        {name: _any(aspects[name]["zh"]) for name in ASPECTS}, {word: tuple(names) for word, names in english.items()},
        {name: tuple(aspects[name]["name"]) for name in ASPECTS},
    )  # fmt: skip


def _any(words: Any) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
