"""Judged queries and texts in; texts that carry the questions and answers of the shop's own measurement out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.alike import plain
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found

__all__ = ["Contamination", "contamination"]

TEXTS = {"products": ("description", "bullets"), "reviews": ("text",), "faq": ("question", "answer")}
"""Family → fields in which nobody writes a query down; a title may well be one."""
_TOKEN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]|[^\W_a-z0-9\u3400-\u9fff]+")


@dataclass(frozen=True)
class Contamination(CheckSettings):
    """When a text has seen the test."""

    long: int = 8
    """Words of a query (a Chinese letter is half of one) from which it stands in a text by no accident."""
    short: int = 3
    """Words of a query from which it counts, where several stand in one text."""
    several: int = 3
    """Judged queries of which none is a part of another, that one text may not hold together."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("long", "short", "several"):
            if getattr(self, name) < 2:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give 2 or more")


@check(
    "T14",
    families=("products", "reviews", "faq"),
    tier="global",
    severity="critical",
    problems={
        "judged_query": Problem(
            "a long judged query stands in the text word for word", "文字中逐字包含评测查询", "warn"
        ),
        "judged_queries": Problem("several judged queries stand in the text", "文字中包含多条评测查询", "quarantine"),
        "judged_answer": Problem(
            "a judged query stands beside the id of a product judged for it", "文字中包含评测查询及其答案", "quarantine"
        ),
    },
    settings=Contamination,
    english="texts have not seen the queries and answers that measure the shop",
    chinese="训练文字未包含评测查询与答案",
)
def contamination(inputs: Inputs[Any], settings: Contamination) -> Iterator[Found]:
    """Queries that have judgments, looked for word for word; says nothing where there are none.

    The catalogue of checks lets it block the batch. It takes the text out instead: what is contaminated is the text,
    which then is neither indexed nor learned from, so the measurement is clean again and the shop goes on selling; a
    review that quotes three queries must not stand in the way of a day's delivery. Many of them close the gate all the
    same (`error_if`, `max_quarantine`). One long query alone is only a warning: makers' own wording is searched for.
    """
    if "queries" not in inputs or "judgments" not in inputs:
        return
    asked = _Asked(inputs, settings)
    if not asked.known:
        return
    for family, fields in TEXTS.items():
        if family in inputs:
            table = inputs[family]
            ids = table["id"].to_pylist() if family == "products" else [None] * len(table)
            for name in fields:
                rows = zip(table["row_id"].to_pylist(), ids, table[name].to_pylist(), strict=True)
                found = [line for row_id, id, text in rows if text for line in asked.look(row_id, id, text)]
                yield _found(found, family, name)


@dataclass(slots=True)
class _Query:
    words: tuple[str, ...]
    weight: float
    products: set[str] = field(default_factory=set)


class _Asked:
    """Judged queries by their first words."""

    def __init__(self, inputs: Inputs[Any], settings: Contamination) -> None:
        self.settings = settings
        judged: dict[str, set[str]] = {}
        for row in inputs["judgments"].select(["query_id", "product", "grade"]).to_pylist():
            products = judged.setdefault(row["query_id"], set())
            if row["product"] and (row["grade"] or 0) > 0:
                products.add(row["product"].lower())
        self.known: dict[tuple[str, ...], list[_Query]] = {}
        for row in inputs["queries"].select(["query_id", "text"]).to_pylist():
            words = tuple(_words(row["text"] or ""))
            weight = sum(0.5 if word > "\u33ff" else 1.0 for word in words)
            if row["query_id"] in judged and weight >= settings.short:
                self.known.setdefault(words[:2], []).append(_Query(words, weight, judged[row["query_id"]]))

    def look(self, row_id: int, id: str | None, text: str) -> Iterator[dict[str, Any]]:
        """What one text holds: the worst alone."""
        words = _words(text)
        held = {query.words: query for query in self._held(words)}
        whole = [query for query in held.values() if not any(_inside(query.words, other) for other in held)]
        answers = [query for query in whole if (query.products - {str(id).lower()}) & set(_identities(text))]
        long = [query for query in whole if query.weight >= self.settings.long]
        for problem, queries in (
            ("judged_answer", answers),
            ("judged_queries", whole if len(whole) >= self.settings.several else []),
            ("judged_query", long),
        ):
            if queries:
                told = "; ".join(" ".join(query.words) for query in queries[:5])
                yield {"row_id": row_id, "problem": problem, "queries": told, "count": len(queries)}
                return

    def _held(self, words: Sequence[str]) -> Iterator[_Query]:
        for at in range(len(words) - 1):
            for query in self.known.get((words[at], words[at + 1]), ()):
                if tuple(words[at : at + len(query.words)]) == query.words:
                    yield query


def _words(text: str) -> list[str]:
    return _TOKEN.findall(plain(text))


def _identities(text: str) -> list[str]:
    """Words of a text as ids are written."""
    return re.findall(r"[a-z0-9][a-z0-9_\-]{2,}", text.lower())


def _inside(words: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return words != other and any(other[at : at + len(words)] == words for at in range(len(other) - len(words) + 1))


def _found(lines: Sequence[Mapping[str, Any]], family: str, name: str) -> Found:
    import pyarrow as pa

    kinds = {"row_id": pa.int64(), "problem": pa.string(), "queries": pa.string(), "count": pa.int64()}
    return Found(pa.Table.from_pylist(list(lines), schema=pa.schema(kinds)), family, name, "judged_query", 0.9)
