"""Lexical scores and cosines in, one calibrated score a product out, with the parts that it is the sum of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mercer.errors import SettingsError
from mercer.rank.diverse import DiverseSettings
from mercer.rank.objective import check_objectives

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Background", "HybridSettings", "Scored", "hybrid"]

AS_PUBLISHED = -1
"""Of a setting that the index's card has."""
UNPUBLISHED: Mapping[str, Any] = {"rerank": 0, "rerank_weight": 0.7}
"""Where the card says nothing: no reranking; of a reranker that nobody weighed, a guess."""


@dataclass(frozen=True, slots=True)
class HybridSettings:
    """How words and meaning share the score."""

    dense: float = 0.4
    """Weight of meaning, 0 to 1; words have the rest. Between .3 and .5 makes no difference that 250 queries show."""
    spread: float = 8.0
    """Standard deviations above a chance cosine that count as full likeness: the 95th percentile of best hits."""
    cut: float = 0.25
    """A product belongs to the answer from this share of the best score on; totals and facets count just these."""
    rerank: int = AS_PUBLISHED
    """Products, best first, that a cross-encoder reads together with the query; 0 is none, -1 as many as the index was
    published with: 50 with a reranker that `mercer learn` proved, else none."""
    rerank_budget: float = 200.0
    """Milliseconds that it has for one query; products that do not fit keep their places."""
    rerank_weight: float = AS_PUBLISHED
    """Weight of what it says against the score so far, 0 to 1; -1 is what the index was published with, else .7."""
    ranker: str = ""
    """Version of a model of kind ranker; "" is the one that the index was published with, off is none."""
    reranker: str = ""
    """Version of a model of kind reranker, or a folder; "" is the one that the index was published with."""
    objectives: Mapping[str, float] = field(default_factory=dict)
    """What else counts beside relevance: price, rating, popular, new or attributes.NAME → points of score, -1 to 1."""
    diversity: DiverseSettings = field(default_factory=DiverseSettings)
    """How the first places are spread over kinds of products, and floors for new and long-tail ones."""

    def __post_init__(self) -> None:
        limits = (
            ("dense", 0.0, 1.0),
            ("spread", 0.5, 100.0),
            ("cut", 0.0, 1.0),
            ("rerank", 0, 1000),
            ("rerank_budget", 1.0, 600_000.0),
            ("rerank_weight", 0.0, 1.0),
        )
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high and not (name in UNPUBLISHED and value == AS_PUBLISHED):
                raise SettingsError(f"[rank] {name} is {value}", cure=f"give a number from {low:g} to {high:g}")
        check_objectives(self.objectives)

    def closed(self, published: Mapping[str, Any] = UNPUBLISHED) -> HybridSettings:
        """With a number in place of every -1: what an index was published with, else `UNPUBLISHED`.

        >>> HybridSettings(rerank=20).closed({"rerank": 50, "rerank_weight": 0.4}).rerank_weight
        0.4
        """
        left = {name for name in UNPUBLISHED if getattr(self, name) == AS_PUBLISHED}
        return replace(self, **{name: value for name, value in {**UNPUBLISHED, **published}.items() if name in left})


@dataclass(frozen=True, slots=True)
class Background:
    """What a cosine between this query and a product taken by chance looks like."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, cosines: NDArray[np.float32]) -> Background:
        """From the query's cosines with a sample of the catalogue; two products are needed for a deviation."""
        if len(cosines) < 2:
            return cls(0.0, 0.1)
        return cls(float(cosines.mean()), max(float(cosines.std()), 1e-3))


@dataclass(frozen=True, slots=True)
class Scored:
    """Final scores, shape (n,), and the parts that sum to them."""

    scores: NDArray[np.float64]
    parts: dict[str, NDArray[np.float64]]
    values: dict[str, NDArray[np.float64]]
    """What each part was worked out from, as the retriever gave it."""


def hybrid(
    lexical: NDArray[np.float64],
    cosine: NDArray[np.float64] | None,
    *,
    attainable: float,
    background: Background | None,
    settings: HybridSettings,
) -> Scored:
    """Blend two scales that mean something on their own, so that a score can be compared across queries.

    Words count as the share of what BM25 could give for this query; meaning as standard deviations above a chance
    cosine (the encoder's own scale drops out, so compressed cosines do no harm), `spread` of them being 1:

        score = (1 - dense) * lexical / attainable + dense * (cosine - mean) / (spread * deviation)

    Without an encoder, or without a word that the shop knows, the other arm has the whole weight.
    """
    import numpy as np

    worded = attainable > 0 and bool(lexical.any())
    by_meaning = settings.dense if worded else 1.0
    if cosine is None or background is None:
        by_meaning = 0.0
    share = lexical / attainable if worded else np.zeros_like(lexical)
    parts, values = {"words": (1 - by_meaning) * share}, {"words": lexical}
    if cosine is not None and background is not None:
        above = (cosine - background.mean) / (settings.spread * background.deviation)
        parts["meaning"], values["meaning"] = by_meaning * above, cosine
    return Scored(np.sum(list(parts.values()), axis=0), parts, values)
