"""How many visits must go missing before E14 says so? The invented shop at several sizes, outages of three hours.

    python benchmarks/outage_power.py --seeds 11 12 13 14 15

Rows: visits that the lost part usually has in those hours, how many of the outages are found, and what else is said.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mercer.bench.dirt.e14 import HOUR, PARTIAL  # noqa: E402
from mercer.quality.check import Inputs, find  # noqa: E402
from mercer.quality.read import read  # noqa: E402
from mercer.sample.generate import FILES, generate  # noqa: E402
from mercer.sample.settings import SampleSettings  # noqa: E402

SIZES = (20_000, 60_000, 120_000, 240_000, 400_000)
"""Events of 30 days; a visit has about 13."""
KINDS = ("device", "type", "partial")
DAYS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="*", type=int, default=[11, 12, 13, 14, 15])
    parser.add_argument("--outages", type=int, default=4, help="of each kind and shop")
    parser.add_argument("--hours", type=int, default=3)
    given = parser.parse_args()
    print("| lost | visits usually | outages | found | other findings |\n|---|---|---|---|---|")
    counts: dict[tuple[str, int], list[int]] = {}
    for size in SIZES:
        for seed in given.seeds:
            events = shop(size, seed)
            for number in range(given.outages):
                for kind in KINDS:
                    usual, found, other = outage(events, kind, given.hours, np.random.default_rng([seed, number]))
                    band = next(edge for edge in (5, 10, 20, 30, 45, 70, 100, 10**6) if usual < edge)
                    cell = counts.setdefault((kind, band), [0, 0, 0])
                    for place, value in enumerate((1, found, other)):
                        cell[place] += value
    for (kind, band), (outages, found, other) in sorted(counts.items()):
        print(f"| {kind} | below {band} | {outages} | {found} ({found / outages:.0%}) | {other} |")


def shop(size: int, seed: int) -> pa.Table:
    folder = Path(tempfile.mkdtemp(prefix="mercer-outage-"))
    generate(
        folder, SampleSettings(seed=seed, image_size=32, images=1, days=DAYS, events=size, products=500, shoppers=2000)
    )
    return read("events", folder / FILES["events"]).table


def outage(events: pa.Table, kind: str, hours: int, rng: np.random.Generator) -> tuple[float, bool, int]:
    """Take the phones' visits, their clicks, or 70 % of their visits away; (visits usually, found, others found)."""
    hour = events["time"].fill_null(0).to_numpy() // HOUR
    visit = events["session"].dictionary_encode().combine_chunks().indices.fill_null(-1).to_numpy()
    mine = events["device"].to_numpy() == "phone"
    if kind == "type":
        mine &= events["type"].to_numpy() == "click"
    if kind == "partial":
        mine &= rng.random(int(visit.max()) + 2)[visit] < PARTIAL
    first_day = int(hour.min()) // 24
    start = (first_day + int(rng.integers(4, DAYS - 3))) * 24 + int(rng.integers(10, 15))
    usual = np.mean([seen(hour, visit, mine, start + 24 * day, hours) for day in range(-3, 4) if day])
    gone = mine & (hour >= start) & (hour < start + hours)
    check = find("E14")
    found = check(Inputs({"events": events.filter(pa.array(~gone))}, 0), check.settings())
    said = [one.rows.to_pylist()[0] for one in found]
    there = [one["start"] // HOUR < start + hours and one["start"] // HOUR + one["hours"] > start for one in said]
    return float(usual), any(there), len(there) - sum(there)


def seen(hour: np.ndarray, visit: np.ndarray, mine: np.ndarray, start: int, hours: int) -> int:
    inside = mine & (hour >= start) & (hour < start + hours)
    return len(np.unique(np.stack([hour[inside], visit[inside]]), axis=1)[0])


if __name__ == "__main__":
    main()
