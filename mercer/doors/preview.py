"""Open doors and rules that are not live yet in; the pages before and after, and how many queries change, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mercer.errors import NotFoundError
from mercer.rank.rule import Rule
from mercer.rank.rule_conflict import Conflict, conflicts, touched
from mercer.rank.rules import Rules
from mercer.records import Filter, Page, Request

if TYPE_CHECKING:
    from mercer.doors.open import Doors

__all__ = ["Compared", "Preview", "asked", "drafted", "found_conflicts", "preview"]

SHOWN = 5
"""Queries compared where none is named."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One query, without and with the rules looked at."""

    query: str
    before: Page
    after: Page


@dataclass(frozen=True, slots=True)
class Preview:
    """What rules would do."""

    pages: tuple[Compared, ...]
    touched: int
    """Queries of the log that meet the conditions of one of the rules."""
    log: int
    """Queries of the log."""
    conflicts: tuple[Conflict, ...] = ()
    """That one of the rules would be part of."""


def asked(doors: Doors) -> list[str]:
    """Query texts of the log, each once: those of [data] queries, as the live index's checked version has them."""
    import pyarrow.parquet as pq

    card = doors.shop.card("index", doors.version)
    path = doors.shop.path("checked", str(card.get("checked", ""))) / "queries.parquet" if card.get("checked") else None
    if path is None or not path.exists():
        return []
    return list(dict.fromkeys(str(text) for text in pq.read_table(path, columns=["text"])["text"].to_pylist() if text))


def found_conflicts(doors: Doors, rules: Rules | None = None) -> list[Conflict]:
    """What is wrong with the shop's rules, or with those given."""
    book = doors.rules
    columns = doors.index.columns

    def meeting(filters: Sequence[Filter]) -> set[str]:
        return {columns.ids[row] for row in columns.mask(filters).nonzero()[0].tolist()}

    queries = list(dict.fromkeys(book.reading.fold(text) for text in asked(doors)))
    chosen = book.rules if rules is None else rules
    return conflicts(chosen, now=book.now(), reading=book.reading, queries=queries, meeting=meeting)


def drafted(doors: Doors, rows: Sequence[object], ids: Sequence[str]) -> tuple[tuple[Rule, ...], list[str]]:
    """All rules as they would be with `rows`, and the ids of those looked at.

    Raises:
        RequestError: a row that cannot be.
        NotFoundError: no rule of such an id.
    """
    rules = doors.rules.drafted(rows)
    about = [*ids, *(str(row["id"]) for row in rows if isinstance(row, Mapping))]
    if unknown := sorted(set(about) - {rule.id for rule in rules}):
        known = ", ".join(sorted(rule.id for rule in rules)[:20]) or "none"
        raise NotFoundError(f"there is no rule {unknown[0]!r:.80}", cure=f"known: {known}")
    return rules, about


def preview(
    doors: Doors, rules: Iterable[Rule], about: Iterable[str], *, queries: Sequence[str] = (), k: int = 10,
    request: Request | None = None,
) -> Preview:  # fmt: skip
    """Pages without and with the rules named in `about`, which stand in `rules` among the others.

    They are looked at as if they were live, whatever their dates; the other rules hold as they do now. Before is what
    is in force now, without those that `rules` has unchanged.

    Args:
        doors: of the shop.
        rules: all rules as they would be.
        about: ids of those looked at.
        queries: to compare; those of the rules and of the log that they touch where none is given.
        k: products of a page.
        request: filters and context to ask with.
    """
    book, looked, now = doors.rules, set(about), doors.rules.now()
    drafts = list(rules)
    mine = [dataclasses.replace(rule, enabled=True) for rule in drafts if rule.id in looked]
    live = [dataclasses.replace(rule, begins=_started(rule, now), ends=None) for rule in mine]
    others = [rule for rule in drafts if rule.id not in looked]
    ready = Rules.ready([*others, *mine], book.reading)
    before = Rules.ready(
        [rule for rule in book.rules.rules if rule not in drafts or rule.id not in looked], book.reading
    )
    after = Rules.ready([*others, *live], book.reading)
    log = {book.reading.fold(text): text for text in asked(doors)}
    met = {query for rule in mine for query in touched(ready, rule, log)}
    own = [text for rule in mine for text in (*rule.query, *rule.words)]
    shown = list(queries) or list(dict.fromkeys([*own, *(log[query] for query in log if query in met)]))[:SHOWN]
    base = request or Request()
    pages = []
    for query in shown or [""]:
        wanted = dataclasses.replace(base, scene="search", query=query, k=k, offset=0)
        pages.append(Compared(query, doors.searching(wanted, rules=before), doors.searching(wanted, rules=after)))
    found = [one for one in found_conflicts(doors, ready) if looked & set(one.rules)]
    return Preview(tuple(pages), len(met), len(log), tuple(found))


def _started(rule: Rule, now: int) -> int | None:
    """A start that is not in the future, so that it wins over what started before."""
    return rule.begins if rule.begins is None else min(rule.begins, now)
