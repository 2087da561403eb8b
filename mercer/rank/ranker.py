"""Hybrid scores, features and trees in; new scores with one more part, and who made how much of it, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercer.rank.feature import FEATURES, SIGNALS
from mercer.rank.hybrid import Scored
from mercer.rank.trees import Trees

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LEARNT", "learnt", "told"]

LEARNT = "ranker"
"""Part of the score that trees made, until `told` says which signals it is the sum of."""


def learnt(scored: Scored, added: NDArray[np.float64]) -> Scored:
    """Scores of the hybrid plus what trees add to them, (n,); the parts of the hybrid stay."""
    return Scored(scored.scores + added, scored.parts | {LEARNT: added}, scored.values | {LEARNT: added})


def told(scored: Scored, places: NDArray[np.int64], features: NDArray[np.float64], trees: Trees) -> Scored:
    """The same scores with one part a signal in the place of `LEARNT`, for the products at `places` alone.

    A signal's value is that of its feature that did most; 0 where that is unknown. The others have no line of it.

    Args:
        scored: as `learnt` gave it, or with parts of later stages.
        places: of the products to be told of, (m,).
        features: (n, features), in the order of `feature.FEATURES`.
        trees: what was added by.
    """
    import numpy as np

    each = trees.parts(features[places])
    rest = scored.parts[LEARNT][places] - each.sum(axis=1)  # the last bits of a sum in another order
    parts = {name: part for name, part in scored.parts.items() if name != LEARNT}
    values = {name: value for name, value in scored.values.items() if name != LEARNT}
    for number, signal in enumerate(SIGNALS):
        columns = np.array([at for at, feature in enumerate(FEATURES) if feature.signal == signal])
        mine = each[:, columns]
        if not mine.any():
            continue
        most = columns[np.abs(mine).argmax(axis=1)]
        part, value = np.zeros(len(scored.scores)), np.full(len(scored.scores), np.nan)
        part[places] = mine.sum(axis=1) + (rest if number == 0 else 0.0)
        value[places] = np.nan_to_num(features[places, most])
        parts[f"{LEARNT} {signal}"], values[f"{LEARNT} {signal}"] = part, value
    return Scored(scored.scores, parts, values)
