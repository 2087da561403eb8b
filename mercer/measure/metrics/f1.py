"""Rankings in, the harmonic mean of precision and recall out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.judged import Judged, ratio
from mercer.measure.metric import formula


@formula("F1", "SetF")
def f1(judged: Judged) -> NDArray[np.float64]:
    """2PR / (P + R) with P and R cut at k, which is 2 · found / (places + relevant); without k ``set_F``."""
    places = judged.retrieved if judged.k is None else np.full_like(judged.retrieved, judged.k)
    return ratio(2 * judged.relevant.sum(axis=1), places + judged.total)
