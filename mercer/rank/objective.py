"""Scores of an answer and what else a shop wants of it in; the same scores with a part for each of those wants out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mercer.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.rank.hybrid import Scored

__all__ = ["OBJECTIVES", "SIGNAL", "check_objectives", "weighed"]

OBJECTIVES = ("price", "rating", "popular", "new")
"""Beside ``attributes.NAME``, any number that a shop gives of its products, such as its margin."""
SIGNAL = "objective "
"""Begins the signal of an objective's line in a ledger."""


def check_objectives(weights: Mapping[str, float]) -> None:
    """Refuse what cannot be weighed.

    Raises:
        SettingsError: an unknown objective, or a weight beyond -1 to 1.
    """
    for name, weight in weights.items():
        if name not in OBJECTIVES and not (name.startswith("attributes.") and name != "attributes."):
            raise SettingsError(
                f"[rank.objectives] has {name!r}", cure=f"give {', '.join(OBJECTIVES)} or attributes.NAME"
            )
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not -1 <= weight <= 1:
            raise SettingsError(f"[rank.objectives] {name} is {weight!r}", cure="give a number from -1 to 1")


def weighed(
    scored: Scored,
    order: NDArray[np.int64],
    wants: Mapping[str, tuple[float, NDArray[np.float64]]],
) -> Scored:
    """Add to each product of the answer its place by each number, from -1/2 (least) to 1/2 (most), times the weight.

    Places and not the numbers themselves, so that a weight is in points of the score whatever the unit is: the best and
    the worst of an answer differ by just the weight. What nobody knows the number of gains and loses nothing.

    Args:
        scored: of n products; its parts are kept.
        order: places of those that belong to the answer.
        wants: objective → (weight, numbers (n,), NaN where unknown).
    """
    import numpy as np

    parts, values = dict(scored.parts), dict(scored.values)
    for name, (weight, numbers) in wants.items():
        known = order[~np.isnan(numbers[order])]
        if not weight or len(known) < 2:
            continue
        levels, place = np.unique(numbers[known], return_inverse=True)
        if len(levels) < 2:
            continue
        below = np.cumsum(np.bincount(place)) - np.bincount(place)
        middle = (below + (np.bincount(place) - 1) / 2) / (len(known) - 1) - 0.5  # equal numbers share a place
        part, value = np.zeros(len(scored.scores)), np.full(len(scored.scores), np.nan)
        part[known], value[known] = weight * middle[place], numbers[known]
        parts[SIGNAL + name], values[SIGNAL + name] = part, value
    if len(parts) == len(scored.parts):
        return scored
    from mercer.rank.hybrid import Scored

    return Scored(np.sum(list(parts.values()), axis=0), parts, values)
