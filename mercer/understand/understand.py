"""A query and what the shop's catalogue taught in; the query as it will be asked, step by step with evidence, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mercer.errors import SettingsError
from mercer.records import Filter
from mercer.understand.intent import Intent
from mercer.understand.knowledge import Knowledge
from mercer.understand.negation import Negated, negations
from mercer.understand.normalise import language, normalise
from mercer.understand.price import Price, prices
from mercer.understand.query import Boost, Step, Understood
from mercer.understand.recognise import Named, Vocabulary
from mercer.understand.spelling import Corrected, Spelling
from mercer.understand.synonym import Synonyms

__all__ = ["Understand", "UnderstandSettings"]

TAKEN_OUT = 0.7
"""Confidence from which the words of a price leave the text that is searched."""
MOSTLY = 0.5
"""Share of products with a price from which one is a filter: it hides those without."""
NEGATION = 0.9
"""Confidence in a negation: of the 25 in `esci150`, all are one, and 3 reach over a word less than was taken."""


FITS = 0.95
"""Confidence in what a title says it is for: of 50 random products of `esci150` every device that was read is right,
and 6 lists are read in part."""


@dataclass(frozen=True, slots=True)
class UnderstandSettings:
    """What is read out of a query, and how much it counts."""

    prices: bool = True
    """Whether prices are read: taken out of the text, and made a filter or a wish."""
    filter_from: float = 0.9
    """Confidence from which what was read is a filter, not a wish; 1 is never. A price with its currency has .95."""
    price: float = 0.1
    """Points of the score that a product at a wished price gains, times the confidence. A guess: no set has prices."""
    fits: float = 0.05
    """Points that a product gains which says that it is for the device that is asked. A guess: no set asks enough."""
    misfits: float = 0.15
    """Points that a product loses which is for other models of that line only. A guess; both 0 read no devices."""
    synonyms: bool = True
    """Whether products that have a synonym of a word are found by it: those of the shop's `synonyms.txt`, and rules."""
    negated: float = 0.2
    """Points that a product loses whose title has a negated word."""
    free: float = 0.05
    """Points that a product gains which says that it is without a negated word; both 0 read no negation."""
    intent: float = 0.0
    """Points for a product of a category that the query likely wants, times how likely. Off: with weight, level and
    source chosen on one half of `esci150`, nDCG@10 of the other changed by +.001 (95 % -.006 to .008) and -.011."""
    recognised: float = 0.0
    """Points for a product of the brand, category or attribute that a query names, times the confidence. Off: for
    brands on `esci150` no weight from .02 to .2 changed nDCG@10 by more than .005; the others were not measured."""
    recognised_filter: bool = False
    """Whether a brand, category or attribute from `filter_from` on is a filter."""

    def __post_init__(self) -> None:
        for name in ("filter_from", "price", "negated", "free", "recognised", "intent", "fits", "misfits"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingsError(f"[understand] {name} is {value}", cure="give a number from 0 to 1")


class Understand:
    """Call it with a readable query. Pure: the same query is always understood alike.

    >>> understood = Understand()("paper bags without handles under $20")
    >>> understood.text, understood.words, understood.negated
    ('paper bags', 'paper bags without handles', ('handles',))
    """

    def __init__(self, vocabulary: Vocabulary | None = None, *, settings: UnderstandSettings | None = None,
                 spelling: Spelling | None = None, synonyms: Synonyms | None = None,
                 knowledge: Knowledge | None = None, intent: Intent | None = None) -> None:  # fmt: skip
        self.spelling = spelling
        self.synonyms = synonyms or Synonyms()
        self.knowledge = knowledge or Knowledge({}, {})
        self.intent = intent or Intent({}, {}, {}, {})
        self.vocabulary = vocabulary or Vocabulary(())
        self.settings = settings or UnderstandSettings()

    def __call__(self, query: str, *, correct: bool = True, same: Iterable[tuple[str, str]] = ()) -> Understood:
        """Never raises, and never leaves a text without a word where the query has one.

        `same` are pairs of (what is typed, what is meant too) beside those of the shop's file, as rules give them.
        """
        words = normalise(query) or query
        steps: list[Step] = []
        if words != query:
            steps.append(Step("normalise", query, words, "one form of width, characters and units", 1.0))
        spelled = self._spelled(words, steps) if correct else Corrected(words)
        corrected, words = "" if spelled.text == words else spelled.text, spelled.text
        filters: list[Filter] = []
        boosts: list[Boost] = []
        if self.settings.prices:
            words = self._priced(words, steps, filters, boosts)
        alternatives = tuple(self.synonyms.also(same)(words)) if self.settings.synonyms else ()
        steps += [Step("synonym", one.words, " | ".join(one.instead), one.evidence, one.weight) for one in alternatives]
        text, negated = self._negated(words, steps)
        named = self.vocabulary(text)
        for one in named:
            self._named(one, steps, filters, boosts)
        self._fitted(text, named, steps, boosts)
        self._meant(text, steps, boosts)
        return Understood(
            query,
            text,
            words,
            language(words),
            tuple(steps),
            corrected,
            spelled.suggestion,
            filters=tuple(filters),
            boosts=tuple(boosts),
            negated=negated,
            alternatives=alternatives,
        )

    @property
    def spelling_lacks(self) -> list[str]:
        """Packages without which less is corrected."""
        return self.spelling.missing if self.spelling else []

    def _spelled(self, words: str, steps: list[Step]) -> Corrected:
        spelled = self.spelling(words) if self.spelling else Corrected(words)
        for change in spelled.changes:
            evidence = "likelier in this shop: " + ("corrected" if change.made else "offered")
            steps.append(Step("spelling", change.before, change.after, evidence, round(change.confidence, 3)))
        return spelled

    def _priced(self, text: str, steps: list[Step], filters: list[Filter], boosts: list[Boost]) -> str:
        """The text without its prices; nothing is read where the shop has none, or has another currency."""
        own, taken = self.vocabulary, []
        for price in prices(text):
            if not own.priced or (own.currency and price.currency not in ("", own.currency)):
                continue
            wanted = Filter("price", low=price.low, high=price.high)
            sure = price.confidence >= self.settings.filter_from and not price.loose and own.priced >= MOSTLY
            if sure:
                filters.append(wanted)
            else:
                boosts.append(Boost(wanted, self.settings.price * price.confidence))
            if price.confidence >= TAKEN_OUT:
                taken.append((price.start, price.end))
            steps.append(_price_step(text, price, sure=sure))
        return _cut(text, taken)

    def _negated(self, words: str, steps: list[Step]) -> tuple[str, tuple[str, ...]]:
        found = negations(words) if self.settings.negated or self.settings.free else []
        for one in found:
            steps.append(_negation_step(words, one))
        text = _cut(words, [(one.start, one.end) for one in found if not one.keep])
        return text, tuple(one.words for one in found)

    def _named(self, named: Named, steps: list[Step], filters: list[Filter], boosts: list[Boost]) -> None:
        field, value = named.filter.field, named.filter.values[0]
        evidence = f"{field} {value}: {named.products} products"
        steps.append(Step(field, named.words, value, evidence, round(named.confidence, 3)))
        if self.settings.recognised_filter and named.confidence >= self.settings.filter_from:
            filters.append(named.filter)
        elif self.settings.recognised:
            boosts.append(Boost(named.filter, self.settings.recognised * named.confidence))

    def _fitted(self, text: str, named: Sequence[Named], steps: list[Step], boosts: list[Boost]) -> None:
        """What fits a device that is asked for with something else: "charge 3" alone wants the device itself."""
        for fitting in self.knowledge(text) if self.settings.fits or self.settings.misfits else ():
            fits, misfits = len(fitting.fits), len(fitting.misfits)
            rest = text.replace(fitting.words, " ")
            for brand in (one for one in named if one.filter.field == "brand"):
                rest = rest.replace(brand.words, " ")
            alone = not any(letter.isalpha() for letter in rest)
            said = f"{fits} products are for it, {misfits} for others of its line" + ("; it is what is asked" * alone)
            steps.append(Step("fits", fitting.words, " ".join(fitting.device), said, FITS))
            if fits and not alone:
                boosts.append(Boost(Filter("id", values=fitting.fits), self.settings.fits, "fits"))
            if misfits:
                boosts.append(Boost(Filter("id", values=fitting.misfits), -self.settings.misfits, "misfits"))

    def _meant(self, text: str, steps: list[Step], boosts: list[Boost]) -> None:
        """Which categories the query wants; several where it may be one or the other."""
        for one in self.intent(text):
            said = f"{one.products} products, by the words of their titles" + f", {one.clicks} clicked" * bool(
                one.clicks
            )
            steps.append(Step("intent", text, one.category, said, round(one.probability, 3)))
            if self.settings.intent:
                wanted = Filter("category", values=(one.category,))
                boosts.append(Boost(wanted, self.settings.intent * one.probability, "intent"))


def _price_step(text: str, price: Price, *, sure: bool) -> Step:
    low, high = ("" if bound is None else f"{bound:g}" for bound in (price.low, price.high))
    said = price.currency or "no currency said"
    return Step("price", text[price.start : price.end], f"{low}..{high}", f"{said}: {'filter' if sure else 'wish'}",
                price.confidence)  # fmt: skip


def _negation_step(text: str, one: Negated) -> Step:
    return Step("negation", text[one.start : one.end].strip(), f"not {one.words}", "a word of negation", NEGATION)


def _cut(text: str, taken: Sequence[tuple[int, int]]) -> str:
    """The text without these parts; as it is where no word would be left."""
    kept, at = [], 0
    for start, end in sorted(taken):
        kept.append(text[at:start])
        at = max(at, end)
    left = " ".join(" ".join([*kept, text[at:]]).split())
    return left if any(letter.isalnum() for letter in left) else text
