"""Rankings in, the share of relevant products that was found out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.judged import Judged, ratio
from mercer.measure.metric import formula


@formula("Recall", "R")
def recall(judged: Judged) -> NDArray[np.float64]:
    """Relevant products in the first k places by all relevant products (trec_eval's ``recall``)."""
    return ratio(judged.relevant.sum(axis=1), judged.total)
