"""An experiment as its owner wrote it, and a shopper, in; the arm that this shopper has, always the same one, out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from mercer.errors import RequestError
from mercer.records import SCENES

__all__ = ["METRICS", "Arm", "Experiment", "Guardrail", "Kind", "Metric", "read"]

Kind = Literal["ab", "interleave"]
Metric = Literal["clicked", "clicks", "bought", "revenue", "zero_results", "abandoned", "first_click"]
METRICS: Mapping[Metric, int] = {
    "clicked": 1, "clicks": 1, "bought": 1, "revenue": 1, "zero_results": -1, "abandoned": -1, "first_click": -1,
}  # fmt: skip
"""What is measured of each shopper, and which way is better: whether anything was clicked, clicks an answer, whether
anything was bought, what was paid, shares of answers with nothing on them and without a click, seconds to a click."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
ARMS = 6
"""More arms than that share too few shoppers."""


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What an arm may cost at most; one that surely costs more is stopped."""

    metric: Metric
    worse: float
    """By how much an arm may be worse than the first, in the metric's own unit."""

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise RequestError(f"guardrail of {self.metric!r:.80}", cure=f"give one of: {', '.join(METRICS)}")
        if not 0 <= self.worse < 1e9:
            raise RequestError(f"guardrail of {self.metric}: worse is {self.worse}", cure="give 0 or more")


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to answer."""

    name: str
    weight: float = 1.0
    """Its share of the shoppers is this by the sum of all."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the shop's own, as ``{"rank.diversity.how": "mmr"}``; empty changes nothing."""
    stopped: str = ""
    """Why its shoppers get the first arm's answers now, and are counted no more; "" where they do not."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Arms that shoppers are shared out over; the first is what the others are held against."""

    id: str
    arms: tuple[Arm, ...]
    kind: Kind = "ab"
    scenes: tuple[str, ...] = ("search",)
    share: float = 1.0
    """Of all shoppers; the others are no part of it."""
    salt: str = ""
    """Makes this experiment's shares independent of others'; "" is its id."""
    metric: Metric = "clicked"
    """What it is decided by."""
    guardrails: tuple[Guardrail, ...] = ()
    settle_hours: float = 1.0
    """Hours after a shopper's first answer that count, and after which the shopper is counted."""
    plan: int = 2000
    """Shoppers of two arms at which the interval is to be tightest."""
    state: Literal["running", "stopped"] = "running"
    started: int = 0
    """UTC milliseconds."""
    ended: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        _refuse(self)

    def assign(self, shopper: str) -> Arm | None:
        """The arm of a shopper (or, of nobody known, a session); None where they are no part of it.

        >>> even = Experiment("colours", (Arm("a"), Arm("b")))
        >>> [even.assign(str(number)).name for number in range(8)]
        ['a', 'a', 'b', 'b', 'a', 'a', 'b', 'a']
        """
        if not shopper or self.state != "running":
            return None
        among, chance = _chances(self.salt or self.id, shopper)
        if among >= self.share:
            return None
        left = chance * sum(arm.weight for arm in self.arms)
        for arm in self.arms:
            left -= arm.weight
            if left < 0:
                return arm
        return self.arms[-1]

    def arm(self, name: str) -> Arm:
        """Raises RequestError where there is none of that name."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise RequestError(f"experiment {self.id} has no arm {name!r:.80}", cure=f"arms: {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(arm.name for arm in self.arms)

    def row(self) -> dict[str, Any]:
        """What `read` reads back."""
        return asdict(self)


def _chances(salt: str, shopper: str) -> tuple[float, float]:
    """Two independent numbers of [0, 1) that are always the same for this salt and shopper."""
    digest = hashlib.blake2b(f"{salt}\0{shopper}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big") / 2**64, int.from_bytes(digest[8:], "big") / 2**64


def read(row: Mapping[str, Any]) -> Experiment:
    """An experiment as JSON or TOML has it.

    Raises:
        RequestError: an unknown field, or a value that cannot be.
    """
    known = {one.name for one in fields(Experiment)}
    if unknown := sorted(set(row) - known):
        raise RequestError(f"experiment has {unknown[0]!r:.80}", cure=f"known: {', '.join(sorted(known))}")
    try:
        arms = tuple(Arm(**{**one, "settings": dict(one.get("settings", {}))}) for one in row["arms"])
        guardrails = tuple(Guardrail(**one) for one in row.get("guardrails", ()))
        scenes = tuple(row.get("scenes", ("search",)))
        return Experiment(**{**row, "arms": arms, "guardrails": guardrails, "scenes": scenes})
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        cure = 'give {"id": "…", "arms": [{"name": "a"}, {"name": "b", "settings": {"rank.ranker": "off"}}]}'
        raise RequestError(f"experiment cannot be read: {error!r:.200}", cure=cure) from error


def _refuse(one: Experiment) -> None:
    """Raise what is wrong with it."""
    for name in (one.id, *one.names):
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise RequestError(f"name {name!r:.80}", cure="give 1 to 41 of a-z, 0-9 and -")
    if len(set(one.names)) != len(one.arms) or not 2 <= len(one.arms) <= ARMS:
        raise RequestError(
            f"experiment {one.id} has arms {one.names}", cure=f"give 2 to {ARMS} arms of different names"
        )
    if one.kind not in get_args(Kind) or (one.kind == "interleave" and len(one.arms) != 2):
        raise RequestError(f"experiment {one.id} is {one.kind!r:.80}", cure="give ab, or interleave with two arms")
    if not one.scenes or any(scene not in SCENES for scene in one.scenes):
        raise RequestError(f"scenes of {one.id} are {one.scenes!r:.200}", cure=f"give some of: {', '.join(SCENES)}")
    if one.metric not in METRICS:
        raise RequestError(f"metric of {one.id} is {one.metric!r:.80}", cure=f"give one of: {', '.join(METRICS)}")
    bounds = (("share", 0, 1), ("settle_hours", 0, 24 * 60), ("plan", 10, 10**9))
    for name, low, high in bounds:
        value = getattr(one, name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise RequestError(f"{name} of {one.id} is {value!r:.80}", cure=f"give a number from {low} to {high}")
    if any(isinstance(arm.weight, bool) or not 0 < float(arm.weight) < 1e6 for arm in one.arms):
        raise RequestError(f"a weight of {one.id} is not above 0", cure="give weights above 0, or leave the arm out")
    if len(one.note) > 500 or len(one.salt) > 100:
        raise RequestError(f"note or salt of {one.id} is too long", cure="give 500 and 100 characters at most")
