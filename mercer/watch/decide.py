"""What changed, how search does and what is new in; whether to train or index again, and because of what, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercer.watch.drift import GROUPS, Drift
from mercer.watch.health import Health, Point

__all__ = ["Decision", "News", "decide"]

CALM = ("scores", "training")
"""Groups that alone are no reason: a score has no right value, and what is shown is not drawn as training lists are."""
FELL = 0.9
"""Corrected clicks by those of before, below which the whole interval must lie: a guess."""
MORE = 0.5
"""New clicks by those that were learnt from, from which there is something to learn: a guess."""
CLICKS = 1000
"""New clicks below which there is nothing to learn from them alone: a guess."""
CHANGED = 0.05
"""Share of products changed since the index was built from which statistics of it are stale: a guess."""


@dataclass(frozen=True, slots=True)
class News:
    """What has come since the live index was built."""

    clicks: int
    """In the log."""
    learnt: int
    """Clicks that it was built from."""
    changed: int
    """Products changed, new or gone."""
    products: int
    """Products that it was built from."""
    checked: str = ""
    """A checked version newer than that of the index; "" where there is none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, with the evidence for and against."""

    retrain: bool
    index: bool
    """Whether to build the index again, which retraining asks for in any case."""
    because: tuple[str, ...]
    """Evidence for; where there is none, what was looked at."""
    against: tuple[str, ...]
    """What was looked at and speaks against."""


def decide(health: Health, drift: Sequence[Drift], news: News) -> Decision:
    """Train again where what was learnt from is no more, where search got worse, or where there is much to learn."""
    learn, again, calm = list[str](), list[str](), list[str]()
    for group in GROUPS:
        held = [one for one in drift if one.group == group]
        high = [one for one in held if one.severity == "high"]
        if high and group not in CALM:
            learn.append(f"{group} changed: " + "; ".join(_said(one) for one in high[:3]))
        elif held:
            top = held[0]
            calm.append(f"{group}: {len(held)} compared, the most: {_said(top)}")
    fell = _fell(health)
    (learn if fell and fell[0] else calm).append(fell[1] if fell else "clicks: too few windows to compare")
    more = news.clicks >= CLICKS and news.clicks >= MORE * news.learnt
    (learn if more else calm).append(f"{news.clicks:,} new clicks, {news.learnt:,} were learnt from")
    stale = news.products and news.changed / news.products >= CHANGED
    said = f"{news.changed:,} of {news.products:,} products changed since the index was built"
    (again if stale else calm).append(said)
    if news.checked:
        again.append(f"checked version {news.checked} is newer than the index")
    because = (*learn, *again) or ("nothing speaks for it",)
    return Decision(bool(learn), bool(learn or again), because, tuple(calm))


def _said(one: Drift) -> str:
    change = one.change
    return f"{one.what} ({change.unit} {change.size:.3f}, corrected p {one.corrected:.2g}, {one.severity})"


def _fell(health: Health) -> tuple[bool, str] | None:
    """Whether the last window's clicks are surely fewer than before."""
    points = [one for one in health.points if (one.measure, one.slice) == ("ctr_ratio", "all")]
    if not points:
        return None
    last: Point = points[-1]
    one = last.estimate
    said = f"clicks a look are {one.value:.2f} [{one.low:.2f}, {one.high:.2f}] of those before"
    return one.high < FELL, said
