"""Open doors, a request and a product in; where the product is in the answer, or where it was lost, out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mercer.records import Contribution, Filter, Request
from mercer.search import RELAXED, Search

if TYPE_CHECKING:
    from mercer.doors.open import Doors

__all__ = ["Place", "Why", "explain"]

Place = Literal["shown", "outranked", "below the cut", "filtered", "not retrieved", "not in the index"]


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
    """Score of the last product on the page, or of the last in the answer where this one is below the cut."""
    filters: tuple[Filter, ...] = ()
    """That it does not meet."""
    words: int = 0
    """Its place in what the arm of words brought; 0 where it did not."""
    meaning: int = 0
    """Its place in what the arm of meaning brought; 0 where it did not."""
    ledger: tuple[Contribution, ...] = ()


def explain(doors: Doors, request: Request, product: str) -> Why:
    """Follow one product through a search; `request.k` is the page that it is looked for on.

    Raises:
        RequestError: the request cannot be served.
    """
    search = doors.searching
    known = search.understood(request)
    index, pool = doors.index, search.settings.pool
    row = index.columns.row.get(product)
    page = search(request)  # raises for what cannot be served
    if row is None:
        return Why(product, "not in the index")
    filters = request.filters if RELAXED in page.degraded else (*request.filters, *known.filters)
    missed = tuple(wanted for wanted in filters if not index.columns.mask((wanted,))[row])
    if missed or product in request.exclude:
        return Why(product, "filtered", filters=missed)
    words = meaning = 0
    if known.words:
        words = _place(product, [one.id for one in index.lexical(known.words, pool, filters=filters)])
        vector = doors.encoder([known.text], side="query")[0]
        meaning = _place(product, [one.id for one in index.dense(vector, pool, filters=filters)])
    whole = dataclasses.replace(request, k=search.settings.deepest, offset=0)
    hits = search(whole).hits
    position = _place(product, [hit.id for hit in hits])
    if position:
        hit = hits[position - 1]
        shown = request.offset < position <= request.offset + request.k
        last = page.hits[-1].score if page.hits else None
        return Why(
            product, "shown" if shown else "outranked", position, hit.score, last, (), words, meaning, hit.ledger
        )
    if not (words or meaning):
        return Why(product, "not retrieved")
    uncut = _uncut(search)(whole).hits
    found = next((hit for hit in uncut if hit.id == product), None)
    needed = min((hit.score for hit in hits), default=None)
    score, ledger = (found.score, found.ledger) if found else (None, ())
    return Why(product, "below the cut", 0, score, needed, (), words, meaning, ledger)


def _uncut(search: Search) -> Search:
    """The same door without the cut-off and without reranking."""
    ranking = dataclasses.replace(search.ranking, cut=0.0, rerank=0)
    return Search(search.index, search.encoder, settings=search.settings, ranking=ranking, understand=search.understand)


def _place(id: str, ids: list[str]) -> int:
    return ids.index(id) + 1 if id in ids else 0
