"""What was asked before and is asked now in; how queries changed out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from mercer.encode.language import language_of
from mercer.watch.change import kinds, numbers, told_apart
from mercer.watch.drift import Question
from mercer.watch.slices import normal

__all__ = ["compared", "words"]

TOKEN = re.compile(r"[^\W_]+")
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


def words(text: str) -> list[str]:
    """Words of a text; of Chinese, pairs of characters.

    >>> words("Red 连衣裙 42")
    ['red', '连衣', '衣裙', '42']
    """
    found = []
    for token in TOKEN.findall(text.casefold()):
        if HAN.search(token) and len(token) > 1:
            found += [token[place : place + 2] for place in range(len(token) - 1)]
        else:
            found.append(token)
    return found


def compared(
    before: Sequence[str], now: Sequence[str], *, known: Sequence[str], empty: tuple[Sequence[bool], Sequence[bool]]
) -> Iterator[Question]:
    """Length, language, unknown words, which queries, and questions that found nothing.

    Args:
        before, now: queries, as often as they were asked.
        known: texts whose words a query may use: titles, and queries of before.
        empty: of each answer then and now, whether it had nothing; either may be empty.
    """
    yield Question("queries", "length", lambda: numbers([len(one) for one in before], [len(one) for one in now]))
    yield Question(
        "queries", "words", lambda: numbers([len(words(one)) for one in before], [len(words(one)) for one in now])
    )
    yield Question("queries", "language", lambda: kinds(list(map(language_of, before)), list(map(language_of, now))))
    vocabulary = {word for text in known for word in words(text)}
    # a half of what was asked before stands for what is unknown by chance: its own words must not make it known
    half = len(before) // 2
    seen = vocabulary | {word for text in before[:half] for word in words(text)}
    strange = partial(_strange, seen)
    yield Question("queries", "unknown words", lambda: kinds(strange(before[half:]), strange(now)))
    often = [normal(one) for one in before]
    yield Question("queries", "which queries", lambda: kinds(often, [normal(one) for one in now]))
    yield Question("queries", "letters", lambda: told_apart(often, [normal(one) for one in now]))
    if len(empty[0]) and len(empty[1]):
        yield Question(
            "queries", "zero results", lambda: kinds(*(["yes" if one else "no" for one in side] for side in empty))
        )


def _strange(known: set[str], queries: Sequence[str]) -> list[str]:
    return ["yes" if any(word not in known for word in words(query)) else "no" for query in queries]


def shuffled(queries: Sequence[str], *, seed: int = 0) -> list[str]:
    """In an order by chance, always the same: a log's first half may be another season than its second."""
    return [queries[place] for place in np.random.default_rng(seed).permutation(len(queries))]
