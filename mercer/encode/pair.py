"""Texts, or pairs of texts, in; the word pieces and sides that a model with a head reads out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.encode.tokens import Tokens
from mercer.errors import UsageError

__all__ = ["PairTokens", "Pieces", "padded"]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Word pieces of one text or pair, marks included."""

    ids: tuple[int, ...]
    first: int
    """How many of them are the first text's, its marks included; the others are the second's."""

    def __len__(self) -> int:
        return len(self.ids)


class PairTokens:
    """``[CLS] first [SEP] second [SEP]`` as BERT was trained to read pairs (Devlin et al. 2018), or one text alone.

    No prefix is put before either. Of a pair that is too long the second text is cut, the first only beyond half.
    """

    def __init__(self, path: Path, *, length: int) -> None:
        """Read ``tokenizer.json``; `length` is the most word pieces of a text or pair, marks included.

        Raises:
            ModelError: the file is missing or no tokenizer.
        """
        self._tokens = Tokens(path, prefixes={}, max_length=length)
        self._length = length
        self._start, self._end = self._tokens([""], "")[0]

    @property
    def size(self) -> int:
        """Pieces in the vocabulary."""
        return self._tokens.size

    def __call__(self, first: Sequence[str], second: Sequence[str] | None = None) -> list[Pieces]:
        """Pieces of each text, or of each pair; a text that comes often is cut into pieces once.

        Raises:
            UsageError: not as many second texts as first ones.
        """
        if second is None:
            return [Pieces(tuple(ids), len(ids)) for ids in self._tokens(first, "")]
        if len(first) != len(second):
            raise UsageError(f"{len(first)} first texts, {len(second)} second ones", cure="give pairs")
        known = list(dict.fromkeys((*first, *second)))
        pieces = dict(zip(known, (ids[1:-1] for ids in self._tokens(known, "")), strict=True)) if known else {}
        return [self._joined(pieces[one], pieces[other]) for one, other in zip(first, second, strict=True)]

    def _joined(self, one: Sequence[int], other: Sequence[int]) -> Pieces:
        room = self._length - 3
        kept = one[: max(room - len(other), room // 2)]
        ids = (self._start, *kept, self._end, *other[: room - len(kept)], self._end)
        return Pieces(ids, len(kept) + 2)


def padded(rows: Sequence[Pieces]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Piece numbers, mask (1 where there is a piece) and side (1 in the second text), each (n, longest)."""
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask, side = np.zeros_like(ids), np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row.ids
        mask[place, : len(row)] = 1
        side[place, row.first : len(row)] = 1
    return ids, mask, side
