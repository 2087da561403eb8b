"""A query and a product in, the query's own words that the product really has out."""

from __future__ import annotations

import re

from mercer.records import Product
from mercer.retrieve.analyze import normalise, words

__all__ = ["matched"]

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+")


def matched(query: str, product: Product, *, most: int = 4) -> list[str]:
    """At most `most` words of the query found in title, brand, category or attributes, in the query's order.

    A Han run counts by its longest parts of two or more characters that occur, or whole if it is one character.

    >>> matched("Red running shoes", Product("1", "Shoe for runs"))
    ['running', 'shoes']
    >>> matched("红色连衣裙", Product("1", "夏季连衣裙 红"))
    ['连衣裙']
    """
    text = normalise(" ".join((product.title, product.brand, *product.category, *product.attributes.values())))
    have = set(words(text))
    found: list[str] = []
    for run in _RUN.findall(normalise(query)):
        if "\u3400" <= run[0] <= "\u9fff":
            found.extend(_parts(run, text))
        elif (stems := words(run)) and stems[0] in have:
            found.append(run)
    return list(dict.fromkeys(found))[:most]


def _parts(run: str, text: str) -> list[str]:
    """Longest substrings of `run` that occur in `text`, from the left, without overlap."""
    if len(run) == 1:
        return [run] if run in text else []
    parts, start = [], 0
    while start < len(run) - 1:
        end = next((end for end in range(len(run), start + 1, -1) if run[start:end] in text), start)
        if end > start:
            parts.append(run[start:end])
        start = max(end, start + 1)
    return parts
