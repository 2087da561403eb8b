"""What is known of a hit in, a short reason a shopper can read out, in English or Chinese."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["search_reason"]


def search_reason(terms: Sequence[str], *, chinese: bool, chosen: bool = False) -> str:
    """Why a product answers a query: the query's words that it has, or that only its meaning is close.

    One that has none of them and that the shop itself has put there (`chosen`) is not said to be close.

    >>> search_reason(["red", "dress"], chinese=False)
    'Has “red”, “dress”'
    >>> search_reason([], chinese=True)
    '意思相近'
    """
    if not terms and chosen:
        return "店家推荐" if chinese else "Chosen by the shop"
    if not terms:
        return "意思相近" if chinese else "Close in meaning"
    quoted = [f"“{term}”" for term in terms]
    return "含有" + "".join(quoted) if chinese else "Has " + ", ".join(quoted)
