"""What a first stage finds for queries in; wrong answers that look right, as pairs, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mercer.encode import Encoder
from mercer.learn.pairs.pair import gains_of, group_of, to_pairs
from mercer.rank.reranker import Reranker
from mercer.retrieve.index import Index

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Rankings", "first_stage", "hard"]

Rankings = Mapping[str, Sequence[str]]
"""Query text → product ids, best first."""
FUSION = 60
"""Added to a place before its reciprocal is taken (Cormack et al. 2009)."""


def first_stage(index: Index, encoder: Encoder, queries: Iterable[str], *, k: int = 60) -> dict[str, list[str]]:
    """The k best products of each query by words and by meaning, fused by reciprocal places."""
    asked = list(dict.fromkeys(queries))
    found: dict[str, list[str]] = {}
    for query, vector in zip(asked, encoder(asked, side="query"), strict=True):
        points: dict[str, float] = {}
        for arm in (index.lexical(query, k), index.dense(vector, k)):
            for place, candidate in enumerate(arm, 1):
                points[candidate.id] = points.get(candidate.id, 0.0) + 1 / (FUSION + place)
        found[query] = sorted(points, key=lambda id: (-points[id], id))[:k]
    return found


def hard(
    pairs: pa.Table,
    rankings: Rankings,
    texts: Mapping[str, str],
    *,
    each: int = 4,
    places: tuple[int, int] = (0, 50),
    teacher: Reranker | None = None,
    most: float = 0.5,
    seed: int = 7,
) -> pa.Table:
    """Pairs of gain 0 for the queries of `pairs`: products that a first stage ranks high and nobody judged.

    Left out are judged products, those whose text is a right answer's, and those that the teacher says may be right:
    whose relevance is above `most` of the mean of the query's right answers (L06 goes by vectors alone).

    Args:
        pairs: of `pairs.schema()`.
        rankings: of any of their queries; `first_stage` makes them.
        texts: product id → what is read of it; a product without one is left out.
        each: pairs a query.
        places: of the ranking, first and last but one, that are drawn from; many judgments allow 0 as the first.
        teacher: a cross-encoder; None trusts the gains.
        most: see above.
        seed: of the draw.
    """
    known = gains_of(pairs)
    rows = []
    for query in sorted(known.keys() & rankings.keys()):
        gains = known[query]
        right = [texts[id] for id, gain in gains.items() if gain > 0 and id in texts]
        open_ = [id for id in rankings[query][slice(*places)] if id not in gains and id in texts]
        open_ = [id for id in open_ if texts[id] not in right]
        if teacher is not None and open_ and right:
            limit = most * float(teacher(query, right).mean())
            said = teacher(query, [texts[id] for id in open_])
            open_ = [id for id, relevance in zip(open_, said.tolist(), strict=True) if relevance <= limit]
        rng = np.random.default_rng([seed, len(query), *query.encode()])
        for at in sorted(rng.choice(len(open_), min(each, len(open_)), replace=False)) if open_ else ():
            id = open_[at]
            rows.append((query, id, texts[id], 0.0, 1.0, group_of(query), None, "mined", f"products:{id}"))
    return to_pairs(rows)
