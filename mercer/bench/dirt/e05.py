"""Events in, the same and sessions of machines that read the shop out (E05)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth
from mercer.bench.dirt.added import Added

CHECK = "E05"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """400 clicks in 200 s; some hundred at 10 a minute with jitter; visits of people played again, times jittered."""
    events = tables.get("events")
    if events is None or not len(events):
        return tables, Truth(CHECK).table()
    rng = np.random.default_rng([seed, 5])
    added, budget = Added(tables, CHECK), max(1, round(rate * len(events)))
    number = 0
    play = _player(events, rng) if difficulty == "adversarial" else None
    if difficulty == "adversarial" and play is None:  # nobody looks at anything in this log
        return tables, Truth(CHECK).table()
    goods = sorted({product for product in events["product"].to_pylist() if product})
    times = [time for time in events["time"].to_pylist() if time]
    if not goods or len(set(times)) < 2:
        return tables, Truth(CHECK).table()
    while len(added) < budget:
        who = {"shopper": f"B{seed}-{number % 7}", "session": f"BS{seed}-{number}", "device": "desktop"}
        start = int(rng.integers(min(times), max(times)))
        if play is not None:
            play(added, who, max(times))
        else:
            _crawl(added, {**who, "goods": goods, "start": start}, difficulty, rng)
        number += 1
    return added.done()


def _crawl(added: Added, about: dict[str, Any], difficulty: Difficulty, rng: np.random.Generator) -> None:
    goods, moment = about.pop("goods"), about.pop("start")
    easy = difficulty == "easy"
    count = 400 if easy else int(rng.integers(60, 300))
    for product in rng.choice(goods, count).tolist():
        moment += int(rng.integers(100, 900)) if easy else int(max(500, rng.normal(6000, 1500)))
        added.add("crawler", type="click" if rng.random() < 0.9 else "view", product=product, time=moment, **about)


def _player(events: pa.Table, rng: np.random.Generator) -> Any:
    """A function that plays a session of four actions or more again."""
    kept = ["type", "session", "product", "query_id", "position", "quantity", "price", "time", "place"]
    sessions = defaultdict(list)
    for row in events.select(kept).to_pylist():
        if row["session"] is not None and row["time"] is not None:
            sessions[row["session"]].append(row)
    rich = sorted(
        name
        for name, rows in sessions.items()
        if sum(row["type"] not in ("impression", "refund") for row in rows) >= 4
        and any(row["type"] in ("view", "click") for row in rows)
    )

    if not rich:
        return None

    def play(added: Added, who: dict[str, Any], end: int) -> None:
        rows = sorted(sessions[rich[int(rng.integers(len(rich)))]], key=lambda row: row["time"])
        before = rows[0]["time"]
        moment = int(rng.integers(rows[-1]["time"] + 60_000, max(end, rows[-1]["time"] + 120_000)))
        for row in rows:
            moment += int((row["time"] - before) * rng.uniform(0.9, 1.1))
            before = row["time"]
            added.add("replay", **{**row, **who, "time": moment})

    return play
