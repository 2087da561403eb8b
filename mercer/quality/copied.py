"""Two listings in; whether one is a copy of the other with small changes, or another variant of the product, out."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mercer.quality.alike import jaccard, pieces, plain

__all__ = ["Listing", "is_copy", "listing"]

_PROMOTION = """
正品 包邮 新款 热卖 爆款 特价 促销 限时 现货 官方 旗舰店 专柜 同款 推荐 清仓 秒杀 优惠 直降 热销 抢购 超值 顺丰
genuine original authentic new hot sale official authorized bestseller best seller promo promotion deal clearance
free shipping limited offer special brand fast
"""
PROMOTION = re.compile(
    "|".join(
        rf"(?<![a-z]){word}(?![a-z])" if word.isascii() else word
        for word in sorted(_PROMOTION.split(), key=len, reverse=True)
    )
)
_VARIANT = "红橙黄绿青蓝紫黑白灰粉棕金银米卡其咖大中小长短厚薄男女童左右春夏秋冬单双一二三四五六七八九十上下前后高低加"
VARIANT = frozenset(_VARIANT)
"""A letter that parts one variant from another: never a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is compared."""

    row: Mapping[str, Any]
    title: str
    """`plain`, without words of promotion."""
    letters: str
    """Those of the title in order of the alphabet: equal where two letters or words changed places."""
    shingles: tuple[str, ...]
    """Each once; as sets those of a large catalogue would fill the memory."""
    numbers: tuple[str, ...]
    brand: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def listing(row: Mapping[str, Any]) -> Listing:
    """A row of products as it is compared."""
    title = " ".join(PROMOTION.sub(" ", plain(row["title"])).split())
    numbers = tuple(sorted(re.findall(r"[0-9]+", title)))
    letters = "".join(sorted(title.replace(" ", "")))
    return Listing(
        row, title, letters, tuple(pieces(title)), numbers, plain(row["brand"]), _attributes(row["attributes"])
    )


def _attributes(text: str | None) -> dict[str, str]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {name: plain(str(value)) for name, value in found.items()} if isinstance(found, dict) else {}


def is_copy(one: Listing, other: Listing, *, body: float, price: float) -> bool:
    """The same brand, numbers and attributes, a body that agrees, and titles that differ by a slip or by order.

    Args:
        one: a listing.
        other: another.
        body: least Jaccard of what descriptions and bullets say, where both say something.
        price: greatest ratio of the prices.
    """
    same_letters = one.letters == other.letters
    if one.brand and other.brand and one.brand != other.brand:
        return False
    shared = one.attributes.keys() & other.attributes.keys()
    agreed = len(one.attributes) == len(other.attributes) == len(shared)
    if not agreed or any(one.attributes[name] != other.attributes[name] for name in shared):
        return False
    low, high = sorted((one.row["price"] or 0.0, other.row["price"] or 0.0))
    if (low > 0 and high > price * low) or not (same_letters or _slip(one.title, other.title)):
        return False
    least = body if one.numbers == other.numbers else 0.95
    same = _bodies(one, other)
    return one.numbers == other.numbers if same is None else same >= least


def _bodies(one: Listing, other: Listing) -> float | None:
    """Jaccard of descriptions and bullets; None where one of the listings has none."""
    first, second = (_body(item.row) for item in (one, other))
    return jaccard(first, second) if first and second else None


def _body(row: Mapping[str, Any]) -> frozenset[str]:
    return pieces(plain(f"{row['description'] or ''} {row['bullets'] or ''}")[:4000])


def _slip(one: str, other: str) -> bool:
    """Titles say the same but for order, and letters changed in at most two words or two Chinese places."""
    words = [Counter(re.findall("[^\u3400-\u9fff ]+", text)) for text in (one, other)]
    only, also = list((words[0] - words[1]).elements()), list((words[1] - words[0]).elements())
    if len(only) != len(also) or len(only) > 2 or not all(_typo(word, also) for word in only):
        return False
    letters = [Counter(re.findall("[\u3400-\u9fff]", text)) for text in (one, other)]
    changed = list((letters[0] - letters[1]).elements()) + list((letters[1] - letters[0]).elements())
    return len(changed) <= 2 and not VARIANT & set(changed)


def _typo(word: str, others: list[str]) -> bool:
    return (
        len(word) >= 4
        and not any(map(str.isdigit, word))
        and any(
            difflib.SequenceMatcher(None, word, other, autojunk=False).ratio() >= 0.8
            for other in others
            if len(other) >= 4
        )
    )
