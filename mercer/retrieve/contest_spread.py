"""A trial and one system's rankings in; how wide and how new they are, and whom they serve, out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mercer.measure.spread import Spread, spread
from mercer.retrieve.contest import Ranked
from mercer.retrieve.holdout import Trial
from mercer.retrieve.linear_features import Description

__all__ = ["spread_of"]


def spread_of(ranked: Ranked, trial: Trial, known: Mapping[str, Description] | None = None, *, k: int = 10) -> Spread:
    """See `measure.spread`; popularity is of different shoppers in the part that was learnt from."""
    names, wanted = trial.train.products.names.to_pylist(), trial.train.wanted()
    counts = np.bincount(wanted.product, minlength=len(names)).tolist()
    asked = trial.asked
    past = {
        who: [names[code] for code in asked.product[asked.start[at] : asked.start[at + 1]].tolist() if code >= 0]
        for at, who in enumerate(trial.shoppers)
    }
    tags = {id: description.tags for id, description in (known or {}).items()}
    return spread(ranked.runs, trial.chosen, counts=dict(zip(names, counts, strict=True)), past=past, tags=tags, k=k)
