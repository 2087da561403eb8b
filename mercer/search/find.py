"""An understood query in, its candidates out: what words and meaning bring, each scored with its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from mercer.rank.hybrid import Background, HybridSettings, Scored, hybrid
from mercer.rank.wish import wished
from mercer.records import Candidate, Request
from mercer.retrieve.index import Index
from mercer.search.alternatives import worded
from mercer.search.beside import beside
from mercer.search.stopwatch import stopwatch
from mercer.understand.negation import Without
from mercer.understand.query import Understood

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Find", "Found", "QueryEncoder", "System"]

System = Literal["hybrid", "lexical", "dense"]
"""Which arms take part; the live door is hybrid."""


class QueryEncoder(Protocol):
    """As much of `encode.Encoder` as this door needs."""

    def __call__(self, texts: Sequence[str], *, side: Literal["query"]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What the arms brought: ids with their scores, and what they are measured against."""

    ids: list[str]
    rows: NDArray[np.int64]
    """Row of each id in the index's columns: it keeps its values even if the product is deleted meanwhile."""
    scored: Scored
    cut: float = 0.0
    """Share of the best score from which a product belongs to the answer; 0 where all do."""
    vector: NDArray[np.float32] | None = None
    """Of the query, where the arm of meaning was asked."""
    chosen: frozenset[str] = frozenset()
    """Products that are there because a rule pins them, not because an arm brought them."""


class Find:
    """Ask it with what was understood of a query, or without one. Safe to call from several threads."""

    def __init__(
        self,
        index: Index,
        encoder: QueryEncoder | None,
        *,
        pool: int,
        ranking: HybridSettings,
        negated: float,
        free: float,
        popularity: Mapping[str, float],
    ) -> None:
        self.index, self.encoder, self.pool, self.ranking = index, encoder, pool, ranking
        self._negated, self._free, self._popularity = negated, free, popularity
        self._background: tuple[int, NDArray[np.float32]] | None = None

    def __call__(
        self,
        known: Understood,
        request: Request,
        system: System,
        stages: dict[str, float],
        vector: NDArray[np.float32] | None = None,
    ) -> Found:
        """Both arms' candidates, each with its exact cosine; words that fell below an arm's pool count as none.

        `vector` is that of the query, where it has been encoded already.
        """
        import numpy as np

        ask = partial(self._worded, known, request, system, stages)
        words = beside(ask) if self.encoder and system == "hybrid" else ask  # the arms share nothing until they rank
        vector = self._encoded(known.text, system, stages) if vector is None else vector
        near: dict[str, float] = {}
        if vector is not None:
            done = stopwatch(stages, "dense")
            near = _scores(self.index.dense(vector, self.pool, filters=request.filters))
            done()
        lexical, attainable = words()
        done = stopwatch(stages, "rank")
        excluded = set(request.exclude)
        row = self.index.columns.row
        there = {id: row.get(id) for id in dict.fromkeys((*lexical, *near)) if id not in excluded}
        at = {id: place for id, place in there.items() if place is not None}  # None: deleted since it was found
        ids, rows = list(at), np.fromiter(at.values(), np.int64, len(at))
        scored = hybrid(
            np.array([lexical.get(id, 0.0) for id in ids]),
            self._cosines(ids, near, vector),
            attainable=attainable,
            background=None if vector is None else Background.of(self._sample() @ vector),
            settings=self.ranking,
        )
        scored = wished(scored, self._wishes(known, ids, rows))
        done()
        return Found(ids, rows, scored, cut=self.ranking.cut, vector=vector)

    def _worded(
        self, known: Understood, request: Request, system: System, stages: dict[str, float]
    ) -> tuple[dict[str, float], float]:
        """What words bring, and what a product can attain by them."""
        if system == "dense":
            return {}, 0.0
        done = stopwatch(stages, "lexical")
        found = worded(self.index, known, self.pool, request.filters)
        done()
        return found

    def _wishes(
        self, known: Understood, ids: Sequence[str], rows: NDArray[np.int64]
    ) -> Iterator[tuple[str, NDArray[np.bool_], float]]:
        """What the query wishes: signal, which candidates meet it, points."""
        import numpy as np

        for boost in known.boosts:
            yield boost.signal or boost.filter.field, self.index.columns.mask((boost.filter,))[rows], boost.weight
        if known.negated:
            without, told = Without(known.negated), self.index.texts(ids)
            said = [without.said(*told[id]) if id in told else (False, False) for id in ids]
            met = np.array(said, dtype=bool).reshape(-1, 2)
            yield "negated", met[:, 0], -self._negated
            yield "without", met[:, 1], self._free

    def browse(self, request: Request, stages: dict[str, float]) -> Found:
        """No query: everything that passes the filters, most popular first."""
        import numpy as np

        done = stopwatch(stages, "browse")
        columns, excluded = self.index.columns, set(request.exclude)
        passing = np.flatnonzero(columns.mask(request.filters))
        rows = passing[[columns.ids[row] not in excluded for row in passing]] if excluded else passing
        ids = [columns.ids[row] for row in rows]
        popular = np.array([self._popularity.get(id, 0.0) for id in ids])
        done()
        return Found(ids, rows, Scored(popular, {"popular": popular}, {"popular": popular}))

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

    def _sample(self) -> NDArray[np.float32]:
        """Background vectors, taken again when the catalogue has changed by a twentieth."""
        size = len(self.index.columns.row)
        if self._background is None or abs(size - self._background[0]) * 20 > self._background[0]:
            self._background = (size, self.index.background())
        return self._background[1]


def _scores(candidates: Sequence[Candidate]) -> dict[str, float]:
    return {candidate.id: candidate.score for candidate in candidates}
