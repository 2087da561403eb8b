"""Titles in; queries that somebody might type for them out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator

__all__ = ["invent"]

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:[-'’.][^\W_\u3400-\u9fff]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
LONGEST = 5
"""Words of an invented query; Chinese ones have up to twice as many characters."""


def invent(titles: Iterable[str], *, most: int, seed: int) -> list[str]:
    """Up to `most` different queries, each one or two runs of neighbouring words of a title, in either order.

    >>> set(invent(["Nord steel cup"], most=3, seed=7)[0].split()) <= {"Nord", "steel", "cup"}
    True
    """
    rng, held = random.Random(f"invent {seed}"), [units for title in titles if (units := _units(title))]
    found: dict[str, None] = {}
    for _ in range(3 * most if held else 0):
        if len(found) >= most:
            break
        units = held[rng.randrange(len(held))]
        runs = [_run(units, rng) for _ in range(1 if rng.random() < 0.6 else 2)]
        found["".join(_spaced(piece for run in runs for piece in run)).strip()] = None
    return list(found)


def _units(title: str) -> list[str]:
    """Words, and single Chinese characters."""
    return [str(unit) for unit in _UNIT.findall(title)]


def _run(units: list[str], rng: random.Random) -> list[str]:
    longest = 2 * LONGEST if _HAN.match(units[len(units) // 2]) else LONGEST
    number = min(len(units), rng.randint(1, longest))
    start = rng.randint(0, len(units) - number)
    return units[start : start + number]


def _spaced(pieces: Iterable[str]) -> Iterator[str]:
    """A blank between words, none between Chinese characters."""
    before = ""
    for piece in pieces:
        if before and not (_HAN.match(piece) and _HAN.match(before)):
            yield " "
        yield piece
        before = piece
