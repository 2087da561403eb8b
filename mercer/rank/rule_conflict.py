"""All rules, the catalogue and queries of the log in; what contradicts, shadows or never comes to anything out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from mercer.rank.rule import Rule
from mercer.rank.rule_when import Reading
from mercer.rank.rules import Rules
from mercer.records import Filter

__all__ = ["Conflict", "conflicts", "touched"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that a person should decide."""

    problem: Literal[
        "one position", "one product", "hidden", "filtered out", "boost and bury", "unknown product", "no product",
        "never", "unasked", "redirects", "banners", "loop",
    ]  # fmt: skip
    rules: tuple[str, ...]
    """Those it is about, the one that wins first."""
    said: str


def conflicts(
    rules: Rules,
    *,
    now: int,
    reading: Reading,
    queries: Sequence[str] = (),
    meeting: Callable[[Sequence[Filter]], set[str]] | None = None,
) -> list[Conflict]:
    """What is wrong with rules that are live or planned.

    Args:
        rules: of the shop.
        now: UTC milliseconds.
        reading: how queries are made comparable.
        queries: of the log; two patterns are compared by these alone.
        meeting: ids of the products that meet filters, of all products where there are none; None where the
            catalogue is not at hand.
    """
    coming = [rule for rule in rules.rules if rule.held(now) in ("live", "planned")]
    meets = {rule.id: {query for query in queries if rules.when[rule.id].meets(query)} for rule in coming if rule.asks}
    met = _Met(rules, reading, meets)
    found = [*_alone(coming, met, queries)]
    for one, other in itertools.combinations(coming, 2):
        if met(one, other):
            found.extend(_pair(one, other))
    if meeting is not None:
        found.extend(_catalogue(coming, met, meeting))
    return sorted(found, key=lambda conflict: (conflict.problem, conflict.rules))


def touched(rules: Rules, rule: Rule, queries: Iterable[str]) -> list[str]:
    """Folded queries that meet a rule's conditions on the query; all where it has none."""
    return [query for query in queries if not rule.asks or rules.when[rule.id].meets(query)]


class _Met:
    """Whether two rules can hold for one request. Never says no where a query at hand shows that they can."""

    def __init__(self, rules: Rules, reading: Reading, meets: dict[str, set[str]]) -> None:
        self.rules, self.reading, self.meets = rules, reading, meets

    def __call__(self, one: Rule, other: Rule) -> bool:
        if not set(one.scenes) & set(other.scenes) or _ends(one) <= _begins(other) or _ends(other) <= _begins(one):
            return False
        for name in ("device", "place", "segment"):
            mine, theirs = (set(map(self.reading.fold, getattr(rule, name))) for rule in (one, other))
            if mine and theirs and not mine & theirs:
                return False
        if one.category and other.category and not self._category(one, other):
            return False
        return not (one.asks and other.asks) or self._query(one, other)

    def _category(self, one: Rule, other: Rule) -> bool:
        paths = [self.rules.when[rule.id].categories for rule in (one, other)]
        return any(
            mine[: len(theirs)] == theirs or theirs[: len(mine)] == mine for mine in paths[0] for theirs in paths[1]
        )

    def _query(self, one: Rule, other: Rule) -> bool:
        if self.meets[one.id] & self.meets[other.id] or set(one.pattern) & set(other.pattern):
            return True
        said = [[*rule.query, *rule.words] for rule in (one, other)]
        both = (f"{mine} {theirs}" for mine in said[0] for theirs in said[1])
        whens = [self.rules.when[rule.id] for rule in (one, other)]
        tried = (self.reading.fold(text) for text in itertools.chain(*said, both))
        return any(all(when.meets(query) for when in whens) for query in tried)


def _begins(rule: Rule) -> float:
    return float("-inf") if rule.begins is None else rule.begins


def _ends(rule: Rule) -> float:
    return float("inf") if rule.ends is None else rule.ends


def _alone(coming: Sequence[Rule], met: _Met, queries: Sequence[str]) -> Iterator[Conflict]:
    for rule in coming:
        when, fold = met.rules.when[rule.id], met.reading.fold
        if rule.query and not any(when.meets(fold(text)) for text in rule.query):
            yield Conflict("never", (rule.id,), "none of its queries meets its words and patterns")
        elif rule.asks and queries and not met.meets[rule.id]:
            yield Conflict("unasked", (rule.id,), f"none of the {len(queries)} queries of the log meets it")
        if rule.do == "redirect":
            parts = urlsplit(rule.url)
            words = parse_qs(parts.query).get("q", [""])[0]
            if parts.path == "/search" and words and when.meets(fold(words)):
                yield Conflict("loop", (rule.id,), f"it leads to a search for {words!r}, which it redirects")


def _pair(one: Rule, other: Rule) -> Iterator[Conflict]:
    """`one` wins over `other`, and both can hold together."""
    ids, kinds = (one.id, other.id), {one.do, other.do}
    common = sorted(set(one.products) & set(other.products))
    named = ", ".join(common[:5])
    if kinds == {"pin"}:
        places = set(_places(one)) & set(_places(other)) if one.products != other.products else set()
        if places:
            said = f"both want place {', '.join(map(str, sorted(places)[:5]))}; {one.id} has it, {other.id} the next"
            yield Conflict("one position", ids, said)
        if common:
            yield Conflict("one product", ids, f"both pin {named}; the place that {one.id} gives counts")
    if kinds == {"pin", "hide"} and common:
        yield Conflict("hidden", ids, f"{named} is pinned and hidden; it stays hidden")
    if kinds == {"boost", "bury"} and common:
        yield Conflict("boost and bury", ids, f"{named} gains and loses; the points are summed")
    if kinds in ({"redirect"}, {"banner"}):
        yield Conflict("redirects" if one.do == "redirect" else "banners", ids, f"both hold at once; {one.id} wins")


def _places(rule: Rule) -> range:
    return range(rule.position, rule.position + len(rule.products))


def _catalogue(
    coming: Sequence[Rule], met: _Met, meeting: Callable[[Sequence[Filter]], set[str]]
) -> Iterator[Conflict]:
    there = meeting(())
    passing = {rule.id: meeting(rule.filters) for rule in coming if rule.filters}
    for rule in coming:
        missing = [id for id in rule.products if id not in there]
        if missing:
            named = ", ".join(missing[:5])
            yield Conflict("unknown product", (rule.id,), f"{named}: not in the catalogue ({len(missing)})")
        if rule.filters and not passing[rule.id]:
            yield Conflict("no product", (rule.id,), "no product meets its filters")
    for pin in (rule for rule in coming if rule.do == "pin"):
        for other in (rule for rule in coming if rule.do in ("filter", "hide") and rule.filters and met(rule, pin)):
            hides = other.do == "hide"
            lost = [id for id in pin.products if id in there and (id in passing[other.id]) == hides]
            if lost:
                said = f"{', '.join(lost[:5])} is pinned, but {other.id} leaves it out"
                yield Conflict("hidden" if hides else "filtered out", (other.id, pin.id), said)
