"""Texts in; which of them say the same, or nearly the same, as an earlier one, with counts, out (T09)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.errors import MissingExtra
from mercer.opinion.grams import folded
from mercer.quality.alike import pairs, pieces
from mercer.quality.alike import plain as letters

__all__ = ["Distinct", "distinct", "key"]

ALIKE = 0.8
"""Jaccard of pieces from which two texts are copies of each other, as C03 takes for products."""
SHORTEST = 12
"""Pieces below which only equal texts are copies: short praise is alike without being copied."""


@dataclass(frozen=True, slots=True)
class Distinct:
    """Groups of one text each."""

    first: NDArray[np.int64]
    """(texts,) place of the first text that says the same letter by letter but for marks, case and links."""
    group: NDArray[np.int64]
    """(texts,) place of the first text that says nearly the same."""
    near: bool
    """Whether near copies were looked for; needs the package rensa."""

    @property
    def copies(self) -> int:
        return int((self.first != np.arange(len(self.first))).sum())

    @property
    def near_copies(self) -> int:
        return int((self.group != np.arange(len(self.group))).sum()) - self.copies


def key(text: str) -> str:
    """A hash of the letters and digits of a text, which marks, case, width and links do not change."""
    found = letters(folded(text)).replace(" ", "") or text.strip()
    return hashlib.blake2b(found.encode(errors="replace"), digest_size=12).hexdigest()


def distinct(texts: Sequence[str], *, near: bool = True) -> Distinct:
    """Group texts that are copies of each other.

    >>> distinct(["Good!", "good", "bad"], near=False).first.tolist()
    [0, 0, 2]
    """
    known: dict[str, int] = {}
    first = np.array([known.setdefault(key(text), place) for place, text in enumerate(texts)], np.int64)
    group = first.copy()
    if near:
        held = sorted(known.values())
        sets = [pieces(letters(folded(texts[place]))) for place in held]
        try:
            met = list(pairs([one if len(one) >= SHORTEST else frozenset() for one in sets], ALIKE))
        except MissingExtra:
            return Distinct(first, group, near=False)
        root = {place: place for place in held}

        def top(place: int) -> int:
            while root[place] != place:
                root[place] = root[root[place]]
                place = root[place]
            return place

        for one, other, _ in met:
            low, high = sorted((top(held[one]), top(held[other])))
            root[high] = low
        group = np.array([top(int(place)) for place in first], np.int64)
    return Distinct(first, group, near)
