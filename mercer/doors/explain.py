"""Open doors, a request and a product in; where the product is in the answer, or where it was lost, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mercer.rank.ledger import ledger
from mercer.records import Contribution, Filter, Hit, Request
from mercer.search import RELAXED

if TYPE_CHECKING:
    from mercer.doors.open import Doors
    from mercer.rank.rules import Ruling
    from mercer.search import Found

__all__ = ["Above", "Place", "Why", "explain"]

Place = Literal[
    "shown", "outranked", "below the cut", "filtered", "ruled out", "excluded", "not retrieved", "not in the index"
]


@dataclass(frozen=True, slots=True)
class Above:
    """The product one place higher."""

    product: str
    title: str
    score: float
    ledger: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """What became of one product in one search."""

    product: str
    place: Place
    position: int = 0
    """In the whole answer, 1 is the top; 0 where it is not part of it."""
    score: float | None = None
    """None where it was never scored, or scored below what chance gives."""
    needed: float | None = None
    """Score of the last product on the page; of a product below the cut, the score from which on it would belong."""
    filters: tuple[Filter, ...] = ()
    """That it does not meet."""
    words: int = 0
    """Its place in what the arm of words brought; 0 where it did not."""
    meaning: int = 0
    """Its place in what the arm of meaning brought; 0 where it did not."""
    ledger: tuple[Contribution, ...] = ()
    rules: tuple[str, ...] = ()
    """Ids of the shop's rules that took it out."""
    above: Above | None = None
    """What is just above it, where something is; of a product below the cut, by the score that the cut looks at."""
    pool: int = 0
    """How many products each arm brings at most."""


def explain(doors: Doors, request: Request, product: str) -> Why:
    """Follow one product through a search; `request.k` is the page that it is looked for on.

    Raises:
        RequestError: the request cannot be served.
    """
    search = doors.searching
    page = search(request)  # raises for what cannot be served
    if product not in doors.index.columns.row:
        return Why(product, "not in the index")
    known, (ruling, narrow) = search.understood(request), search.ruled(request)
    read = () if RELAXED in page.degraded else known.filters
    if kept_out := _kept_out(doors, product, request, read, ruling):
        return kept_out
    words, meaning = _arms(doors, product, known.words, known.text, (*narrow.filters, *read))
    brought = Why(product, "not retrieved", words=words, meaning=meaning, pool=search.settings.pool)
    hits = search(dataclasses.replace(request, k=search.settings.deepest, offset=0)).hits
    position = _place(product, [hit.id for hit in hits])
    if position:
        last = page.hits[-1].score if page.hits else None
        return _ranked(brought, request, hits, position, needed=last)
    if not (words or meaning):
        return brought
    uncut = search.otherwise(ranking=dataclasses.replace(search.ranking, cut=0.0))
    return _cut(doors, brought, uncut.candidates(narrow)[1])


def _kept_out(doors: Doors, product: str, request: Request, read: Sequence[Filter], ruling: Ruling) -> Why | None:
    """What keeps it out whatever its score: the shopper, the query, or the shop's rules; None where nothing does."""
    columns = doors.index.columns
    row = columns.row[product]

    def meets(wanted: Filter) -> bool:
        return bool(columns.mask((wanted,))[row])

    if missed := tuple(wanted for wanted in (*request.filters, *read) if not meets(wanted)):
        return Why(product, "filtered", filters=missed)
    if product in request.exclude:
        return Why(product, "excluded")
    hiding = [
        rule.id
        for rule in ruling.of("hide")
        if product in rule.products or (rule.filters and all(map(meets, rule.filters)))
    ]
    missed = tuple(wanted for wanted in ruling.filters if not meets(wanted))
    narrowing = [rule.id for rule in ruling.of("filter") if set(rule.filters) & set(missed)]
    return Why(product, "ruled out", filters=missed, rules=(*hiding, *narrowing)) if hiding or narrowing else None


def _arms(doors: Doors, product: str, words: str, text: str, filters: tuple[Filter, ...]) -> tuple[int, int]:
    """The product's place in what each arm brings."""
    if not words:
        return 0, 0
    index, pool = doors.index, doors.searching.settings.pool
    vector = doors.encoder([text], side="query")[0]
    by_words, by_meaning = index.lexical(words, pool, filters=filters), index.dense(vector, pool, filters=filters)
    return _place(product, [one.id for one in by_words]), _place(product, [one.id for one in by_meaning])


def _ranked(why: Why, request: Request, hits: tuple[Hit, ...], position: int, *, needed: float | None) -> Why:
    """Part of the answer: on the page, or outranked by what stands there."""
    hit = hits[position - 1]
    higher = hits[position - 2] if position > 1 else None
    above = Above(higher.id, higher.product.title, higher.score, higher.ledger) if higher else None
    shown = request.offset < position <= request.offset + request.k
    return dataclasses.replace(why, place="shown" if shown else "outranked", position=position, score=hit.score,
                               needed=needed, ledger=hit.ledger, above=above)  # fmt: skip


def _cut(doors: Doors, why: Why, found: Found) -> Why:
    """Brought, and too weak to belong: by the score that the cut looks at, which no later stage has touched."""
    scores: list[float] = found.scored.scores.tolist()
    below = dataclasses.replace(why, place="below the cut", needed=doors.searching.ranking.cut * max(scores, default=0))
    if why.product not in found.ids:  # less likely than chance
        return below
    place = found.ids.index(why.product)
    below = dataclasses.replace(below, score=scores[place], ledger=ledger(found.scored, place))
    if not place:
        return below
    titles = [product.title for product in doors.index.products([found.ids[place - 1]])]
    above = Above(found.ids[place - 1], "".join(titles), scores[place - 1], ledger(found.scored, place - 1))
    return dataclasses.replace(below, above=above)


def _place(id: str, ids: list[str]) -> int:
    return ids.index(id) + 1 if id in ids else 0
