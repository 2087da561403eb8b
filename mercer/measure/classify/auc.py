"""Two-valued truth and scores in, the area under the receiver operating characteristic out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mercer.errors import RequestError


def auc(truth: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a true row scores above a false one, ties half (Mann and Whitney 1947).

    Args:
        truth: (n,) of 0 and 1 or False and True.
        scores: (n,) finite, higher is surer.

    Raises:
        RequestError: other shapes or values, or a truth of one kind only, for which there is no area.

    >>> auc([0, 0, 1, 1], [.1, .4, .35, .8])
    0.75
    """
    flags, values = np.asarray(truth, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if flags.ndim != 1 or flags.shape != values.shape:
        raise RequestError(f"truth has shape {flags.shape}, scores {values.shape}", cure="give one of each a row")
    if not np.isin(flags, (0.0, 1.0)).all() or not np.isfinite(values).all():
        raise RequestError("truth is not all 0 and 1, or scores are not all finite", cure="leave such rows out")
    positive = flags == 1
    above, below = int(positive.sum()), int((~positive).sum())
    if not above or not below:
        raise RequestError(f"truth has {above} true and {below} false rows", cure="give at least one of each")
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    places = (np.cumsum(size) - (size - 1) / 2)[group]  # the mean place of each group of ties, from 1
    return float((places[positive].sum() - above * (above + 1) / 2) / (above * below))
