"""Rankings in, one by the place of the first relevant product out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.judged import Judged
from mercer.measure.metric import formula


@formula("MRR", "RR")
def mrr(judged: Judged) -> NDArray[np.float64]:
    """1 / place of the first relevant product, 0 where none is within k (trec_eval's ``recip_rank``)."""
    return np.where(judged.relevant.any(axis=1), 1.0 / (judged.relevant.argmax(axis=1) + 1), 0.0)
