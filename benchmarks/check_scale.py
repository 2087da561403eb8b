"""How long a check of a large shop takes, in how much memory, and what one day more costs.

    python benchmarks/check_scale.py --events 20000000 --products 200000 --days 20

A shop is made with numpy, a file of events a day, with about 1 % of faults. Each figure is of a process of its own: the
first check of everything, the same again from scratch caches of parts, then one day more. Seconds of processor time are
given beside those of the clock, as other work on the machine lengthens the latter.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = 1_748_736_000_000  # 2025-06-01
DAY = 86_400_000
WORDS = ["红色", "连衣裙", "纯棉", "手机", "充电器", "mug", "tent", "blue", "large", "kitchen", "steel", "复古", "儿童"]
WORDS += ["户外", "lamp", "desk", "真皮", "防水", "wool", "shirt"]
TYPES = np.array(["impression", "view", "click", "add_to_cart", "purchase"])


def products(folder: Path, count: int) -> None:
    """A catalogue of `count` listings, 1 % of them faulty."""
    rng = np.random.default_rng(1)
    words = np.array(WORDS)[rng.integers(0, len(WORDS), (count, 6))]
    titles = [" ".join(row) + f" {n}" for n, row in enumerate(words)]
    bad = set(rng.choice(count, count // 100, replace=False).tolist())
    titles = [f"<b>{title}</b> &amp; more" if n in bad else title for n, title in enumerate(titles)]
    kind = rng.integers(0, 200, count)
    price = np.round(np.exp(rng.normal(3, 0.4, count)), 2)
    price[rng.choice(count, count // 200, replace=False)] = 0.0
    table = {
        "id": [f"p{n}" for n in range(count)],
        "title": titles,
        "description": [f"{title}. " * 6 for title in titles],
        "brand": np.array([f"brand {n}" for n in range(500)])[rng.integers(0, 500, count)],
        "category": np.array([f"Home > Kind {n}" for n in range(200)])[kind],
        "price": price,
    }
    pq.write_table(pa.table(table), folder / "products.parquet", compression="zstd")


def day(folder: Path, number: int, rows: int, count: int) -> None:
    """One day of events: popular products more often; 1 % about unknown ones, sent twice or at no time."""
    rng = np.random.default_rng(1000 + number)
    shoppers = max(1000, rows // 20)
    session = np.sort(rng.integers(0, max(1, rows // 8), rows))
    who = rng.integers(0, shoppers, session.max() + 1)[session]
    start = np.sort(rng.integers(0, DAY - 3_600_000, session.max() + 1))[session]
    moment = START + number * DAY + start + rng.integers(0, 1_800_000, rows)
    moment[rng.choice(rows, rows // 500, replace=False)] = 0
    which = (count * rng.random(rows) ** 2.5).astype(np.int64)
    which[rng.choice(rows, rows // 500, replace=False)] = count + 7
    kind = rng.choice(5, rows, p=[0.6, 0.2, 0.12, 0.05, 0.03])
    sold = kind >= 3
    table = pa.table(
        {
            "event_id": pa.array(np.char.add(f"{number}-", np.arange(rows).astype(str))),
            "type": pa.DictionaryArray.from_arrays(kind.astype(np.int8), TYPES.tolist()),
            "shopper": pa.array(np.char.add("s", who.astype(str))),
            "session": pa.array(np.char.add(f"v{number}-", session.astype(str))),
            "product": pa.array(np.char.add("p", which.astype(str))),
            "position": pa.array(rng.integers(1, 25, rows), mask=kind > 2),
            "quantity": pa.array(np.ones(rows), mask=~sold),
            "price": pa.array(np.round(rng.gamma(4, 5, rows), 2), mask=~sold),
            "time": moment,
        }
    )
    again = table.take(rng.choice(rows, rows // 500, replace=False))
    pq.write_table(pa.concat_tables([table, again.cast(table.schema)]), folder / f"day-{number:03d}.parquet")


def shop(folder: Path) -> None:
    from mercer.shop import Shop

    opened = Shop.create(folder / "shop")
    text = '[data]\nproducts = "../products.parquet"\nevents = "../events/*.parquet"\n[quality]\nmax_quarantine = 0.5\n'
    opened.settings.write_text(text)


def checked(folder: Path, engine: str) -> dict[str, object]:
    """Check in this process; seconds, processor seconds and the most memory it took."""
    from mercer.cli import check_shop
    from mercer.quality import ask
    from mercer.shop import Shop

    spent: dict[str, float] = {}
    original = ask.Asked._check

    def timed(self, declared):  # type: ignore[no-untyped-def]
        begun = time.monotonic()
        yield from original(self, declared)
        spent[declared.id] = round(spent.get(declared.id, 0.0) + time.monotonic() - begun, 1)

    ask.Asked._check = timed  # type: ignore[method-assign]
    begun = time.monotonic()
    version, _ = check_shop.check_shop(Shop(folder / "shop"), again=True, engine=engine)
    manifest = json.loads((Shop(folder / "shop").path("checked", version) / "manifest.json").read_text())
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "seconds": round(time.monotonic() - begun, 1),
        "processor_seconds": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 1),
        "gigabytes": round(own.ru_maxrss / 1e6, 2),
        "rows": manifest["rows"]["events"],
        "trusted_hash": manifest["trusted_hash"],
        "checks": dict(sorted(spent.items(), key=lambda item: -item[1])[:12]),
        "all_checks": round(sum(spent.values()), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--products", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--engine", default="duckdb")
    parser.add_argument("--folder", type=Path, help="where to make the shop; a temporary folder if not given")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.inside:
        print(json.dumps(checked(told.folder, told.engine)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = told.folder or Path(temporary)
        (folder / "events").mkdir(parents=True, exist_ok=True)
        rows = told.events // told.days
        if not (folder / "products.parquet").exists():
            products(folder, told.products)
            for number in range(told.days):
                day(folder / "events", number, rows, told.products)
            shop(folder)
        command = [sys.executable, __file__, "--inside", "--folder", str(folder), "--engine", told.engine]
        for name in ("everything", "nothing new", "one day more"):
            if name == "one day more":
                last = len(list((folder / "events").iterdir()))
                day(folder / "events", last, rows, told.products)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            print(json.dumps({"run": name, **json.loads(done.stdout.splitlines()[-1])}), flush=True)


if __name__ == "__main__":
    main()
