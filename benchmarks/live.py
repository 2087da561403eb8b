"""What an event costs the next page, and what learning new events costs beside learning all of them again.

python benchmarks/live.py SHOP --pairs 300          # a copy of an indexed shop; events are written to it
python benchmarks/live.py SHOP --refresh            # needs checked events
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np


def milliseconds(work) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def processor(work) -> float:  # type: ignore[no-untyped-def]
    """Milliseconds of processor time, which a busy machine does not lengthen."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def pages(folder: Path, pairs: int) -> None:
    """Each shopper's page twice, with an event between them or without by a coin: load and caches are shared."""
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.records import Event, Request

    doors, rng = open_doors(folder, read_settings(folder)), np.random.default_rng(0)
    ids, people = doors.index.ids(), doors.shoppers()
    apart: dict[str, list[float]] = {"nothing between": [], "an event between": []}
    spent, writing = [], []
    for number in range(pairs):
        who = people[int(rng.integers(len(people)))]

        def page() -> None:
            doors.recommend(Request("home", shopper=doors.shopper(who), k=24))  # noqa: B023  # called at once

        page()
        first = milliseconds(page)
        if happens := bool(rng.integers(2)):
            seen = ids[int(rng.integers(len(ids)))]
            event = Event(f"bench{time.time_ns()}-{number}", "view", seen, int(time.time() * 1000), who)
            writing.append(milliseconds(lambda: doors.events.append([event])))  # noqa: B023
        second = milliseconds(page)
        spent.append(first)
        apart["an event between" if happens else "nothing between"].append(second - first)
    doors.close()
    print(f"{pairs} pairs, {len(ids):,} products, home page of 24\n\n| ms | p50 | p95 | p99 |\n|---|---|---|---|")
    said = {"page": spent, **{f"second page less the first, {name}": values for name, values in apart.items()}}
    for name, values in {**said, "the event's write": writing}.items():
        print(f"| {name} | " + " | ".join(f"{np.percentile(values, share):.2f}" for share in (50, 95, 99)) + " |")


def refreshing(folder: Path, most: int) -> None:
    """The last hundredth of the checked events as new ones: brought up to date, and learnt with all others again."""
    import pyarrow.parquet as pq

    from mercer.retrieve.behaviour import Behaviour, BehaviourSettings
    from mercer.retrieve.refresh import Refresh
    from mercer.shop import Shop

    shop = Shop(folder)
    live = shop.live("checked")
    assert live
    table = pq.read_table(shop.path("checked", live.version) / "events.parquet").sort_by("time")
    table = table.slice(max(0, len(table) - most))
    cut = len(table) - max(1, len(table) // 100)
    settings = BehaviourSettings(linear_most=0)
    counts, nothing = Refresh(table.slice(0, cut), settings), Behaviour.fit(None)
    counts.behaviour(nothing)
    added = processor(lambda: counts.add(table.slice(cut)))
    made = processor(lambda: counts.behaviour(nothing))
    whole = processor(lambda: Behaviour.fit(table, settings))
    found, again = counts.behaviour(nothing), Behaviour.fit(table, settings)
    print(
        f"\n{len(table):,} events, {len(table) - cut:,} of them new, {len(found.products):,} products; no linear model"
    )
    print("| counting the new | finding neighbours anew | both | all again | ratio |\n|---|---|---|---|---|")
    both = added + made
    print(f"| {added:,.0f} ms | {made:,.0f} ms | {both:,.0f} ms | {whole:,.0f} ms | {both / whole:.2f} |")
    for part in ("knn", "together"):
        mine, theirs = (getattr(one, part).neighbours.matrix.tocsr() for one in (found, again))
        apart = abs(mine - theirs).max() / max(1e-12, abs(theirs).max())
        print(f"{part}: largest difference of a score {apart:.1e} of the largest")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shop", type=Path)
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--refresh", action="store_true")
    parser.add_argument("--most", type=int, default=10**9, help="events, the latest")
    given = parser.parse_args()
    if given.pairs:
        pages(given.shop, given.pairs)
    if given.refresh:
        refreshing(given.shop, given.most)
