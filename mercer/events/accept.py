"""An event or impression from outside in; nothing out, or an error that says what is wrong with it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from mercer.errors import RequestError
from mercer.events.answer import Answer
from mercer.records import ACTIONS, Event, Impression

__all__ = ["accept", "accept_answers", "accept_products", "accept_shown"]

EARLIEST = 946_684_800_000
"""2000-01-01 in UTC milliseconds: an earlier time is a mistake, most often seconds for milliseconds."""
AHEAD = 86_400_000
"""Milliseconds that a clock may be ahead of ours: a day covers every wrong time zone."""
LONGEST = 512
"""Characters of one text; ids of shops are far shorter."""
WIDEST = 4096
"""Bytes of what trees were told of one product."""
FURTHEST = 1_000_000
"""Last place on a page that is believed."""

TEXTS = ("id", "product", "shopper", "session", "query_id", "device", "place")


def accept(events: Iterable[Event], *, now: int | None = None) -> None:
    """Check events before any is stored.

    Args:
        events: as they came.
        now: UTC milliseconds; None for the clock.

    Raises:
        RequestError: the first fault found, with the value and what to give instead.
    """
    latest = (int(time.time() * 1000) if now is None else now) + AHEAD
    for event in events:
        name = f"event {_shown(event.id)}"
        for field in TEXTS:
            _text(getattr(event, field), f"{field} of {name}", needed=field in ("id", "product"))
        if event.type not in ACTIONS:
            raise RequestError(f"type of {name} is {_shown(event.type)}", cure=f"give one of: {', '.join(ACTIONS)}")
        _moment(event.time, name, latest=latest)
        if event.position is not None:
            _place(event.position, name)
        for field in ("quantity", "price"):
            _finite(getattr(event, field), f"{field} of {name}")
        if event.price is not None and event.price < 0:
            raise RequestError(f"price of {name} is {event.price}", cure="give 0 or more, and a refund as its own type")


def accept_shown(impressions: Iterable[Impression], *, now: int | None = None) -> None:
    """Check impressions as `accept` checks events."""
    latest = (int(time.time() * 1000) if now is None else now) + AHEAD
    for shown in impressions:
        name = f"impression of {_shown(shown.product)}"
        _text(shown.product, f"product of {name}", needed=True)
        _text(shown.query_id, f"query_id of {name}", needed=True)
        for field in ("version", "shopper", "session", "scene"):
            _text(getattr(shown, field), f"{field} of {name}", needed=False)
        _moment(shown.time, name, latest=latest)
        _place(shown.position, name)
        _finite(shown.score, f"score of {name}")
        if not isinstance(shown.features, bytes) or len(shown.features) > WIDEST:
            raise RequestError(f"features of {name} are {_shown(shown.features)}", cure="give what packed() made")
        if shown.propensity is not None and not 0 < shown.propensity <= 1:
            raise RequestError(
                f"propensity of {name} is {_shown(shown.propensity)}",
                cure="give a chance above 0, at most 1, or leave it out",
            )


def accept_answers(answers: Iterable[Answer], *, now: int | None = None) -> None:
    """Check answers as `accept` checks events."""
    latest = (int(time.time() * 1000) if now is None else now) + AHEAD
    for answer in answers:
        name = f"answer {_shown(answer.query_id)}"
        for field in ("query_id", "scene", "query", "shopper", "session", "device", "version", "degraded"):
            _text(getattr(answer, field), f"{field} of {name}", needed=field == "query_id")
        for value in (*answer.models, *answer.models.values(), answer.arm or ""):
            _text(value, f"models or arm of {name}", needed=False)
        _moment(answer.time, name, latest=latest)
        for field in ("total", "offset"):
            _finite(getattr(answer, field), f"{field} of {name}")


def accept_products(rows: Iterable[tuple[str, str | None, int]]) -> None:
    """Check rows of (id, body, time) of changed products."""
    for id, body, _ in rows:
        _text(id, "id of a product", needed=True)
        _unicode(body or "", f"product {id!r:.80}")


def _text(value: object, what: str, *, needed: bool) -> None:
    if not isinstance(value, str):
        raise RequestError(f"{what} is {_shown(value)}", cure="give text")
    if needed and not value.strip():
        raise RequestError(f"{what} is {_shown(value)}", cure="give an id that is not empty")
    if len(value) > LONGEST:
        raise RequestError(f"{what} has {len(value)} characters", cure=f"give at most {LONGEST}")
    _unicode(value, what)


def _unicode(value: str, what: str) -> None:
    """Half of a surrogate pair is a str, but no text that can be stored."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"{what} is no Unicode text ({error.reason})", cure="send UTF-8") from error


def _moment(value: object, name: str, *, latest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RequestError(f"time of {name} is {_shown(value)}", cure="give whole UTC milliseconds since 1970")
    if value < EARLIEST:
        raise RequestError(
            f"time of {name} is {_shown(value)}, before the year 2000",
            cure="give UTC milliseconds since 1970, not seconds",
        )
    if value > latest:
        raise RequestError(
            f"time of {name} is {_shown(value)}, more than a day ahead",
            cure="give UTC milliseconds and set the clock right",
        )


def _place(value: object, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= FURTHEST:
        raise RequestError(
            f"position of {name} is {_shown(value)}", cure=f"give a place from 1, the top, to {FURTHEST}"
        )


def _finite(value: object, what: str) -> None:
    if value is None:
        return
    try:
        finite = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        finite = False
    if not finite:
        raise RequestError(f"{what} is {_shown(value)}", cure="give a finite number or leave it out")


def _shown(value: object) -> str:
    """A value in an error, cut short: it came from outside and may be huge."""
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python refuses to write out a whole number of more than 4,300 digits
        return "a number of thousands of digits"
