"""Graded rankings in, normalised discounted cumulative gain out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.judged import Judged, discounted, ratio
from mercer.measure.metric import formula


@formula("nDCG")
def ndcg(judged: Judged) -> NDArray[np.float64]:
    """Discounted gain of the ranking by that of the best possible one, both cut at k (trec_eval's ``ndcg_cut``)."""
    return ratio(discounted(judged.gains), discounted(judged.ideal))
