"""One row of rules.toml or of the API in; a merchandising rule whose every field has been checked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from mercer.errors import SettingsError
from mercer.records import Filter, Scene

__all__ = ["KINDS", "Kind", "Rule", "RuleSettings"]

Kind = Literal["hide", "filter", "pin", "boost", "bury", "redirect", "synonym", "banner"]
KINDS: tuple[Kind, ...] = get_args(Kind)

POINTS = 0.2
"""Points of a boost or bury that says none: a fifth of what a product with every word of the query has."""


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What rules may do."""

    hosts: tuple[str, ...] = ()
    """Other hosts that a redirect or a banner may lead to, by https; a path of the shop itself always may."""
    most: int = 1000
    """Rules that a shop may have; each is looked at in every search."""

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 10_000:
            raise SettingsError(f"[rules] most is {self.most}", cure="give a whole number from 1 to 10000")
        for host in self.hosts:
            if not host or host != host.lower() or any(mark in host for mark in "/:@* "):
                raise SettingsError(f"[rules] hosts has {host!r}", cure='give bare names: hosts = ["shop.example.com"]')


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done to which answers, and when. Conditions that are not given hold always; those given hold together."""

    id: str
    do: Kind
    note: str = ""
    """For people."""
    enabled: bool = True
    query: tuple[str, ...] = ()
    """Condition: the query is one of these."""
    words: tuple[str, ...] = ()
    """Condition: the query has all words of one of these, in any order."""
    pattern: tuple[str, ...] = ()
    """Condition: the query has a place that one of these regular expressions (RE2) fits."""
    category: tuple[str, ...] = ()
    """Condition: the shopper looks at one of these ("Home > Cups"), or below it."""
    scenes: tuple[Scene, ...] = ("search",)
    device: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    """Condition on the context that a request gives: one of these."""
    start: str = ""
    """First moment, ISO 8601 with its zone; or a day, from its first moment in the file's time zone."""
    end: str = ""
    """First moment at which it no longer holds; or a day, to whose last moment it holds."""
    products: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    """Products that meet them all; with `products`, both kinds are meant."""
    position: int = 1
    """Of a pin, 1 is the top; further products take the places behind it."""
    points: float = POINTS
    """Of a boost or bury."""
    url: str = ""
    text: str = ""
    image: str = ""
    synonyms: tuple[tuple[str, ...], ...] = ()
    """Groups of words that mean the same."""
    begins: int | None = None
    """`start` in UTC milliseconds."""
    ends: int | None = None

    def held(self, now: int) -> Literal["live", "planned", "ended", "off"]:
        """What it is at a moment, UTC milliseconds."""
        if not self.enabled:
            return "off"
        if self.begins is not None and now < self.begins:
            return "planned"
        return "ended" if self.ends is not None and now >= self.ends else "live"

    @property
    def asks(self) -> bool:
        """Whether it has a condition on the query."""
        return bool(self.query or self.words or self.pattern)

    @property
    def rank(self) -> tuple[int, str]:
        """Sorts the rules that win first: a later start, then the smaller id."""
        return (-(self.begins if self.begins is not None else -(2**60)), self.id)

    def row(self) -> dict[str, Any]:
        """What `rule_read.read_rule` reads back, as JSON has it: only what is not as usual."""
        usual, row = Rule(self.id, self.do), dict[str, Any]()
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("begins", "ends") or (
                field.name not in ("id", "do") and value == getattr(usual, field.name)
            ):
                continue
            if field.name == "filters":
                value = [filter_row(one) for one in value]
            elif field.name == "synonyms":
                value = [list(group) for group in value]
            row[field.name] = list(value) if isinstance(value, tuple) else value
        return row


def filter_row(filter: Filter) -> dict[str, Any]:
    """A filter without what it has not."""
    row: Mapping[str, Any] = {"values": list(filter.values), "low": filter.low, "high": filter.high}
    return {"field": filter.field, **{name: value for name, value in row.items() if value not in (None, [])}}
