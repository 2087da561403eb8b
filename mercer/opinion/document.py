"""What somebody wrote, as it came, in; a document that can be read, or why it cannot, out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mercer.errors import RequestError
from mercer.opinion.distinct import key

__all__ = ["SOURCES", "Document", "Reading", "document"]

SOURCES = ("reviews", "questions", "tickets", "news", "posts")
"""Kinds of sources; others may be named."""
LONGEST = 20_000
"""Characters of a text that are kept; the rest is cut off and said."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
NAME = re.compile(r"[^\x00-\x1f]{1,200}")


@dataclass(frozen=True, slots=True)
class Document:
    """One text with where and when it is from."""

    id: str
    text: str
    source: str
    time: int
    """UTC, milliseconds since 1970."""
    product: str = ""
    author: str = ""
    rating: float | None = None
    url: str = ""
    cut: bool = False
    """Whether the text was longer than what is kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a document."""

    sentiment: str
    chance: float
    """Of that sentiment."""
    topic: str = ""
    """"" where the shop has no topics."""
    topic_chance: float = 0.0
    aspects: tuple[tuple[str, str], ...] = ()
    """(aspect, its sentiment)."""
    entities: tuple[tuple[str, str], ...] = ()
    """(kind, name): product, brand, company, ticker."""
    language: str = ""
    """zh, en, or other."""


def document(row: Mapping[str, Any], *, source: str, now: int) -> Document:
    """Check one row (text; id, time, product, author, rating, url, source where there are).

    Args:
        row: as it came.
        source: where the row names none.
        now: UTC ms for rows without a time.

    Raises:
        RequestError: no text, binary, or a time or source that cannot be.
    """
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise RequestError(f"text is {text!r:.40}", cure="give a text that is not empty")
    noise = len(CONTROL.findall(text[:LONGEST]))
    if noise > 0.02 * min(len(text), LONGEST):
        raise RequestError(f"text has {noise} characters that are no text", cure="send text, not a file")
    named = str(row.get("source") or source)
    if not NAME.fullmatch(named):
        raise RequestError(f"source is {named!r:.40}", cure=f"give one of {', '.join(SOURCES)} or a short name")
    time = _time(row.get("time"), now)
    rating = row.get("rating")
    try:
        number = None if rating in (None, "") else float(rating)
    except (TypeError, ValueError):
        number = None
    found = CONTROL.sub(" ", text).strip()
    told = {name: str(row.get(name) or "")[:200] for name in ("product", "author", "url")}
    return Document(
        str(row.get("id") or f"{named}-{key(text)}")[:200], found[:LONGEST], named, time,
        rating=number if number is not None and math.isfinite(number) else None, cut=len(found) > LONGEST, **told,
    )  # fmt: skip


def _time(value: object, now: int) -> int:
    """UTC ms of a number (seconds or ms) or of a written date."""
    if value in (None, ""):
        return now
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return int(value if abs(value) > 1e11 else value * 1000)
    text = str(value).strip()
    if re.fullmatch(r"-?\d{9,14}(\.0)?", text):
        return _time(float(text), now)
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = parse(text.replace("/", "-") if parse is datetime.fromisoformat else text)
        except (ValueError, TypeError, OverflowError):
            continue
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    raise RequestError(f"time is {value!r:.40}", cure="give ISO 8601, as 2026-11-24T08:00:00Z, or ms since 1970")
