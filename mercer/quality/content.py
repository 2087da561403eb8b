"""Some values of one raw column in; what they look like, and how well they fit a canonical column, out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mercer.quality.money import money
from mercer.quality.vocabulary import action, availability

__all__ = ["Content", "content", "fitness"]

TIME = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*|(19|20)\d{6}|\d{9,19}(\.\d*)?([eE]\+?\d+)?"
)
ADDRESS = re.compile(r"(https?:/)?/.+|.+\.(jpe?g|png|webp|gif|bmp)(\?.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Content:
    """What the values of a column look like; shares are of the values that are present."""

    count: int
    values: frozenset[str]
    numbers: float = 0.0
    times: float = 0.0
    addresses: float = 0.0
    actions: float = 0.0
    availabilities: float = 0.0
    spaced: float = 0.0
    """Share with more than one word, or with Han, as titles have and ids do not."""
    length: float = 0.0
    """Mean number of characters."""
    nested: float = 0.0
    """Share of JSON objects and lists."""
    samples: tuple[str, ...] = ()

    @property
    def unique(self) -> float:
        return len(self.values) / self.count if self.count else 0.0

    @property
    def is_attribute(self) -> bool:
        """Short values that repeat, as a colour or a style does."""
        return bool(self.count) and self.length <= 40 and not self.nested and (self.unique < 0.5 or self.count < 20)


def content(values: Iterable[Any]) -> Content:
    """Look at some values of one column, as the file has them."""
    texts = [text for text in (_text(value) for value in values) if text]
    if not texts:
        return Content(0, frozenset())
    distinct = dict.fromkeys(texts)
    some = list(distinct)[:500]

    def share(test: Any) -> float:
        return sum(bool(test(text)) for text in some) / len(some)

    return Content(
        count=len(texts),
        values=frozenset(distinct),
        numbers=share(lambda text: money(text) is not None or text.lower() in ("nan", "inf", "-inf")),
        times=share(TIME.fullmatch),
        addresses=share(ADDRESS.fullmatch),
        actions=share(action),
        availabilities=share(availability),
        spaced=share(lambda text: " " in text or any("\u4e00" <= letter <= "\u9fff" for letter in text)),
        length=sum(map(len, texts)) / len(texts),
        nested=share(lambda text: text[0] in "[{" and text[-1] in "]}"),
        samples=tuple(some[:3]),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


NUMERIC = ("price", "list_price", "quantity", "position", "stock", "rating", "rating_count", "grade")
NESTED = ("category", "bullets", "attributes")
"""Columns whose values may be JSON lists or objects."""
TIMES = ("time", "valid_from", "valid_until")
IDENTITY = ("id", "event_id", "query_id", "shopper", "session", "product")


def fitness(family: str, column: str, seen: Content) -> tuple[float, str]:
    """How well values fit a canonical column, from 0 (cannot be) to 1, and the evidence in words.

    An empty column fits anything a little.
    """
    if not seen.count or (seen.nested > 0.5 and column not in NESTED):
        return (0.0, "") if seen.count else (0.2, "empty")
    if column in IDENTITY:
        return _identity(family, column, seen)
    if column in NUMERIC or column in TIMES:
        share = seen.times if column in TIMES else seen.numbers
        return (0.0, "") if share < 0.5 else (share, f"{share:.0%} {'times' if column in TIMES else 'numbers'}")
    if column in ("type", "availability"):
        share = seen.actions if column == "type" else seen.availabilities
        return (0.0, "") if len(seen.values) > 50 else (max(share, 0.2), f"{share:.0%} known words")
    return _words(column, seen)


def _identity(family: str, column: str, seen: Content) -> tuple[float, str]:
    if seen.length > 100:
        return 0.0, ""
    plain = max(0.0, 1 - 0.7 * seen.spaced) * (0.4 if seen.times > 0.9 and column == "product" else 1)
    if (family, column) in (("products", "id"), ("queries", "query_id"), ("reviews", "id"), ("events", "event_id")):
        return seen.unique**3 * plain, f"{seen.unique:.0%} unique"
    return plain, ""


def _words(column: str, seen: Content) -> tuple[float, str]:
    length, dull = f"{seen.length:.0f} characters", seen.numbers > 0.8
    if column in ("image", "url"):
        fit, evidence = 0.3 + 0.7 * seen.addresses, f"{seen.addresses:.0%} addresses"
    elif column in ("title", "text", "question"):
        named = 0.0 if dull or max(seen.addresses, seen.times) > 0.8 else 0.9 if seen.spaced > 0.5 else 0.3
        fit, evidence = named * min(1.0, 0.5 + seen.unique), length
    elif column in ("description", "answer", "bullets"):
        fit, evidence = 0.1 if dull else min(1.0, seen.length / 60), length
    elif column == "attributes":
        fit, evidence = seen.nested, "JSON"
    elif column == "currency":
        fit, evidence = float(seen.length <= 3 and len(seen.values) < 20), "short codes"
    else:
        fit, evidence = 0.2 if dull and column == "brand" else 0.7, ""
    return fit, evidence if fit else ""
