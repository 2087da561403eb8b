"""Counts of a shop's alphabetic words in; what a mistyped one most likely was out, each with its log probability."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from mercer.understand.normalise import simplified, stem

__all__ = ["Alphabetic", "bigrams", "channel", "folded", "missing_words"]

_ACCENTED = re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LETTER = -math.log(11.0)
"""Log probability of one letter of a word that nobody has seen: English has about 3.5 bits a letter inside words."""
NEVER_SEEN = -4.0
"""Log probability that a shopper types a word that the shop has not."""
REAL = -3.0
"""The same for a word that is English: the shop may just not have it."""
BOUND = 0.7
"""Share of a bigram's own counts beside the word's frequency (Jelinek-Mercer smoothing)."""
DOUBT = 5.0
"""Added to a word's count where it gives a bigram's share: two words seen together once prove little."""
SLIP, OTHER, DOUBLED, FIRST, SPACE = 5.0, 7.0, 4.0, 1.5, 6.0
"""Costs in nats: a swap, loss, addition or keyboard neighbour; any other letter; a letter once or twice; one more
where the first letter is wrong; a space too many or too few."""
OFTEN = 5
"""Times that a word must have been asked for to be right although no title has it."""
LONGEST = 24
"""Letters; a longer word is no word."""


class Alphabetic:
    """Words of one shop and how they follow one another."""

    def __init__(self, titles: dict[str, int], texts: Mapping[str, int], asked: Mapping[str, int],
                 pairs: Mapping[str, int]) -> None:  # fmt: skip
        """Counts of words in titles and names, in longer text, in queries; and of "one other" in titles."""
        self.titles, self.texts, self.asked, self.pairs = titles, texts, asked, pairs
        self.total = sum(titles.values()) + sum(texts.values()) / 4 + sum(asked.values()) + 1.0
        self._stems = {_stem(word) for word in titles}
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for word in titles.keys() | {word for word, count in asked.items() if count >= OFTEN}:
            if 3 <= len(word) <= LONGEST and word.isalpha():
                self._by_length[len(word)].append(word)
        for group in self._by_length.values():
            group.sort()

    def known(self, word: str) -> bool:
        """Whether titles have it in any form; what shoppers ask for often counts too."""
        return word in self.titles or self.asked.get(word, 0) >= OFTEN or _stem(word) in self._stems

    def add(self, word: str) -> None:
        """One more title has it."""
        self.titles[word] = self.titles.get(word, 0) + 1
        self._stems.add(_stem(word))

    def frequency(self, word: str) -> float:
        """Log probability of a word; of one that the shop has not, by its letters."""
        count = self.titles.get(word, 0) + self.texts.get(word, 0) / 4
        asked = self.asked.get(word, 0)
        if count or asked >= OFTEN:  # what few have typed may be their mistake
            return math.log((count + asked) / self.total)
        unseen = NEVER_SEEN + LETTER * len(word)
        real = english().get(word)
        return unseen if real is None else max(unseen, REAL + real)

    def here(self, word: str, left: str, right: str) -> float:
        """Log probability of a word between its neighbours; "" where there is none."""
        alone = self.frequency(word)
        score = self._after(left, word, alone) if left else alone
        if right:
            beside = self.frequency(right)
            score += self._after(word, right, beside) - beside
        return score

    def _after(self, left: str, word: str, alone: float) -> float:
        together = self.pairs.get(f"{left} {word}", 0)
        share = together / (self.titles.get(left, 0) + DOUBT)
        return math.log((1 - BOUND) * math.exp(alone) + BOUND * share)

    def near(self, word: str) -> dict[str, float]:
        """Words of the shop within two edits, one where it is short, with what the slip costs."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        reach = 2 if len(word) > 5 else 1
        found: dict[str, float] = {}
        for length in range(len(word) - reach, len(word) + reach + 1):
            group = self._by_length.get(length, ())
            for other, _, _ in process.extract(word, group, scorer=OSA.distance, score_cutoff=reach, limit=40):
                if other != word:
                    found[other] = channel(word, other)
        return found

    def splits(self, word: str) -> Iterator[tuple[str, str]]:
        """Two words of the shop which the word may be, written together."""
        for place in range(2, len(word) - 1):
            left, right = word[:place], word[place:]
            if self.titles.get(left, 0) > 1 and self.titles.get(right, 0) > 1 and max(len(left), len(right)) > 2:
                yield left, right

    def joined(self, left: str, right: str) -> bool:
        """Whether two words are one of the shop's, which never has them side by side."""
        return (
            self.titles.get(left + right, 0) > 1
            and not self.pairs.get(f"{left} {right}")
            and not (self.known(left) and self.known(right) and min(len(left), len(right)) > 3)
        )


def folded(text: str) -> str:
    """Half-width, lower case, simplified, no accents on Latin letters, as words are counted.

    >>> folded("ＬＥＤ檯燈 Café")
    'led台灯 cafe'
    """
    text = simplified(unicodedata.normalize("NFKC", text).casefold())
    return text if text.isascii() else _ACCENTED.sub(lambda one: unicodedata.normalize("NFKD", one.group())[0], text)


def _stem(word: str) -> str:
    return stem(word.replace("’", "'").removesuffix("'s"))


def channel(typed: str, meant: str) -> float:
    """Cost in nats of typing one word for another: optimal string alignment with weighted edits.

    >>> channel("tennsi", "tennis") < channel("tennxs", "tennis")
    True
    """
    rows = [[0.0] * (len(meant) + 1) for _ in range(len(typed) + 1)]
    for i in range(len(typed) + 1):
        for j in range(len(meant) + 1):
            options = [] if i or j else [0.0]
            first = FIRST if min(i, j) <= 1 else 0.0
            if i:
                options.append(rows[i - 1][j] + _gap(typed, i) + first * (i == 1))
            if j:
                options.append(rows[i][j - 1] + _gap(meant, j) + first * (j == 1))
            if i and j:
                options.append(rows[i - 1][j - 1] + _letter(typed[i - 1], meant[j - 1]) * (1 if first == 0 else 1.2))
                if i > 1 and j > 1 and typed[i - 1] == meant[j - 2] and typed[i - 2] == meant[j - 1]:
                    options.append(rows[i - 2][j - 2] + SLIP)
            rows[i][j] = min(options)
    return rows[-1][-1]


def _gap(word: str, place: int) -> float:
    """A letter too many or too few; less where it repeats the one before."""
    return DOUBLED if place > 1 and word[place - 1] == word[place - 2] else SLIP


def _letter(typed: str, meant: str) -> float:
    if typed == meant:
        return 0.0
    return SLIP if meant in beside().get(typed, "") or (typed in "aeiou" and meant in "aeiou") else OTHER


@functools.cache
def beside() -> Mapping[str, str]:
    """Keys that touch each key."""
    place = {key: (x + row * 0.5, row) for row, keys in enumerate(ROWS) for x, key in enumerate(keys)}
    return {
        key: "".join(other for other, (u, v) in place.items() if other != key and abs(u - x) <= 1 and abs(v - y) <= 1)
        for key, (x, y) in place.items()
    }


@functools.cache
def english() -> Mapping[str, float]:
    """Log probability of 83,000 English words (symspellpy's list, from SCOWL and Google's n-grams); {} without it."""
    found = find_spec("symspellpy")
    if found is None or not found.submodule_search_locations:
        return {}
    path = Path(found.submodule_search_locations[0]) / "frequency_dictionary_en_82_765.txt"
    counts = {word: int(count) for word, _, count in (line.partition(" ") for line in _lines(path)) if count}
    total = math.log(sum(counts.values()) or 1)
    return {word: math.log(count) - total for word, count in counts.items() if count}


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8-sig").splitlines() if path.exists() else []


def missing_words() -> list[str]:
    """Packages without which alphabetic words are not corrected, or less well."""
    return [name for name in ("rapidfuzz", "symspellpy") if find_spec(name) is None]


def bigrams(tokens: list[str]) -> Iterator[str]:
    """Neighbours, as the table of pairs has them."""
    return (f"{left} {right}" for left, right in pairwise(tokens))
