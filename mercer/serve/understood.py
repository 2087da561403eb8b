"""What was read out of a query, as an answer shows it: pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

__all__ = ["UnderstoodShape"]


class StepShape(BaseModel):
    """One thing that was understood."""

    name: str
    """normalise, spelling, synonym, brand, category, attribute, price, negation …"""
    before: str
    after: str
    evidence: str
    confidence: float
    """From 0 to 1."""


class WantedShape(BaseModel):
    """A filter that was read out of the query."""

    field: str
    values: list[str]
    """At most 20 of them."""
    low: float | None
    high: float | None


class BoostShape(BaseModel):
    """A soft wish, and the points of the score that a product which meets it gains."""

    filter: WantedShape
    weight: float
    signal: str
    """Its name in the ledger."""


class AlternativeShape(BaseModel):
    """Words of the query, and what may stand in their place."""

    words: str
    instead: list[str]
    weight: float
    """Share of its score by words that a product keeps which has these only."""


class UnderstoodShape(BaseModel):
    """A query as it was asked."""

    raw: str
    text: str
    """What the arm of meaning was asked."""
    words: str
    """What the arm of words was asked."""
    language: Literal["en", "zh", "mixed", ""]
    steps: list[StepShape]
    corrected: str
    suggestion: str
    filters: list[WantedShape]
    boosts: list[BoostShape]
    negated: list[str]
    alternatives: list[AlternativeShape]
    left_out: list[WantedShape]
    """Of `filters`, those that were dropped because nothing met them all."""
