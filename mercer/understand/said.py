"""An understood query in; the same as JSON has it, as answers and `mercer explain --json` give it, out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mercer.records import Filter
from mercer.understand.query import Understood

__all__ = ["said"]

SHOWN = 20
"""Values of one filter at most: a wish for what fits a device names its products."""


def said(known: Understood, *, left_out: Iterable[Filter] = ()) -> dict[str, Any]:
    """Every field of `Understood`, and `left_out`: its filters that search dropped because nothing met them all.

    >>> said(Understood("cup", "cup", "cup"))["left_out"]
    []
    """
    return {
        "raw": known.raw,
        "text": known.text,
        "words": known.words,
        "language": known.language,
        "steps": [
            {
                "name": step.name,
                "before": step.before,
                "after": step.after,
                "evidence": step.evidence,
                "confidence": step.confidence,
            }
            for step in known.steps
        ],
        "corrected": known.corrected,
        "suggestion": known.suggestion,
        "filters": [_filter(wanted) for wanted in known.filters],
        "boosts": [
            {"filter": _filter(boost.filter), "weight": boost.weight, "signal": boost.signal or boost.filter.field}
            for boost in known.boosts
        ],
        "negated": list(known.negated),
        "alternatives": [
            {"words": one.words, "instead": list(one.instead), "weight": one.weight} for one in known.alternatives
        ],
        "left_out": [_filter(wanted) for wanted in left_out],
    }


def _filter(wanted: Filter) -> dict[str, Any]:
    return {"field": wanted.field, "values": list(wanted.values[:SHOWN]), "low": wanted.low, "high": wanted.high}
