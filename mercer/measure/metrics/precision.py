"""Rankings in, the share of places that hold a relevant product out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.judged import Judged, ratio
from mercer.measure.metric import formula


@formula("Precision", "P")
def precision(judged: Judged) -> NDArray[np.float64]:
    """Relevant products in the first k places by k, even of a shorter ranking (trec_eval's ``P``).

    Without k it is by the length of the ranking (``set_P``).
    """
    return ratio(judged.relevant.sum(axis=1), judged.retrieved if judged.k is None else judged.k)
