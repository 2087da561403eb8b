"""A message in; the order numbers, products, amounts, days and ordinals that it names out."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

__all__ = ["Entities", "entities"]

ORDER = re.compile(r"(?<![A-Za-z0-9.¥$])(?:[A-Za-z]{1,4}-?\d{6,18}|\d{8,20})(?![A-Za-z0-9])")
"""Letters and many digits, or digits alone; a mobile number has 11 and is told apart by how it begins."""
MOBILE = re.compile(r"1[3-9]\d{9}$")
PRODUCT = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z]-?\d{1,7}|\d{6,8})(?![A-Za-z0-9])")
MONEY = re.compile(
    r"[¥￥$€£]\s?\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)?\s?(?:元|块钱?|yuan|rmb|dollars|euros?)", re.IGNORECASE
)
DAY = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}月\d{1,2}[日号]|今天|昨天|前天|明天|上周|下周|本周|"
    r"\b(?:today|yesterday|tomorrow|last week|next week|this week|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"\d{1,2} (?:january|february|march|april|may|june|july|august|september|october|november|december))\b",
    re.IGNORECASE,
)
ORDINALS: tuple[tuple[str, int], ...] = (
    (r"\b(?:first|1st)\b|第一|第1|头一", 0),
    (r"\b(?:second|2nd)\b|第二|第2", 1),
    (r"\b(?:third|3rd)\b|第三|第3", 2),
    (r"\b(?:fourth|4th)\b|第四|第4", 3),
    (r"\b(?:last one|the last|latter)\b|最后一?[个款件]|后者", -1),
    (r"\bformer\b|前者", 0),
)
IT = re.compile(
    r"\b(?:it|its|that one|this one|this|that|them|they|these|those)\b|"
    r"它|这个|那个|这款|那款|这件|那件|该商品|这俩|这两",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Entities:
    """What a message names."""

    orders: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    """Ids that the shop knows."""
    money: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    ordinals: tuple[int, ...] = ()
    """Places in the list shown last, 0 for the first, -1 for the last."""
    refers: bool = False
    """Whether it speaks of what was spoken of before: it, this one, 它."""

    def told(self) -> dict[str, list[str]]:
        """What an answer says of them."""
        found = {"order": self.orders, "product": self.products, "money": self.money, "date": self.days}
        return {name: list(values) for name, values in found.items() if values}


def entities(text: str, known: Container[str] = ()) -> Entities:
    """Read them; `known` are product ids, which win over order numbers.

    >>> entities("cancel order M0712345678, I paid ¥99 yesterday").orders
    ('M0712345678',)
    >>> entities("第二个有红色的吗").ordinals
    (1,)
    """
    products = tuple(dict.fromkeys(one for one in PRODUCT.findall(text) if one in known or one.upper() in known))
    orders = tuple(
        dict.fromkeys(one.upper() for one in ORDER.findall(text) if one not in products and not MOBILE.match(one))
    )
    return Entities(
        orders,
        tuple(one if one in known else one.upper() for one in products),
        tuple(one.strip() for one in MONEY.findall(text)),
        tuple(DAY.findall(text)),
        tuple(dict.fromkeys(place for pattern, place in ORDINALS if re.search(pattern, text, re.I))),
        bool(IT.search(text)),
    )
