"""Candidates of an answer, best first, in; their order after trees, a cross-encoder and spreading out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mercer.rank.hybrid import HybridSettings
from mercer.rank.objective import weighed
from mercer.rank.rerank import Rerank
from mercer.rank.rules import Ruling
from mercer.rank.spread import Spread
from mercer.records import Filter, Request
from mercer.retrieve.index import Index
from mercer.retrieve.text import passage
from mercer.search.find import Found, System
from mercer.search.stopwatch import stopwatch
from mercer.understand.query import Understood

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.rank.reranker import Reranker
    from mercer.search.learned import Learned, Studied

__all__ = ["Ranked", "Ranking"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """What the stages made of an answer: the same products in another order."""

    found: Found
    order: NDArray[np.int64]
    """Places in `found` of what belongs to the answer, best first."""
    studied: Studied | None = None
    """What the trees were told, where they took part."""
    missing: str = ""
    """ "" or what a stage could not do."""

    def packed(self, place: int) -> bytes:
        """What trees were told of the product at a place of `found`; empty where none were asked."""
        return self.studied.packed(place) if self.studied else b""


class Ranking:
    """The stages between the hybrid score and the rules, each where the shop has it. Safe to call from several threads.

    Trees order the whole answer, a cross-encoder its first products, and spreading moves products among the first.
    """

    def __init__(
        self,
        index: Index,
        settings: HybridSettings,
        *,
        learned: Learned | None,
        reranker: Reranker | None,
        popularity: Mapping[str, float],
    ) -> None:
        self.index, self.settings, self.learned = index, settings, learned
        self._popularity = popularity
        self.rerank = Rerank(reranker, settings) if reranker is not None else None
        self.spread = Spread(index, settings.diversity, popularity) if settings.diversity.on else None

    def __call__(
        self,
        known: Understood,
        request: Request,
        ruling: Ruling,
        found: Found,
        order: NDArray[np.int64],
        *,
        stages: dict[str, float],
        system: System,
    ) -> Ranked:
        """Only an answer by relevance is put in another order; browsing and single arms know no trees, no reranker."""
        ranked = Ranked(found, order)
        if request.sort != "relevance":
            return ranked
        if known.raw and system == "hybrid":
            if self.learned and len(order):
                done = stopwatch(stages, "ranker")
                studied = self.learned(known, request, found, order)
                ranked = Ranked(studied.found, studied.order, studied)
                done()
            if self.settings.objectives and len(ranked.order):
                ranked = self._weighed(ranked)
            if self._reaches(request, ruling, self.settings.rerank):
                ranked = self._reranked(known.corrected or known.raw, ranked, stages)
        if self.spread and self._reaches(request, ruling, self.settings.diversity.depth):
            done = stopwatch(stages, "rank")
            found, shares = ranked.found, self._intents(known, ranked.found)
            scored, order = self.spread(found.ids, found.scored, ranked.order, shares=shares)
            ranked = replace(ranked, found=replace(ranked.found, scored=scored), order=order)
            done()
        return ranked

    def _weighed(self, ranked: Ranked) -> Ranked:
        """The answer by relevance and by what else the shop wants; equal ones by id."""
        import numpy as np

        found, order, columns = ranked.found, ranked.order, self.index.columns
        wants = {}
        for name, weight in self.settings.objectives.items():
            if name in ("popular", "new"):
                share = np.array([self._popularity.get(id, 0.0) for id in found.ids])
                numbers = share if name == "popular" else (share == 0).astype(np.float64)
            else:
                numbers = (columns.told if name.startswith("attributes.") else columns.numbers)(name, found.rows)
            wants[name] = weight, numbers
        scored = weighed(found.scored, order, wants)
        ids = np.array([found.ids[place] for place in order])
        order = order[np.lexsort((ids, -scored.scores[order]))]
        return replace(ranked, found=replace(found, scored=scored), order=order)

    def _intents(self, known: Understood, found: Found) -> list[tuple[NDArray[np.bool_], float]]:
        """The categories that an ambiguous query may want: which products are of each, and its share of the places."""
        meant = [step for step in known.steps if step.name == "intent"]
        if not self.settings.diversity.intents or len(meant) < 2:
            return []
        columns, share = self.index.columns, self.settings.diversity.intents
        masks = (columns.mask((Filter("category", (step.after,)),)) for step in meant)
        return [(mask[found.rows], share * step.confidence) for mask, step in zip(masks, meant, strict=True)]

    def told(self, ranked: Ranked, found: Found, shown: NDArray[np.int64]) -> Found:
        """`found`, as the rules left it, with a line for each signal of the trees in the ledgers of what is shown."""
        if self.learned is None or ranked.studied is None:
            return found
        return self.learned.told(ranked.studied, found, shown)

    @staticmethod
    def _reaches(request: Request, ruling: Ruling, depth: int) -> bool:
        """Whether a stage that moves no product past the first `depth` can change this page; boosts carry further."""
        return request.offset < depth or bool(ruling.of("boost", "bury"))

    def _reranked(self, query: str, ranked: Ranked, stages: dict[str, float]) -> Ranked:
        """The first products in the reranker's order, and "" or what it could not do."""
        if self.rerank is None:
            return replace(ranked, missing="no reranker: words and meaning only")
        done = stopwatch(stages, "rerank")
        ids = [ranked.found.ids[place] for place in ranked.order[: self.settings.rerank]]
        known = {product.id: passage(product) for product in self.index.products(ids)}
        texts = [known.get(id, "") for id in ids]  # "": deleted since it was found
        scored, order, missing = self.rerank(query, texts, ranked.found.scored, ranked.order)
        done()
        return replace(ranked, found=replace(ranked.found, scored=scored), order=order, missing=missing)
