"""A request, its candidates and their order in; what the shop's rules make of them out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mercer.rank.hybrid import Scored
from mercer.rank.rule import Rule
from mercer.rank.rule_book import RuleBook
from mercer.rank.rule_when import Asked, Reading
from mercer.rank.rules import Rules, Ruling, placed
from mercer.records import CATEGORY_SEPARATOR, Filter, Request
from mercer.retrieve.columns import check_filters
from mercer.retrieve.index import Index
from mercer.search.find import Found
from mercer.understand.normalise import normalise, stem
from mercer.understand.query import Understood

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["READING", "Ruled"]


def _fold(text: str) -> str:
    return normalise(text).casefold()


Sort = Callable[[Found, "NDArray[np.int64]"], "NDArray[np.int64]"]
READING = Reading(_fold, stem, check_filters)
"""Conditions on a query are compared as `understand` reads it."""


SURE = 0.7
"""Probability from which a query is about a category, for rules that ask for one: 90 % of what is exact lies there."""


class Ruled:
    """The rules of one search door. Safe to call from several threads.

    The order of precedence is hide, filter, pin, boost and bury; the shopper's own filters come before all of them.
    """

    def __init__(self, index: Index, book: RuleBook | None) -> None:
        self.index, self.book = index, book

    def __call__(self, request: Request, known: Understood, rules: Rules | None = None) -> Ruling:
        """What holds for a request; `rules` stand in for the shop's own, to look at them before they are live."""
        if self.book is None and rules is None:
            return Ruling()
        rules = self.book.rules if rules is None and self.book else rules
        if not (rules and rules.rules):
            return Ruling()
        queries = dict.fromkeys(map(_fold, (known.raw, known.corrected)))
        paths = [value for wanted in request.filters if wanted.field == "category" for value in wanted.values]
        paths += [step.after for step in known.steps if step.name == "category"]
        paths += [step.after for step in known.steps if step.name == "intent" and step.confidence >= SURE]
        categories = tuple(tuple(path.split(CATEGORY_SEPARATOR)) for path in paths)
        now = self.book.now() if self.book else 0
        return rules(Asked("search", tuple(filter(None, queries)), categories, request.context), now)

    def narrowed(self, request: Request, ruling: Ruling) -> Request:
        """The request without what is hidden, and with the filters that rules add."""
        if not ruling.of("hide", "filter"):
            return request
        columns = self.index.columns
        exclude = tuple({*request.exclude, *ruling.hidden(columns.mask, columns.ids)})
        return replace(request, filters=(*request.filters, *ruling.filters), exclude=exclude)

    def moved(
        self, found: Found, order: NDArray[np.int64], request: Request, ruling: Ruling, *,
        read: Sequence[Filter], sort: Sort,
    ) -> tuple[Found, NDArray[np.int64], Ruling]:  # fmt: skip
        """Points given and taken, pinned products in their places, and the rules that did something.

        Which products belong to the answer was decided before: a boost adds none and pushes none out, a pin adds its
        own. Sorted by something else than relevance, the answer has the same products, in the order asked for.

        Args:
            found: candidates with their scores.
            order: places of those in the answer, best first.
            request: as `narrowed` left it.
            ruling: what holds.
            read: filters in force that were read out of the query.
            sort: puts places in the order asked for.
        """
        used = list(ruling.of("hide", "filter", "redirect", "banner"))
        if ruling.of("boost", "bury"):
            found, order = self._weighed(found, order, request, ruling, used)
        if ruling.of("pin"):
            asked = replace(request, filters=(*request.filters, *read))
            found, order = self._pinned(found, order, asked, ruling, used)
            order = order if request.sort == "relevance" else sort(found, order)
        return found, order, Ruling(tuple(rule for rule in ruling.rules if rule in used))

    def _weighed(
        self, found: Found, order: NDArray[np.int64], request: Request, ruling: Ruling, used: list[Rule]
    ) -> tuple[Found, NDArray[np.int64]]:
        import numpy as np

        scored, inside = found.scored, np.zeros(len(found.ids), dtype=bool)
        inside[order] = True
        parts, values = dict(scored.parts), dict(scored.values)
        for rule, met, points in ruling.wishes(self.index.columns.mask, found.rows, found.ids):
            if (met & inside).any():
                used.append(rule)
                parts[f"rule {rule.id}"] = np.where(met, points, 0.0)
                values[f"rule {rule.id}"] = np.where(met, points, np.nan)
        added = [parts[name] for name in parts if name not in scored.parts]
        if not added:
            return found, order
        scores = scored.scores + np.sum(added, axis=0)
        if request.sort == "relevance":
            order = order[np.argsort(-scores[order], kind="stable")]
        return replace(found, scored=Scored(scores, parts, values)), order

    def _pinned(
        self, found: Found, order: NDArray[np.int64], request: Request, ruling: Ruling, used: list[Rule]
    ) -> tuple[Found, NDArray[np.int64]]:
        import numpy as np

        columns, out = self.index.columns, set(request.exclude)
        passed = columns.mask(request.filters)
        pins = ruling.pins(
            lambda id: id not in out and (row := columns.row.get(id)) is not None and row < len(passed) and passed[row]
        )
        if not pins:
            return found, order
        used.extend({rule.id: rule for _, rule in pins.values()}.values())
        answer = {found.ids[place] for place in order.tolist()}
        found = replace(found, chosen=frozenset(id for id in pins if id not in answer))
        found = _joined(found, [(id, columns.row.get(id, -1)) for id in pins if id not in set(found.ids)])
        place = {id: at for at, id in enumerate(found.ids)}
        parts, values = dict(found.scored.parts), dict(found.scored.values)
        for id, (position, rule) in pins.items():
            name = f"rule {rule.id}"
            parts.setdefault(name, np.zeros(len(found.ids)))
            values.setdefault(name, np.full(len(found.ids), np.nan))[place[id]] = position
        found = replace(found, scored=Scored(found.scored.scores, parts, values))
        return found, placed(order, {position - 1: place[id] for id, (position, _) in pins.items()})


def _joined(found: Found, more: Sequence[tuple[str, int]]) -> Found:
    """With products that no arm brought: they score 0, and no signal has a line on them."""
    import numpy as np

    if not more:
        return found
    size = len(more)
    scored = Scored(
        np.concatenate([found.scored.scores, np.zeros(size)]),
        {name: np.concatenate([part, np.zeros(size)]) for name, part in found.scored.parts.items()},
        {name: np.concatenate([value, np.full(size, np.nan)]) for name, value in found.scored.values.items()},
    )
    rows = np.concatenate([found.rows, np.array([row for _, row in more], dtype=np.int64)])
    return replace(found, ids=[*found.ids, *(id for id, _ in more)], rows=rows, scored=scored)
