"""Prices are read in both languages; ages, sizes and voltages are not prices."""

from __future__ import annotations

import pytest

from mercer.understand.price import LIKELY, SURE, UNSURE, prices


@pytest.mark.parametrize(
    ("query", "low", "high", "confidence"),
    [
        ("red dress under 50", None, 50, LIKELY),
        ("red dress under $50", None, 50, SURE),
        ("iphone 13 case under 20 dollars", None, 20, SURE),
        ("mugs between 20 and 30", 20, 30, LIKELY),
        ("mugs from £20 to £30", 20, 30, SURE),
        ("desk 100-200 yuan", 100, 200, SURE),
        ("mug about $50", 40, 60, SURE),
        ("mug about 50", 40, 60, UNSURE),
        ("gifts for women over 50", 50, None, UNSURE),
        ("gifts for kids under 10", None, 10, UNSURE),
        ("500元以下 无线耳机 降噪", None, 500, SURE),
        ("100到200元 耳机", 100, 200, SURE),
        ("¥100-¥200 包", 100, 200, SURE),
        ("不超过500块的手机", None, 500, SURE),
        ("1,299.50元以内", None, 1299.5, SURE),
        ("1万以内 电脑", None, 10_000, LIKELY),
        ("99元起", 99, None, SURE),
        ("200元左右的耳机", 160, 240, SURE),
    ],
)
def test_a_price(query: str, low: float | None, high: float | None, confidence: float) -> None:
    (price,) = prices(query)
    assert (price.low, price.high, price.confidence) == (low, high, confidence)


@pytest.mark.parametrize(
    "query",
    [
        "toys under 12 months",
        "shoes size 8-10",
        "usb charger 100-240v",
        "table under 60 inches",
        "under 5oz",
        "dumbbell under 50 lb",
        "iphone 13",
        "under 0 dollars",
        "between 30 and 20",
        "8g内存 手机",
        "3岁以下 玩具",
        "500ml 保温杯",
        "aj1 low 2023",
    ],
)
def test_no_price(query: str) -> None:
    assert prices(query) == []


def test_about_is_loose() -> None:
    assert prices("about $50")[0].loose
    assert not prices("under $50")[0].loose
