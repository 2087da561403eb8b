"""Checked rules, a moment and what is asked in; the rules that hold, first the one that wins, and what they do, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mercer.rank.rule import Kind, Rule
from mercer.rank.rule_when import Asked, Reading, When
from mercer.records import Filter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Rules", "Ruling", "placed"]

Mask = Callable[[Sequence[Filter]], "NDArray[np.bool_]"]
"""`retrieve.columns.Columns.mask`."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rules that hold for one request, the winner first: a later start, then the smaller id."""

    rules: tuple[Rule, ...] = ()

    def of(self, *kinds: Kind) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.do in kinds)

    @property
    def filters(self) -> tuple[Filter, ...]:
        """Every hit meets all of them."""
        return tuple(one for rule in self.of("filter") for one in rule.filters)

    @property
    def first(self) -> Mapping[Kind, Rule]:
        """The rule that wins, of each kind that holds."""
        return {rule.do: rule for rule in reversed(self.rules)}

    def said(self) -> tuple[tuple[str, ...], Mapping[str, str], str]:
        """What a page tells of them: their ids, the banner and the address of the redirect."""
        banner, redirect = self.first.get("banner"), self.first.get("redirect")
        shown = {"text": banner.text, "url": banner.url, "image": banner.image} if banner else {}
        return tuple(rule.id for rule in self.rules), shown, redirect.url if redirect else ""

    def hidden(self, mask: Mask, ids: Sequence[str]) -> set[str]:
        """Products that no answer has, among those of the index; `ids` are those of its rows."""
        found = {id for rule in self.of("hide") for id in rule.products}
        for rule in self.of("hide"):
            if rule.filters:
                found.update(ids[row] for row in mask(rule.filters).nonzero()[0].tolist())
        return found

    def wishes(
        self, mask: Mask, rows: NDArray[np.int64], ids: Sequence[str]
    ) -> list[tuple[Rule, NDArray[np.bool_], float]]:
        """Each boost and bury, which of the products it means, and its points; `rows` and `ids` are the products."""
        import numpy as np

        found = []
        for rule in self.of("boost", "bury"):
            named = set(rule.products)
            met = np.array([id in named for id in ids], dtype=bool)
            if rule.filters:
                passed = mask(rule.filters)
                met |= passed[np.minimum(rows, len(passed) - 1)] & (rows < len(passed)) if len(passed) else False
            found.append((rule, met, rule.points if rule.do == "boost" else -rule.points))
        return found

    def pins(self, may: Callable[[str], bool]) -> dict[str, tuple[int, Rule]]:
        """Each pinned product's position, 1 is the top; `may` says whether an answer may have it.

        Of two for one position the rule that wins has it, the other takes the next that is free; of two positions of
        one product the winner's counts.
        """
        wanted: dict[str, tuple[int, Rule]] = {}
        taken: set[int] = set()
        for rule in self.of("pin"):
            position = rule.position
            for product in rule.products:
                if product in wanted or not may(product):
                    continue
                while position in taken:
                    position += 1
                wanted[product] = (position, rule)
                taken.add(position)
        return wanted


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a shop, made ready. Immutable: a change makes another one."""

    rules: tuple[Rule, ...] = ()
    version: str = ""
    """Of the file that they are from."""
    when: Mapping[str, When] = field(default_factory=dict)
    at: int | None = None
    """UTC milliseconds at which they are looked at; None is now."""

    @classmethod
    def ready(cls, rules: Iterable[Rule], reading: Reading, *, version: str = "", at: int | None = None) -> Rules:
        """Raises RequestError for a regular expression that cannot be read."""
        ordered = tuple(sorted(rules, key=lambda rule: rule.rank))
        return cls(ordered, version, {rule.id: When(rule, reading) for rule in ordered}, at)

    def __call__(self, asked: Asked, now: int) -> Ruling:
        """What holds for a request at a moment, UTC milliseconds."""
        now = now if self.at is None else self.at
        return Ruling(tuple(rule for rule in self.rules if rule.held(now) == "live" and self.when[rule.id](asked)))

    def synonyms(self, now: int) -> tuple[tuple[str, str], ...]:
        """(words, words) pairs: who types the first means the second too. Both ways round."""
        groups = [
            group for rule in self.rules if rule.do == "synonym" and rule.held(now) == "live" for group in rule.synonyms
        ]
        return tuple((one, other) for group in groups for one in group for other in group if one != other)


def placed(order: NDArray[np.int64], pins: Mapping[int, int]) -> NDArray[np.int64]:
    """An order with some of its members at fixed places, the others around them as they were.

    Args:
        order: of which none is repeated.
        pins: place from 0 → member, which may be missing from `order`; a place past the end is the end.
    """
    import numpy as np

    if not pins:
        return order
    out = [one for one in order.tolist() if one not in set(pins.values())]
    for place in sorted(pins):
        out.insert(place, pins[place])
    return np.array(out, dtype=np.int64)
