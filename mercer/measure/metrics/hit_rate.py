"""Rankings in, whether a relevant product is among the first places out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.judged import Judged
from mercer.measure.metric import formula


@formula("HR", "Hit", "Success")
def hit_rate(judged: Judged) -> NDArray[np.float64]:
    """1 where at least one relevant product is within k, else 0 (trec_eval's ``success``)."""
    return np.asarray(judged.relevant.any(axis=1), dtype=np.float64)
