"""Scores, their order and what products have in common in; the first places spread over kinds of products out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mercer.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.rank.hybrid import Scored

__all__ = ["MEANING", "DiverseSettings", "floored", "likeness", "mmr", "rearranged", "xquad"]

SIGNAL = "diversity"
MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class DiverseSettings:
    """How the first places are spread, and who is sure of some of them."""

    how: Literal["off", "mmr", "xquad"] = "off"
    """mmr puts off what is like a product above it; xquad covers the kinds that the query's best products have."""
    weight: float = 0.2
    """Of being unlike against the score, 0 to 1."""
    depth: int = 50
    """Products, best first, that may change places; the answer's set and everything below them stay."""
    by: tuple[str, ...] = ("category", "brand")
    """What makes products alike: category (the whole path), brand, attributes.NAME, such as attributes.seller, or
    meaning, the cosine of their vectors; meaning goes with mmr."""
    tail: float = 0.0
    """Share of the places, counted from the top, that products outside the most popular fifth have at least."""
    fresh: float = 0.0
    """The same for products that no event is known of."""
    intents: float = 0.0
    """Of an ambiguous query's places, the share of its probability that each of its likely categories has at least."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("weight", 0, 1),
            ("depth", 2, 1000),
            ("tail", 0, 1),
            ("fresh", 0, 1),
            ("intents", 0, 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"diversity.{name} is {value}", cure=f"give a number from {low} to {high}")
        for field in self.by:
            if field not in ("category", "brand", MEANING) and not field.startswith("attributes."):
                cure = "give category, brand, attributes.NAME or meaning"
                raise SettingsError(f"diversity.by has {field!r}", cure=cure)
        if self.how == "xquad" and MEANING in self.by:
            raise SettingsError("diversity.by has 'meaning', diversity.how is xquad", cure='give how = "mmr"')
        if not self.by:
            raise SettingsError("diversity.by is empty", cure='give a list: by = ["category", "brand"]')

    @property
    def on(self) -> bool:
        return self.how != "off" or self.tail > 0 or self.fresh > 0 or self.intents > 0


def likeness(kinds: NDArray[np.int64], cosines: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """How alike products are, 0 to 1, shape (n, n): the mean over the fields of whether their values are the same.

    Args:
        kinds: (n, fields), a number for each value; below 0 is unknown, and like nothing.
        cosines: (n, n) of their vectors, one more field where given: 0 is the least of them, 1 the largest of two.
    """
    import numpy as np

    tables = [((column[:, None] == column) & (column >= 0)).astype(np.float64) for column in kinds.T]
    if cosines is not None and len(cosines) > 1:
        others = cosines[~np.eye(len(cosines), dtype=bool)]
        span = max(float(others.max() - others.min()), 1e-9)
        tables.append(np.clip((cosines - others.min()) / span, 0.0, 1.0))
    return np.asarray(np.mean(tables, axis=0)) if tables else np.zeros((len(kinds), len(kinds)))


def mmr(relevance: NDArray[np.float64], alike: NDArray[np.float64], *, weight: float) -> list[int]:
    """Maximal marginal relevance (Carbonell and Goldstein 1998).

    Args:
        relevance: (n,), 0 to 1.
        alike: (n, n), 0 to 1, as `likeness` gives it.
        weight: of the largest likeness to a product chosen before.
    """
    import numpy as np

    nearest, left, chosen = np.zeros(len(relevance)), np.ones(len(relevance), dtype=bool), list[int]()
    for _ in range(len(relevance)):
        best = int(np.where(left, (1 - weight) * relevance - weight * nearest, -np.inf).argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, alike[best])
    return chosen


def xquad(relevance: NDArray[np.float64], kinds: NDArray[np.int64], *, weight: float) -> list[int]:
    """Explicit aspect diversification (Santos, Macdonald and Ounis 2010), the aspects being values of the fields.

    How much a query is about a value is its share of the relevance; a product serves its values by its relevance.
    """
    import numpy as np

    fields = [np.unique(column, return_inverse=True) for column in kinds.T]
    about, left, chosen = [], np.ones(len(relevance), dtype=bool), list[int]()
    for values, places in fields:
        wanted = np.bincount(places, weights=relevance + 1e-9, minlength=len(values)) * (values >= 0)
        about.append(wanted / max(wanted.sum(), 1e-9))
    unserved = [np.ones(len(values)) for values, _ in fields]
    for _ in range(len(relevance)):
        new = np.mean([(a * u)[p] for a, u, (_, p) in zip(about, unserved, fields, strict=True)], axis=0) * relevance
        best = int(np.where(left, (1 - weight) * relevance + weight * new, -np.inf).argmax())
        chosen.append(best)
        left[best] = False
        for (_, places), served in zip(fields, unserved, strict=True):
            served[places[best]] *= 1 - relevance[best]
    return chosen


def floored(order: Sequence[int], member: NDArray[np.bool_], share: float) -> list[int]:
    """An order in which the first i places have at least ⌊share · i⌋ members, as long as there are any.

    The others keep their order, and so do the members: FA*IR (Zehlike et al. 2017) without its test.
    """
    members, others, out = [one for one in order if member[one]], [one for one in order if not member[one]], list[int]()
    place, had = {one: at for at, one in enumerate(order)}, 0
    while members or others:
        due = had < int(share * (len(out) + 1) + 1e-9)
        first = bool(members) and (not others or place[members[0]] < place[others[0]])
        if members and (due or first):
            out.append(members.pop(0))
            had += 1
        else:
            out.append(others.pop(0))
    return out


def rearranged(scored: Scored, order: NDArray[np.int64], chosen: Sequence[int]) -> tuple[Scored, NDArray[np.int64]]:
    """The first of `order` in another order, `chosen`, with the scores that those places had.

    What a product gains or loses by it is its part of signal ``diversity``, whose value is the places that it rose: the
    ledger sums to the score, and the order is still that of the scores.
    """
    import numpy as np

    first = order[: len(chosen)]
    moved = first[np.array(chosen, dtype=np.int64)] if len(chosen) else first
    heights = np.sort(scored.scores[first])[::-1]
    part, rose = np.zeros(len(scored.scores)), np.full(len(scored.scores), np.nan)
    part[moved] = heights - scored.scores[moved]
    up = np.array(chosen, dtype=np.float64) - np.arange(len(chosen))
    rose[moved] = np.where(up == 0, np.nan, up)
    part[moved] = np.where(up == 0, 0.0, part[moved])
    if np.isnan(rose).all():
        return scored, order
    from mercer.rank.hybrid import Scored

    parts, values = scored.parts | {SIGNAL: part}, scored.values | {SIGNAL: rose}
    return Scored(scored.scores + part, parts, values), np.concatenate([moved, order[len(chosen) :]])
