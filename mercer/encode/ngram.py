"""Texts in; one sparse row of weighted words and character n-grams a text out, in Chinese as in English."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import DataError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Ngrams", "grams"]

RUN = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff]+)|([^\W_]+(?:'[^\W_]+)?)|([?!？！])")
"""Han and kana runs, words, and the two marks that say how something is meant."""
HAN = (1, 2, 3)
"""Lengths of the n-grams of a Han run: most Chinese words have one or two characters."""
LETTERS = (3, 4)
"""Lengths of the n-grams inside a word, which forgive its endings and slips of the key."""


def grams(text: str) -> list[str]:
    """Features of a text: words, pairs of words, pieces of words, and pieces of Han runs.

    >>> grams("Card lost")
    ['card', '#_ca', '#car', '#ard', '#rd_', '#_car', '#card', '#ard_', 'lost', ..., 'card lost']
    >>> grams("很好!")
    ['很', '好', '很好', '!']
    """
    found: list[str] = []
    before = ""
    for match in RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        han, word, mark = match.groups()
        if han:
            found += [han[at : at + size] for size in HAN for at in range(len(han) - size + 1)]
            before = ""
        elif mark:
            found.append(mark)
        else:
            found.append(word)
            edged = f"_{word}_"
            found += [f"#{edged[at : at + size]}" for size in LETTERS for at in range(len(edged) - size + 1)]
            if before:
                found.append(f"{before} {word}")
            before = word
    return found


@dataclass(frozen=True)
class Ngrams:
    """What features are counted, and how much each says: log(1 + count) times its rarity, rows of length 1."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    """log((1 + texts) / (1 + texts with it)) + 1 of each (scikit-learn's smooth idf)."""

    def __post_init__(self) -> None:
        if len(self.names) != len(self.weights):
            raise DataError(f"{len(self.names)} features, {len(self.weights)} weights", cure="train the head again")

    @classmethod
    def fit(cls, texts: Iterable[str], *, least: int = 1, most: int = 200_000) -> Ngrams:
        """Learn which features there are: those in at least `least` texts, the `most` frequent at most."""
        seen: Counter[str] = Counter()
        number = 0
        for text in texts:
            seen.update(set(grams(text)))
            number += 1
        kept = sorted((-count, name) for name, count in seen.items() if count >= least)[:most]
        idf = tuple(round(math.log((1 + number) / (1 - count)) + 1, 5) for count, _ in kept)
        return cls(tuple(name for _, name in kept), idf)

    def __call__(self, texts: Sequence[str]) -> csr_matrix:
        """(n, features) float32; features never seen in training are left out, a text without any is a row of 0."""
        from scipy.sparse import csr_matrix

        place = self._places()
        data: list[float] = []
        columns: list[int] = []
        ends = [0]
        for text in texts:
            counts = Counter(place[name] for name in grams(text) if name in place)
            row = {at: (1 + math.log(count)) * self.weights[at] for at, count in counts.items()}
            length = math.sqrt(sum(value * value for value in row.values())) or 1.0
            columns += row
            data += [value / length for value in row.values()]
            ends.append(len(columns))
        shape = (len(texts), len(self.names))
        return csr_matrix((np.asarray(data, np.float32), np.asarray(columns, np.int32), ends), shape=shape)

    def _places(self) -> dict[str, int]:
        known: dict[str, int] | None = self.__dict__.get("_known")
        if known is None:
            known = {name: at for at, name in enumerate(self.names)}
            self.__dict__["_known"] = known  # worked out once: a frozen record has no other place for it
        return known

    def to_json(self) -> dict[str, Any]:
        """Names and weights, in their order."""
        return {"names": list(self.names), "weights": list(self.weights)}

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> Ngrams:
        """What `to_json` gave."""
        return cls(tuple(map(str, told["names"])), tuple(map(float, told["weights"])))
