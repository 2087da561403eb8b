"""Texts in; rows of weighted words and rows of weighted character pieces out, for Chinese and English alike."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import DataError, ModelError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["BLOCKS", "Counted", "Vocabulary", "count", "folded", "pieces", "plain", "words"]

LONGEST = 20_000
"""Characters of a text that are read: an opinion is said by then, and 1 MB of text is no reason to wait."""
URL = re.compile(r"https?://\S+|www\.\S+")
TICKER = re.compile(r"\$[a-z]{1,6}(?:\.[a-z])?\b")
NUMBER = re.compile(r"(?<![a-z0-9])\d[\d.,]*\d(?![a-z0-9])")
"""Of several digits and no part of a word: what '5 星' and 'x100v' say is not for a number in general to say."""
TOKEN = re.compile(r"\$?[^\W_]+(?:['.\-][^\W_]+)*|[%!?+]")
"""Words with their currency sign (tickers), and the marks that say how something is meant."""
HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
HAN_SIZES, LETTER_SIZES, GAPS = (1, 2, 3), (2, 3, 4, 5), (2, 3)


def plain(text: str) -> str:
    """NFKC, small letters, one word each for all links, tickers and longer numbers, at most `LONGEST` characters.

    >>> plain("Ｂuy $TSLA at 12.50 https://t.co/x")
    'buy $t at 00 url'
    """
    return NUMBER.sub("00", TICKER.sub("$t", folded(text)))


def folded(text: str) -> str:
    """NFKC, small letters, one word for every link: what two copies of a text share, figures and names included."""
    return URL.sub("url", unicodedata.normalize("NFKC", text[:LONGEST].replace("\ufeff", "")).lower())


def words(text: str) -> list[str]:
    """Words, runs of two and three, and pairs with one or two words between, of a `plain` text; no Han.

    >>> words("$t up 5%")
    ['$t', 'up', '5', '%', '$t up', 'up 5', '5 %', '$t up 5', 'up 5 %', '$t _ 5', 'up _ %', '$t _ %']
    """
    one = [word for word in TOKEN.findall(text) if not HAN.search(word)]
    two = [f"{a} {b}" for a, b in pairwise(one)]
    three = [f"{a} {b}" for a, b in zip(two, one[2:], strict=False)]
    apart = [f"{a} _ {b}" for gap in GAPS for a, b in zip(one, one[gap:], strict=False)]
    return one + two + three + apart


def pieces(text: str) -> list[str]:
    """Runs of one to three characters where there is Han, else of two to five inside each word with its edges.

    >>> pieces("很好 ok")
    ['很', '好', '很好', ' o', 'ok', 'k ', ' ok', 'ok ', ' ok ']
    """
    found: list[str] = []
    for token in text.split():
        sizes, run = (HAN_SIZES, token) if HAN.search(token) else (LETTER_SIZES, f" {token} ")
        for size in sizes:
            found += [run[at : at + size] for at in range(len(run) - size + 1)]
    return found


BLOCKS: Mapping[str, Callable[[str], list[str]]] = {"words": words, "pieces": pieces}


@dataclass(frozen=True, slots=True)
class Counted:
    """How often each feature stands in each text, before anything is learned."""

    counts: csr_matrix
    """(texts, features)."""
    names: NDArray[Any]
    """(features,)."""


def count(texts: Iterable[str], block: str) -> Counted:
    """Count the features of a block; learning comes afterwards, so a fold learns nothing of another."""
    from scipy.sparse import csr_matrix

    place: dict[str, int] = {}
    columns: list[int] = []
    data: list[int] = []
    ends = [0]
    for text in texts:
        row = Counter(BLOCKS[block](plain(text)))
        columns += [place.setdefault(name, len(place)) for name in row]
        data += row.values()
        ends.append(len(columns))
    counts = csr_matrix(
        (np.asarray(data, np.float32), np.asarray(columns, np.int32), ends), (len(ends) - 1, len(place))
    )
    return Counted(counts, np.array(list(place), dtype=object))


@dataclass(frozen=True)
class Vocabulary:
    """The features of one block that are known, and how rare each is: (1 + log count) × rarity, rows of length 1."""

    block: str
    names: tuple[str, ...]
    rarity: NDArray[np.float32]
    """log((1 + texts) / (1 + texts with it)) + 1."""

    def __post_init__(self) -> None:
        if self.block not in BLOCKS or len(self.names) != len(self.rarity):
            raise ModelError(f"{len(self.names)} features of block {self.block!r}", cure="train the head again")

    @classmethod
    def learn(cls, counted: Counted, rows: NDArray[np.int64], block: str, *, least: int, most: int) -> Vocabulary:
        """Features that stand in at least `least` of the `rows`, the `most` frequent at most."""
        return cls.chosen(counted, rows, block, least=least, most=most)[0]

    @classmethod
    def chosen(
        cls, counted: Counted, rows: NDArray[np.int64], block: str, *, least: int, most: int
    ) -> tuple[Vocabulary, NDArray[np.int64]]:
        """The vocabulary and the columns of `counted` that it is made of.

        Raises:
            DataError: no row.
        """
        if not len(rows):
            raise DataError("no text to learn words from", cure="give labelled texts")
        inside = counted.counts[rows]
        texts = np.bincount(inside.indices, minlength=len(counted.names))
        kept = np.flatnonzero(texts >= least)
        if len(kept) > most:
            kept = np.sort(kept[np.argsort(-texts[kept], kind="stable")[:most]])
        rarity = np.log((1 + len(rows)) / (1 + texts[kept])) + 1
        return cls(block, tuple(counted.names[kept].tolist()), rarity.astype(np.float32)), kept

    def weigh(self, counts: csr_matrix) -> csr_matrix:
        """(texts, features) counts of this vocabulary's features → weighted rows of length 1, or of 0 for none."""
        from scipy.sparse import diags

        rows = counts.astype(np.float32).tocsr(copy=True)
        rows.data = 1 + np.log(rows.data)
        rows = rows @ diags(self.rarity)
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel())
        found: csr_matrix = (diags(1 / np.where(lengths > 0, lengths, 1)) @ rows).tocsr().astype(np.float32)
        return found

    def __call__(self, texts: Sequence[str]) -> csr_matrix:
        """(texts, features) float32; features that are not known are left out."""
        from scipy.sparse import csr_matrix

        place = self._places()
        columns: list[int] = []
        data: list[int] = []
        ends = [0]
        analyse = BLOCKS[self.block]
        for text in texts:
            row = Counter(at for name in analyse(plain(text)) if (at := place.get(name)) is not None)
            columns += row
            data += row.values()
            ends.append(len(columns))
        shape = (len(texts), len(self.names))
        return self.weigh(csr_matrix((np.asarray(data, np.float32), np.asarray(columns, np.int32), ends), shape))

    def _places(self) -> dict[str, int]:
        known: dict[str, int] | None = self.__dict__.get("_known")
        if known is None:
            known = {name: at for at, name in enumerate(self.names)}
            self.__dict__["_known"] = known  # worked out once: a frozen record has no other place for it
        return known
