"""Facts about a shopper in; the groups they belong to, each with the rule that put them there, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Segment", "segments"]

NEW, ACTIVE, COOLING = 7.0, 14.0, 60.0
"""Days. Guesses; a shop whose customers come once a season will find everybody lapsed."""
LOYAL, LOYAL_PRODUCTS = 0.5, 4
"""Share of one brand, and products of it, from which a shopper is loyal to it."""
CHEAP, DEAR = 1 / 3, 2 / 3
"""Places within their categories."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A group that a shopper is in."""

    name: str
    why: str


def segments(
    *,
    products: int,
    bought_days: int,
    age: float,
    idle: float,
    level: float | None,
    brands: Sequence[tuple[str, float, int]],
) -> tuple[Segment, ...]:
    """Every group whose rule holds.

    Args:
        products: different ones dealt with.
        bought_days: days with a purchase.
        age: days since the first action that is known.
        idle: days since the last one.
        level: mean place of prices within their categories, 0 to 1; None where unknown.
        brands: (name, share of actions, products) of each.

    >>> [one.name for one in segments(products=1, bought_days=0, age=2, idle=2, level=None, brands=())]
    ['one product', 'new', 'active', 'looks only']
    """
    found = [Segment("one product", "one product is all there is to go by")] if products == 1 else []
    if products and age <= NEW:
        found.append(Segment("new", f"first seen {age:.1f} days ago, at most {NEW:g}"))
    if products:
        name = "active" if idle <= ACTIVE else "cooling" if idle <= COOLING else "lapsed"
        found.append(
            Segment(name, f"last seen {idle:.1f} days ago; active up to {ACTIVE:g}, cooling up to {COOLING:g}")
        )
        name = "buys again" if bought_days > 1 else "bought once" if bought_days else "looks only"
        found.append(Segment(name, f"purchases on {bought_days} days"))
    if level is not None:
        name = "budget" if level < CHEAP else "premium" if level > DEAR else "middle price"
        found.append(Segment(name, f"prices lie at {level:.0%} of their categories, 0 % being the cheapest"))
    for brand, share, count in brands:
        if share >= LOYAL and count >= LOYAL_PRODUCTS:
            found.append(Segment(f"loyal to {brand}", f"{share:.0%} of actions, {count} products"))
    return tuple(found)
