"""Rankings in, the mean of the precision at each relevant product out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.judged import Judged, ratio, summed
from mercer.measure.metric import formula


@formula("MAP", "AP")
def average_precision(judged: Judged) -> NDArray[np.float64]:
    """Precision at each relevant product within k, summed, by all relevant products (trec_eval's ``map_cut``)."""
    places = np.arange(1, judged.relevant.shape[1] + 1)
    precisions = judged.relevant.cumsum(axis=1) / places * judged.relevant
    return ratio(summed(precisions), judged.total)
