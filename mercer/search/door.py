"""The search door: a query in, a page of products out, by words and by meaning, with facets and a ledger."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mercer.errors import SettingsError
from mercer.rank.hybrid import HybridSettings
from mercer.rank.ledger import ledger
from mercer.rank.reason import search_reason
from mercer.rank.rule_book import RuleBook
from mercer.rank.rules import Rules, Ruling
from mercer.records import Filter, Hit, Page, Request
from mercer.retrieve.columns import check_filters, check_paging
from mercer.retrieve.index import Index
from mercer.retrieve.matched import Matched
from mercer.search.facet import counted
from mercer.search.find import Find, Found, QueryEncoder, System
from mercer.search.ranking import Ranking
from mercer.search.ruled import Ruled
from mercer.search.stopwatch import stopwatch
from mercer.understand.normalise import in_chinese, readable
from mercer.understand.query import Understood
from mercer.understand.said import said
from mercer.understand.understand import Understand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.rank.reranker import Reranker
    from mercer.search.learned import Learned

__all__ = ["RELAXED", "Search", "SearchSettings", "System"]

RELAXED = "nothing has all of it, left out: "
"""Begins what an answer says of filters read out of the query that nothing met."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Limits of the search door."""

    pool: int = 300
    """Candidates each arm brings; the answer, its total and its facets are made from these."""
    longest_query: int = 512
    """Characters a query may have."""
    deepest: int = 1000
    """Largest k, and largest offset."""

    def __post_init__(self) -> None:
        for name, low, high in (("pool", 10, 10_000), ("longest_query", 8, 100_000), ("deepest", 10, 10_000)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[search] {name} is {value}", cure=f"give a whole number from {low} to {high}")


class Search:
    """Call it with a Request; it answers with a Page. Safe to call from several threads."""

    def __init__(
        self,
        index: Index,
        encoder: QueryEncoder | None,
        *,
        settings: SearchSettings | None = None,
        ranking: HybridSettings | None = None,
        popularity: Mapping[str, float] | None = None,
        reranker: Reranker | None = None,
        understand: Understand | None = None,
        rules: RuleBook | None = None,
        learned: Learned | None = None,
    ) -> None:
        self._made_of: dict[str, Any] = {
            "index": index, "encoder": encoder, "settings": settings, "ranking": ranking, "popularity": popularity,
            "reranker": reranker, "understand": understand, "rules": rules, "learned": learned,
        }  # fmt: skip
        self.index = index
        self.encoder = encoder
        self.settings = settings or SearchSettings()
        self.ranking = (ranking or HybridSettings()).closed()
        self.understand = understand or Understand()
        self._find = Find(
            index,
            encoder,
            pool=self.settings.pool,
            ranking=self.ranking,
            negated=self.understand.settings.negated,
            free=self.understand.settings.free,
            popularity=popularity or {},
        )
        self._rank = Ranking(index, self.ranking, learned=learned, reranker=reranker, popularity=popularity or {})
        self._ruled = Ruled(index, rules)

    def __call__(self, request: Request, *, system: System = "hybrid", rules: Rules | None = None) -> Page:
        """Answer one request; `rules` stand in for the shop's own.

        Raises:
            RequestError: a query, k, offset, filter, facet or sort that cannot be served.
        """
        check_paging(request.k, request.offset, deepest=self.settings.deepest)
        check_filters(request.filters)
        stages: dict[str, float] = {}
        done = stopwatch(stages, "understand")
        known = self.understood(request)
        done()
        done = stopwatch(stages, "rules")
        ruling = self._ruled(request, known, rules)
        narrow = self._ruled.narrowed(request, ruling)
        done()
        found, dropped = self._found(known, narrow, system, stages)
        read = () if dropped else known.filters
        done = stopwatch(stages, "rank")
        order = self._ordered(found, request)
        done()
        ranked = self._rank(known, request, ruling, found, order, stages=stages, system=system)
        done = stopwatch(stages, "rules")
        sort = partial(self._sorted, request)
        found, order, ruling = self._ruled.moved(ranked.found, ranked.order, narrow, ruling, read=read, sort=sort)
        done()
        done = stopwatch(stages, "page")
        held = {wanted.field for wanted in (*request.filters, *read)}
        without = partial(
            self._rows_without, request=request, known=known, read=read, system=system, rules=rules, vector=found.vector
        )
        facets = counted(self.index.columns, request.facets, found.rows[order], held=held, without=without)
        shown = order[request.offset : request.offset + request.k]
        told = self._rank.told(ranked, found, shown)
        hits = self._hits(told, shown, known.text, packed=ranked.packed, chinese=in_chinese(request, known.raw))
        done()
        left = RELAXED + ", ".join(sorted({wanted.field for wanted in dropped})) if dropped else ""
        blind = "" if self.encoder or system == "lexical" else "no encoder: words only"
        degraded = "; ".join(filter(None, (left, blind or ranked.missing)))
        return Page(
            uuid.uuid4().hex, hits, len(order), facets, known.corrected, degraded, stages, known.suggestion,
            said(known, left_out=dropped) if known.raw else {}, *ruling.said(),
        )  # fmt: skip

    def otherwise(self, **changes: Any) -> Search:
        """Another door over the same index, made of other parts where `changes` names some."""
        return Search(**{**self._made_of, **changes})

    @property
    def parts(self) -> frozenset[str]:
        """Names of the parts that this door has; of those that it may have, `Search` lists them."""
        return frozenset(name for name, part in self._made_of.items() if part is not None)

    def _rows_without(
        self,
        field: str,
        *,
        request: Request,
        known: Understood,
        read: Sequence[Filter],
        system: System,
        rules: Rules | None,
        vector: NDArray[np.float32] | None,
    ) -> NDArray[np.int64]:
        """Rows of the answer to the same request without the filters on a field; those that rules add stay."""
        kept = tuple(wanted for wanted in read if wanted.field != field)
        wide = replace(request, filters=tuple(wanted for wanted in request.filters if wanted.field != field))
        ruling = self._ruled(wide, known, rules)
        narrow = self._ruled.narrowed(wide, ruling)
        if known.raw:
            found = self._find(known, replace(narrow, filters=(*narrow.filters, *kept)), system, {}, vector)
        else:
            found = self._find.browse(narrow, {})
        sort = partial(self._sorted, wide)
        found, order, _ = self._ruled.moved(found, self._ordered(found, wide), narrow, ruling, read=kept, sort=sort)
        return found.rows[order]

    def ruled(self, request: Request) -> tuple[Ruling, Request]:
        """The shop's rules that hold for a request, and the request as they narrow it."""
        ruling = self._ruled(request, self.understood(request))
        return ruling, self._ruled.narrowed(request, ruling)

    def candidates(self, request: Request) -> tuple[Understood, Found]:
        """What is understood, and the products of the answer as the hybrid orders them, best first."""
        from mercer.search.learned import answered

        known = self.understood(request)
        found, _ = self._found(known, request, "hybrid", {})
        return known, answered(found, self._ordered(found, request))

    def understood(self, request: Request) -> Understood:
        """What is read out of the query; a field that the request filters by is the request's own."""
        query = readable(request.query, longest=self.settings.longest_query)
        book = self._ruled.book
        same = book.rules.synonyms(book.now()) if book else ()
        known = self.understand(query, correct=request.correct, same=same)
        given = {wanted.field for wanted in request.filters}
        return replace(known, filters=tuple(wanted for wanted in known.filters if wanted.field not in given))

    def _found(
        self, known: Understood, request: Request, system: System, stages: dict[str, float]
    ) -> tuple[Found, tuple[Filter, ...]]:
        """The candidates of the query as it is asked, and which filters read out of it had to go."""
        if not known.raw:
            return self._find.browse(request, stages), ()
        narrow = replace(request, filters=(*request.filters, *known.filters))
        found = self._find(known, narrow, system, stages)
        if found.ids or not known.filters:
            return found, ()
        return self._find(known, request, system, stages, found.vector), known.filters

    def _ordered(self, found: Found, request: Request) -> NDArray[np.int64]:
        """Places of the products that belong to the answer, in the order asked for; equal ones by id."""
        import numpy as np

        scores = found.scored.scores
        if not len(scores):
            return np.zeros(0, dtype=np.int64)
        keep = np.flatnonzero(scores >= found.cut * max(scores.max(), 0.0))  # nothing below chance belongs
        return self._sorted(request, found, keep)

    def _sorted(self, request: Request, found: Found, keep: NDArray[np.int64]) -> NDArray[np.int64]:
        import numpy as np

        ids = np.array([found.ids[place] for place in keep])
        if request.sort == "relevance":
            key = -found.scored.scores[keep]
        else:
            column, sign = {"price_up": ("price", 1), "price_down": ("price", -1), "rating": ("rating", -1)}[
                request.sort
            ]
            key = sign * self.index.columns.numbers(column, found.rows[keep])
        return keep[np.lexsort((ids, np.nan_to_num(key, nan=np.inf)))]

    def _hits(
        self,
        found: Found,
        places: NDArray[np.int64],
        query: str,
        *,
        packed: Callable[[int], bytes],
        chinese: bool,
    ) -> tuple[Hit, ...]:
        known = {product.id: product for product in self.index.products(found.ids[place] for place in places)}
        hits, matched = [], Matched(query)
        for place in places.tolist():
            product = known.get(found.ids[place])
            if product is not None:  # deleted since it was found
                chosen = product.id in found.chosen
                reason = search_reason(matched(product), chinese=chinese, chosen=chosen) if query else ""
                score, lines = float(found.scored.scores[place]), ledger(found.scored, place)
                hits.append(Hit(product, score, reason, lines, features=packed(place)))
        return tuple(hits)
