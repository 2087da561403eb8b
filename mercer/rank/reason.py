"""What is known of a hit in, a short reason a shopper can read out, in English or Chinese."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["search_reason"]


def search_reason(terms: Sequence[str], *, chinese: bool) -> str:
    """Why a product answers a query: the query's words that it has, or that only its meaning is close.

    >>> search_reason(["red", "dress"], chinese=False)
    'Has “red”, “dress”'
    >>> search_reason([], chinese=True)
    '意思相近'
    """
    if not terms:
        return "意思相近" if chinese else "Close in meaning"
    quoted = [f"“{term}”" for term in terms]
    return "含有" + "".join(quoted) if chinese else "Has " + ", ".join(quoted)
