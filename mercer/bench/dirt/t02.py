"""Reviews in, the same and campaigns written from templates out (T02)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, appended

CHECK = "T02"
DAY = 86_400_000
SPREAD: dict[Difficulty, float] = {"easy": 2, "medium": 6, "adversarial": 45}
"""Days of a campaign."""
SIZES = (8, 31)
TARGETS: dict[Difficulty, int] = {"easy": 1, "medium": 2, "adversarial": 5}
ENGLISH = (
    ("I bought this for my {0} and {1} love it.", "The quality is {2} and delivery was {3}.", "{4} recommended!"),
    ("{2} product, arrived {3}.", "My {0} said it is the best gift this year.", "Would {4} buy here again."),
    ("Used it every day with my {0} for a week, {2} value.", "The parcel came {3}.", "Five stars, {4} worth it."),
)
CHINESE = (
    ("给{0}买的，{1}都特别喜欢。", "质量{2}，物流{3}。", "{4}推荐大家购买！"),
    ("收到货了，{2}，比想象中好。", "{0}一眼就看中了。", "卖家发货{3}，{4}回购。"),
    ("用了一周来评价，做工{2}，{0}也说好用。", "快递{3}，包装完整。", "{4}值得入手。"),
)
_FILL = (
    "mother wife son friend office|everybody neighbours|great amazing superb perfect|quickly soon|highly strongly",
    "妈妈 老婆 孩子 朋友 同事|全家 大家 我们|很好 超棒 一流 没得说|很快 神速 准时|强烈 真心 一定",
)
FILL = tuple(tuple(slot.split() for slot in words.split("|")) for words in _FILL)


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """About `rate` of the rows more: 8 to 30 reviews a campaign, five stars, few products, by new accounts."""
    truth = Truth(CHECK)
    table = tables.get("reviews")
    if table is None or not len(table):
        return tables, truth.table()
    rng = np.random.default_rng([seed, 102])
    products = sorted({product for product in table["product"].to_pylist() if product})
    times = [time for time in table["time"].to_pylist() if time is not None] or [1_750_000_000_000]
    rows: list[int] = []
    changes: dict[str, dict[int, object]] = {
        name: {} for name in ("id", "product", "shopper", "text", "rating", "time")
    }
    texts = " ".join(text or "" for text in table["text"].slice(0, 200).to_pylist())
    share = sum("\u4e00" <= letter <= "\u9fff" for letter in texts) / max(1, len(texts))
    campaign = 0
    while len(rows) < max(SIZES[0], rate * len(table)):
        chosen = (
            [products[int(rng.integers(len(products)))] for _ in range(TARGETS[difficulty])] if products else [None]
        )
        chinese = rng.random() < (share > 0.2)
        template = (CHINESE if chinese else ENGLISH)[int(rng.integers(3))]
        start = min(times) + rng.random() * max(1, max(times) - min(times))
        fixed = _filled(template, chinese, rng)
        for _ in range(int(rng.integers(*SIZES))):
            number = len(rows)
            rows.append(int(rng.integers(len(table))))
            text = fixed if difficulty == "easy" else _filled(template, chinese, rng)
            if difficulty == "adversarial":
                text = f"{text} {_own(table['text'][int(rng.integers(len(table)))].as_py())}"
            values = (f"fake{seed}-{number}", chosen[number % len(chosen)], f"new{seed}-{campaign}-{number}", text, 5.0,
                      int(start + rng.random() * SPREAD[difficulty] * DAY))  # fmt: skip
            for name, value in zip(changes, values, strict=True):
                changes[name][number] = value
        campaign += 1
    after, new = appended(table, rows, changes)
    for row in new:
        truth.add("reviews", row, f"campaign_{difficulty}")
    return {**tables, "reviews": after}, truth.table()


def _filled(template: tuple[str, ...], chinese: bool, rng: Any) -> str:
    words = [slot[int(rng.integers(len(slot)))] for slot in FILL[chinese]]
    return ("" if chinese else " ").join(part.format(*words) for part in template)


def _own(text: str | None) -> str:
    """The first half of somebody's words."""
    return (text or "")[: len(text or "") // 2]
