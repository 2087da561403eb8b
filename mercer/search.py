"""The search door: a query in, a page of products out, by words and by meaning, with facets and a ledger."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from mercer.errors import SettingsError
from mercer.rank.hybrid import Background, HybridSettings, Scored, hybrid
from mercer.rank.ledger import ledger
from mercer.rank.reason import search_reason
from mercer.rank.rerank import Rerank
from mercer.rank.wish import wished
from mercer.records import Candidate, Hit, Page, Request
from mercer.retrieve.columns import check_filters, check_paging
from mercer.retrieve.index import Index
from mercer.retrieve.matched import Matched
from mercer.retrieve.text import passage
from mercer.understand.negation import Without
from mercer.understand.normalise import in_chinese, readable
from mercer.understand.query import Understood
from mercer.understand.understand import Understand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.rank.reranker import Reranker

__all__ = ["RELAXED", "Search", "SearchSettings", "System"]

System = Literal["hybrid", "lexical", "dense"]
"""Which arms take part; the live door is hybrid."""

Clock = Callable[[], float]

RELAXED = "nothing has all of it, left out: "
"""Begins what an answer says of filters read out of the query that nothing met."""


class QueryEncoder(Protocol):
    """As much of `encode.Encoder` as this door needs."""

    def __call__(self, texts: Sequence[str], *, side: Literal["query"]) -> NDArray[np.float32]: ...


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


@dataclass(frozen=True, slots=True)
class _Found:
    """What the arms brought: ids with their scores, and what they are measured against."""

    ids: list[str]
    rows: NDArray[np.int64]
    """Row of each id in the index's columns: it keeps its values even if the product is deleted meanwhile."""
    scored: Scored
    cut: float = 0.0
    """Share of the best score from which a product belongs to the answer; 0 where all do."""


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
    ) -> None:
        self.index = index
        self.encoder = encoder
        self.settings = settings or SearchSettings()
        self.ranking = (ranking or HybridSettings()).closed()
        self.understand = understand or Understand()
        self.popularity = popularity or {}
        """Share of shoppers' actions by product, which orders an answer to no query."""
        self._rerank = Rerank(reranker, self.ranking) if reranker is not None else None
        self._background: tuple[int, NDArray[np.float32]] | None = None

    def __call__(self, request: Request, *, system: System = "hybrid") -> Page:
        """Answer one request.

        Raises:
            RequestError: a query, k, offset, filter, facet or sort that cannot be served.
        """
        check_paging(request.k, request.offset, deepest=self.settings.deepest)
        check_filters(request.filters)
        stages: dict[str, float] = {}
        known, found, left = self._found(request, system, stages)
        with_reason = stopwatch(stages, "rank")
        order = self._ordered(found, request)
        with_reason()
        degraded = [left, "" if self.encoder or system == "lexical" else "no encoder: words only"]
        if known.raw and system == "hybrid" and self._reranks(request):
            found, order, missing = self._reranked(known.corrected or known.raw, found, order, stages)
            degraded[1] = degraded[1] or missing
        with_reason = stopwatch(stages, "rank")
        facets = self.index.columns.facets(found.rows[order], request.facets)
        shown = order[request.offset : request.offset + request.k]
        hits = self._hits(found, shown, known.text, chinese=in_chinese(request, known.raw))
        with_reason()
        said = "; ".join(filter(None, degraded))
        return Page(uuid.uuid4().hex, hits, len(order), facets, known.corrected, said, stages, known.suggestion)

    def understood(self, request: Request) -> Understood:
        """What is read out of the query; a field that the request filters by is the request's own."""
        query = readable(request.query, longest=self.settings.longest_query)
        known, given = self.understand(query, correct=request.correct), {wanted.field for wanted in request.filters}
        return replace(known, filters=tuple(wanted for wanted in known.filters if wanted.field not in given))

    def _found(self, request: Request, system: System, stages: dict[str, float]) -> tuple[Understood, _Found, str]:
        """The query as it is asked, its candidates, and "" or which filters read out of it had to go."""
        known = self.understood(request)
        if not known.raw:
            return known, self._browse(request, stages), ""
        narrow = replace(request, filters=(*request.filters, *known.filters))
        found = self._retrieve(known, narrow, system, stages)
        if found.ids or not known.filters:
            return known, found, ""
        left = RELAXED + ", ".join(sorted({wanted.field for wanted in known.filters}))
        return known, self._retrieve(known, request, system, stages), left

    def _retrieve(self, known: Understood, request: Request, system: System, stages: dict[str, float]) -> _Found:
        """Both arms' candidates, each with its exact cosine; words that fell below an arm's pool count as none."""
        import numpy as np

        lexical: dict[str, float] = {}
        if system != "dense":
            done = stopwatch(stages, "lexical")
            lexical = _scores(self.index.lexical(known.words, self.settings.pool, filters=request.filters))
            done()
        vector = self._encoded(known.text, system, stages)
        near: dict[str, float] = {}
        if vector is not None:
            done = stopwatch(stages, "dense")
            near = _scores(self.index.dense(vector, self.settings.pool, filters=request.filters))
            done()
        done = stopwatch(stages, "rank")
        excluded = set(request.exclude)
        row = self.index.columns.row
        there = {id: row.get(id) for id in dict.fromkeys((*lexical, *near)) if id not in excluded}
        at = {id: place for id, place in there.items() if place is not None}  # None: deleted since it was found
        ids, rows = list(at), np.fromiter(at.values(), np.int64, len(at))
        scored = hybrid(
            np.array([lexical.get(id, 0.0) for id in ids]),
            self._cosines(ids, near, vector),
            attainable=self.index.attainable(known.words) if system != "dense" else 0.0,
            background=None if vector is None else Background.of(self._sample() @ vector),
            settings=self.ranking,
        )
        scored = wished(scored, self._wishes(known, ids, rows))
        done()
        return _Found(ids, rows, scored, cut=self.ranking.cut)

    def _wishes(
        self, known: Understood, ids: Sequence[str], rows: NDArray[np.int64]
    ) -> Iterator[tuple[str, NDArray[np.bool_], float]]:
        """What the query wishes: signal, which candidates meet it, points."""
        import numpy as np

        for boost in known.boosts:
            yield boost.filter.field, self.index.columns.mask((boost.filter,))[rows], boost.weight
        if known.negated:
            without, told = Without(known.negated), {product.id: product for product in self.index.products(ids)}
            said = [without(told[id]) if id in told else (False, False) for id in ids]
            met = np.array(said, dtype=bool).reshape(-1, 2)
            yield "negated", met[:, 0], -self.understand.settings.negated
            yield "without", met[:, 1], self.understand.settings.free

    def _browse(self, request: Request, stages: dict[str, float]) -> _Found:
        """No query: everything that passes the filters, most popular first."""
        import numpy as np

        done = stopwatch(stages, "browse")
        columns, excluded = self.index.columns, set(request.exclude)
        passing = np.flatnonzero(columns.mask(request.filters))
        rows = passing[[columns.ids[row] not in excluded for row in passing]] if excluded else passing
        ids = [columns.ids[row] for row in rows]
        popular = np.array([self.popularity.get(id, 0.0) for id in ids])
        done()
        return _Found(ids, rows, Scored(popular, {"popular": popular}, {"popular": popular}))

    def _encoded(self, query: str, system: System, stages: dict[str, float]) -> NDArray[np.float32] | None:
        if self.encoder is None or system == "lexical":
            return None
        done = stopwatch(stages, "encode")
        vector: NDArray[np.float32] = self.encoder([query], side="query")[0]
        done()
        return vector

    def _cosines(
        self, ids: Sequence[str], near: Mapping[str, float], vector: NDArray[np.float32] | None
    ) -> NDArray[np.float64] | None:
        """Exact cosines: what the dense arm said, and a dot product for what only words brought."""
        import numpy as np

        if vector is None:
            return None
        missing = [id for id in ids if id not in near]
        vectors = self.index.vectors(missing)
        if len(vectors) == len(missing):
            worked_out = dict(zip(missing, (vectors @ vector).tolist(), strict=True))
        else:  # one was deleted since it was found: which vector is whose is told by asking for each
            each = ((id, self.index.vectors([id])) for id in missing)
            worked_out = {id: float(own[0] @ vector) for id, own in each if len(own)}
        return np.array([near[id] if id in near else worked_out.get(id, 0.0) for id in ids])

    def _ordered(self, found: _Found, request: Request) -> NDArray[np.int64]:
        """Places of the products that belong to the answer, in the order asked for; equal ones by id."""
        import numpy as np

        scores = found.scored.scores
        if not len(scores):
            return np.zeros(0, dtype=np.int64)
        keep = np.flatnonzero(scores >= found.cut * max(scores.max(), 0.0))  # nothing below chance belongs
        ids = np.array([found.ids[place] for place in keep])
        if request.sort == "relevance":
            key = -scores[keep]
        else:
            column, sign = {"price_up": ("price", 1), "price_down": ("price", -1), "rating": ("rating", -1)}[
                request.sort
            ]
            key = sign * self.index.columns.numbers(column, found.rows[keep])
        return keep[np.lexsort((ids, np.nan_to_num(key, nan=np.inf)))]

    def _reranks(self, request: Request) -> bool:
        """Whether the last stage can change this page: it never moves a product past the first `rerank`."""
        return request.offset < self.ranking.rerank and request.sort == "relevance"

    def _reranked(
        self, query: str, found: _Found, order: NDArray[np.int64], stages: dict[str, float]
    ) -> tuple[_Found, NDArray[np.int64], str]:
        """The first products in the reranker's order, and "" or what it could not do."""
        if self._rerank is None:
            return found, order, "no reranker: words and meaning only"
        done = stopwatch(stages, "rerank")
        ids = [found.ids[place] for place in order[: self.ranking.rerank]]
        known = {product.id: passage(product) for product in self.index.products(ids)}
        texts = [known.get(id, "") for id in ids]  # "": deleted since it was found
        scored, order, left = self._rerank(query, texts, found.scored, order)
        done()
        return replace(found, scored=scored), order, left

    def _hits(self, found: _Found, places: NDArray[np.int64], query: str, *, chinese: bool) -> tuple[Hit, ...]:
        known = {product.id: product for product in self.index.products(found.ids[place] for place in places)}
        hits, matched = [], Matched(query)
        for place in places.tolist():
            product = known.get(found.ids[place])
            if product is not None:  # deleted since it was found
                reason = search_reason(matched(product), chinese=chinese) if query else ""
                hits.append(Hit(product, float(found.scored.scores[place]), reason, ledger(found.scored, place)))
        return tuple(hits)

    def _sample(self) -> NDArray[np.float32]:
        """Background vectors, taken again when the catalogue has changed by a twentieth."""
        size = len(self.index.columns.row)
        if self._background is None or abs(size - self._background[0]) * 20 > self._background[0]:
            self._background = (size, self.index.background())
        return self._background[1]


def stopwatch(stages: dict[str, float], name: str, *, clock: Clock = time.perf_counter) -> Callable[[], None]:
    """Start a stage; calling what comes back adds its milliseconds."""
    start = clock()

    def stop() -> None:
        stages[name] = stages.get(name, 0.0) + (clock() - start) * 1000

    return stop


def _scores(candidates: Sequence[Candidate]) -> dict[str, float]:
    return {candidate.id: candidate.score for candidate in candidates}
