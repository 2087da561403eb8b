"""A query in; the price that it names, how surely, and where it stands in the text out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Price", "prices"]

SURE, LIKELY, UNSURE = 0.95, 0.8, 0.5
"""With a currency; a bare number where prices usually stand; a bare number that may as well be an age or a size."""
AROUND = 0.2
"""Share by which "about 50" may be missed on each side."""

SIGNS = {"$": "USD", "£": "GBP", "€": "EUR", "¥": "CNY", "￥": "CNY"}
NAMES = {
    "USD": ("dollars?", "bucks?", "usd", "美元", "美金", "刀"),
    "EUR": ("euros?", "eur", "欧元"),
    "GBP": ("pounds? sterling", "quid", "gbp", "英镑"),
    "CNY": ("yuan", "rmb", "cny", "元", "块钱", "块", "人民币"),
}
_SIGN = r"(?P<sign{0}>[$£€¥￥])?\s*"
_NUMBER = r"(?P<number{0}>\d+(?:,\d{{3}})*(?:\.\d+)?)(?P<thousand{0}>k(?![a-z])|千|万)?"
_NAME = r"(?:\s*(?P<name{0}>" + "|".join(one for names in NAMES.values() for one in names) + r")(?![a-z]))?"
_ONE = (_SIGN + _NUMBER + _NAME).format("")
_TWO = tuple((_SIGN + _NUMBER + _NAME).format(place) for place in ("", "2"))
_END = (
    r"(?![\d.,]*\d)(?!\s*(?:%|\"|''|-?[a-z]{1,2}\b|inch|months?\b|years?\b|yrs?\b|feet|foot|pounds?|pieces?|pcs|count|"
)
_END += r"watts?|volts?|lumens|grams?|ounces?|pack|people|persons?|[寸码岁斤克米升片支瓶个月年度层人平]))"
_EN = re.I
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("between", re.compile(rf"\b(?:between|from)\s+{_TWO[0]}\s*(?:and|to|-|–)\s*{_TWO[1]}{_END}", _EN)),
    ("range", re.compile(rf"(?<![\w.\-]){_TWO[0]}\s*(?:to|-|–|~|到|至)\s*{_TWO[1]}{_END}(?:之间|以内)?", _EN)),
    ("high", re.compile(rf"(?<!\w)(?:under|below|less than|cheaper than|up to|no more than|<=?)\s*{_ONE}{_END}", _EN)),
    ("high", re.compile(rf"(?:不超过|不高于|低于|少于|最多){_ONE}{_END}(?:的)?", _EN)),
    ("high", re.compile(rf"(?<![\w.]){_ONE}\s*(?:or less|or under|以下|以内|之内|之下|内(?!存))(?:的)?", _EN)),
    ("low", re.compile(rf"(?<!\w)(?:over|above|more than|at least|>=?)\s*{_ONE}{_END}", _EN)),
    ("low", re.compile(rf"(?:超过|高于|不低于|至少){_ONE}{_END}(?:的)?", _EN)),
    ("low", re.compile(rf"(?<![\w.]){_ONE}\s*(?:or more|and up|以上|起)(?:的)?", _EN)),
    ("about", re.compile(rf"(?<!\w)(?:about|around|approximately|approx\.?|大概|大约|约)\s*{_ONE}{_END}", _EN)),
    ("about", re.compile(rf"(?<![\w.]){_ONE}\s*(?:左右|上下)(?:的)?", _EN)),
)
_AGE = re.compile(r"\b(?:age[ds]?|women|woman|men|man|kids?|children|boys?|girls?|toddlers?|people|adults?)$", re.I)
"""Before "over 50": whoever wrote this meant an age more often than a price."""


@dataclass(frozen=True, slots=True)
class Price:
    """A range of prices in the query's text."""

    start: int
    end: int
    low: float | None
    high: float | None
    currency: str
    """ISO 4217 code, or "" where the shopper did not say."""
    confidence: float
    loose: bool
    """About this price: products outside are right as well."""


def prices(text: str) -> list[Price]:
    """Every price in a query, left to right, without overlap.

    >>> [(one.low, one.high, one.confidence) for one in prices("red dress under $50")]
    [(None, 50.0, 0.95)]
    >>> prices("无线耳机 100到200元")[0].low, prices("shoes size 8-10"), prices("toys under 12 months")
    (100.0, [], [])
    """
    taken: list[Price] = []
    for kind, pattern in _PATTERNS:
        for found in pattern.finditer(text):
            price = _read(kind, found, text)
            if price and all(price.end <= one.start or one.end <= price.start for one in taken):
                taken.append(price)
    return sorted(taken, key=lambda price: price.start)


def _read(kind: str, found: re.Match[str], text: str) -> Price | None:
    groups = found.groupdict()
    values = [_number(groups, place) for place in ("", "2") if groups.get("number" + place)]
    currency = next(_currencies(groups), "")
    if kind == "range" and not currency:
        return None  # 8-10 is a size, 100-240 a voltage
    confidence = SURE if currency else LIKELY
    if not currency and (kind in ("low", "about") or _AGE.search(text[: found.start()].rstrip())):
        confidence = UNSURE
    if len(values) == 2:
        low, high = values
        if low >= high:
            return None
        return Price(found.start(), found.end(), low, high, currency, confidence, loose=False)
    value = values[0]
    if value <= 0:
        return None
    if kind == "about":
        low, high = round(value * (1 - AROUND), 2), round(value * (1 + AROUND), 2)
        return Price(found.start(), found.end(), low, high, currency, confidence, loose=True)
    least, most = (None, value) if kind == "high" else (value, None)
    return Price(found.start(), found.end(), least, most, currency, confidence, loose=False)


def _number(groups: dict[str, str | None], place: str) -> float:
    times = {"k": 1000, "K": 1000, "千": 1000, "万": 10_000}.get(groups["thousand" + place] or "", 1)
    return float((groups["number" + place] or "0").replace(",", "")) * times


def _currencies(groups: dict[str, str | None]) -> Iterator[str]:
    for place in ("", "2"):
        if sign := groups.get("sign" + place):
            yield SIGNS[sign]
        if name := groups.get("name" + place):
            yield next(code for code, names in NAMES.items() for one in names if re.fullmatch(one, name, re.I))
