"""How long a check of a large shop takes, in how much memory, and what one day more costs.

    python benchmarks/check_scale.py --events 20000000 --products 200000 --days 20

A shop is made with numpy, a file of events a day, with about 1 % of faults. Each figure is of a process of its own: the
first check of everything, one day more (``mercer check`` as it comes: what has not changed is not asked again), and a
shop of that day alone. Seconds of the processor are given beside those of the clock, as other work on the machine
lengthens the latter. Memory is the most that this process held while it was at a check (Linux), and at all.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = 1_748_736_000_000  # 2025-06-01
DAY = 86_400_000
RUNS = ("everything", "one day more", "that day alone")
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


def alone(folder: Path) -> Path:
    """A shop of the same products and the last day of events."""
    home = folder / "alone"
    (home / "events").mkdir(parents=True)
    shutil.copy(folder / "products.parquet", home)
    shutil.copy(max((folder / "events").iterdir()), home / "events")
    shop(home)
    return home


class Watch:
    """Processor seconds and most memory of every check and every stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.gigabytes: dict[str, float] = {}
        self._open: list[str] = []

    def around(self, owner: Any, name: str, told: Callable[..., str]) -> None:
        """Watch a function or a generator of a module or class."""
        original = getattr(owner, name)

        def watched(*given: Any, **more: Any) -> Any:
            with self.told(told(*given, **more)):
                found = original(*given, **more)
                return list(found) if isinstance(found, Iterator) else found

        setattr(owner, name, watched)

    @contextmanager
    def told(self, name: str) -> Iterator[None]:
        before = spent()
        _forget_peak()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + spent() - before, 2)
        self.gigabytes[name] = max(self.gigabytes.get(name, 0.0), _peak())

    def table(self) -> dict[str, tuple[float, float]]:
        """Name → processor seconds, gigabytes; the dearest first."""
        names = sorted(self.seconds, key=lambda name: -self.seconds[name])
        return {name: (self.seconds[name], self.gigabytes[name]) for name in names if self.seconds[name] >= 0.05}


def spent() -> float:
    """Processor seconds of this process and of those it has waited for."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """Gigabytes since `_forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else []
    return next((round(int(line.split()[1]) / 1e6, 2) for line in lines if line.startswith("VmHWM")), 0.0)


def checked(folder: Path, engine: str, *, again: bool) -> dict[str, object]:
    """Check in this process; seconds, processor seconds and the most memory it took."""
    from mercer.cli import check_shop
    from mercer.quality import ask, quarantine, run, source, write
    from mercer.shop import Shop

    watch = Watch()
    watch.around(ask.Asked, "_check", lambda _, declared: declared.id)
    stages = [(source, "read_all"), (run, "trust"), (run, "take_out"), (run, "_measures"), (run, "_manifest")]
    for owner, name in (*stages, (quarantine, "decide"), (run.gate, "decide"), (write, "write"), (run, "_stamp")):
        label = f"{owner.__name__.rpartition('.')[2]}.{name}"
        watch.around(owner, name, lambda *_, label=label, **__: label)
    begun = time.monotonic()
    version, _ = check_shop.check_shop(Shop(folder / "shop"), again=again, engine=engine)
    manifest = json.loads((Shop(folder / "shop").path("checked", version) / "manifest.json").read_text())
    table = watch.table()
    return {
        "seconds": round(time.monotonic() - begun, 1),
        "processor_seconds": round(spent(), 1),
        "gigabytes": max([_peak(), *(gigabytes for _, gigabytes in table.values())]),
        "gigabytes_of_a_helper": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6, 2),
        "rows": manifest["rows"]["events"],
        "trusted_hash": manifest["trusted_hash"],
        "parts": table,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--products", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--engine", default="duckdb")
    parser.add_argument("--folder", type=Path, help="where to make the shop; a temporary folder if not given")
    parser.add_argument("--only", nargs="*", choices=RUNS, default=RUNS)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--again", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.inside:
        print(json.dumps(checked(told.folder, told.engine, again=told.again)))
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
        for name in told.only:
            home = folder
            if name == "one day more":
                last = len(list((folder / "events").iterdir()))
                day(folder / "events", last, rows, told.products)
            if name == "that day alone":
                home = alone(folder)
            again = ["--again"] if name == "everything" else []
            command = [sys.executable, __file__, "--inside", "--folder", str(home), "--engine", told.engine, *again]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            print(json.dumps({"run": name, **json.loads(done.stdout.splitlines()[-1])}), flush=True)


if __name__ == "__main__":
    main()
