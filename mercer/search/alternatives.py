"""An understood query in; what the arm of words brings for it, synonyms counted as the words they stand for, out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product

from mercer.records import Filter
from mercer.retrieve.index import Index
from mercer.understand.query import Understood

__all__ = ["rewritten", "worded"]

MOST = 6
"""Rewritings of one query that are asked: each costs as much as the query itself."""


def worded(index: Index, known: Understood, pool: int, filters: Sequence[Filter]) -> tuple[dict[str, float], float]:
    """Score of each product by words, and what a product can attain.

    Each rewriting is asked on its own and a product keeps its best one, as a share of what that one can give: a
    product that has both words of a concept gains nothing over one that has the rarer of them.
    """
    scores = {one.id: one.score for one in index.lexical(known.words, pool, filters=filters)}
    attainable = index.attainable(known.words)
    for text, weight in rewritten(known):
        other = index.attainable(text)
        if not other:
            continue
        attainable = attainable or other
        rate = weight * attainable / other
        for one in index.lexical(text, pool, filters=filters):
            scores[one.id] = max(scores.get(one.id, 0.0), one.score * rate)
    return scores, attainable


def rewritten(known: Understood) -> list[tuple[str, float]]:
    """The query with one or several of its places filled otherwise, each with its weight.

    >>> from mercer.understand.query import Alternative
    >>> same = (Alternative("sofa", 4, 8, ("couch",), 0.9),)
    >>> rewritten(Understood("red sofa", "red sofa", "red sofa", alternatives=same))
    [('red couch', 0.9)]
    """
    if not known.alternatives:
        return []
    places = [[(one.words, 1.0), *((words, one.weight) for words in one.instead)] for one in known.alternatives]
    found: list[tuple[str, float]] = []
    for choice in islice(product(*places), 1, MOST + 1):
        text, weight, at = "", 1.0, 0
        for one, (words, share) in zip(known.alternatives, choice, strict=True):
            text, weight, at = text + known.words[at : one.start] + words, min(weight, share), one.end
        found.append((text + known.words[at:], weight))
    return found
