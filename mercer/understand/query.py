"""The shape of an understood query: what the shopper wrote in; what is asked, step by step with evidence, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mercer.records import Filter

__all__ = ["Alternative", "Boost", "Language", "Step", "Understood"]

Language = Literal["en", "zh", "mixed", ""]
"""What the query is written in; "" where no letter says."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was understood."""

    name: str
    """What was done: normalise, spelling, synonym, brand, category, attribute, price, negation."""
    before: str
    """The words it was read from."""
    after: str
    """What they became; "" where they were taken out of the text."""
    evidence: str
    """Why, in a phrase: "brand Nordwald: 14 products"."""
    confidence: float
    """How sure, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Boost:
    """A soft wish: products that meet it gain, products that do not stay."""

    filter: Filter
    """The condition, on a field as in `records.Filter`."""
    weight: float
    """Points of the score that a product which meets it gains."""
    signal: str = ""
    """Its name in the ledger; "" is the filter's field."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Words of a query, and others that may stand in their place: one of them is as good as all."""

    words: str
    start: int
    end: int
    """Characters of `Understood.words`."""
    instead: tuple[str, ...]
    weight: float
    """Share of its score by words that a product keeps which has these only."""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as it will be asked."""

    raw: str
    """As the shopper wrote it."""
    text: str
    """What the arm of meaning is asked: without prices and negated words, which an encoder takes for wishes."""
    words: str
    """What the arm of words is asked: as `text`, with the negated words, which "without handles" has too."""
    language: Language = ""
    steps: tuple[Step, ...] = ()
    """In the order in which they were done."""
    corrected: str = ""
    """The query that a silent correction made, or ""."""
    suggestion: str = ""
    """A query to offer as "did you mean", or ""."""
    filters: tuple[Filter, ...] = ()
    """Conditions that hold by high confidence: search drops them, and says so, where nothing is left."""
    boosts: tuple[Boost, ...] = ()
    negated: tuple[str, ...] = ()
    """Words that a product should not have."""
    alternatives: tuple[Alternative, ...] = ()
    """Of places in `words`, left to right."""
