"""Scores with their parts in, the ledger of one hit out: lines that sum to its score."""

from __future__ import annotations

import math

from mercer.rank.hybrid import Scored
from mercer.records import Contribution

__all__ = ["ledger"]


def ledger(scored: Scored, place: int) -> tuple[Contribution, ...]:
    """What each signal was for the product at `place`, and how much of the score it made.

    A signal that was not asked about this product (NaN: it lies below what was reranked) has no line.
    """
    return tuple(
        Contribution(signal, value=float(scored.values[signal][place]), part=float(part[place]))
        for signal, part in scored.parts.items()
        if not math.isnan(scored.values[signal][place])
    )
