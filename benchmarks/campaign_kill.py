"""A shop in; how often what the server had acknowledged was there, and its answers right, after kill -9, out.

    python benchmarks/campaign_kill.py SHOP [--times 200] [--seed 1] [--json FILE]

SHOP (a copy: it is written to) is served by `mercer serve`. Beside it one process promotes and rolls back and one takes
backups, again and again, while threads tell events and put, patch and delete products over HTTP. At a random moment all
three processes get SIGKILL; then the server is started again and asked for everything that it ever acknowledged. A call
that was under way at the kill may have been done or not; nothing else is forgiven. A call that failed before the kill
counts as `failed`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.served import Server

NOBODY = object()
"""A product that is not there."""
WORD = "qzx"
"""How words begin that no catalogue has."""


@dataclass
class Told:
    """What the campaign saw."""

    kills: int = 0
    events: int = 0
    """Acknowledged."""
    products: int = 0
    """Changes of products acknowledged."""
    events_lost: int = 0
    products_lost: int = 0
    """Products that are not what was acknowledged last."""
    answers_wrong: int = 0
    versions_wrong: int = 0
    """Starts after which another version answered than the live one."""
    failed: list[str] = field(default_factory=list)
    """Calls that failed although nobody had killed the server."""
    swaps: int = 0
    backups: int = 0
    """Whole ones, each taken back into a folder at the end of the campaign or read through."""
    backups_bad: int = 0
    ready: list[float] = field(default_factory=list)
    """Seconds from the start of the process to the first answer of /ready, by the clock."""
    work: list[float] = field(default_factory=list)
    """The same in seconds of processors: what it would take on an idle machine, at most."""

    def good(self) -> bool:
        lost = self.events_lost + self.products_lost + self.answers_wrong + self.versions_wrong + self.backups_bad
        return not lost and not self.failed and self.kills > 0


class Ledger:
    """What was acknowledged, and what may have been done."""

    def __init__(self) -> None:
        self.events: set[str] = set()
        self.products: dict[str, Any] = {}
        """Id → (title, price), or NOBODY: as acknowledged last."""
        self.maybe: dict[str, Any] = {}
        """The same of a change that was under way."""


def tell(server: Server, known: list[str], ledger: Ledger, told: Told, dead: threading.Event, name: str) -> None:
    """Events, a batch after the other, until the server is dead."""
    rng, number = random.Random(name), 0
    while not dead.is_set():
        ids = [f"{name}-{number}-{i}" for i in range(rng.randint(1, 5))]
        number += 1
        batch = [{"id": id, "type": "view", "product": rng.choice(known), "shopper": f"s{id[-1]}"} for id in ids]
        if _asked(server, "POST", "/v1/events", {"events": batch}, told, dead):
            ledger.events.update(ids)
            told.events += len(ids)


def change(server: Server, ledger: Ledger, told: Told, dead: threading.Event, name: str, own: list[str]) -> None:
    """Puts, patches and deletions of this thread's own products, one at a time."""
    rng = random.Random(name)
    while not dead.is_set():
        id = rng.choice(own)
        before = ledger.products.get(id, NOBODY)
        act = rng.choice(("put", "patch", "delete")) if before is not NOBODY else "put"
        title, price = f"{WORD}{id} {name}n{rng.randrange(10**6)}", float(rng.randrange(1, 10**6)) / 100
        if act == "put":
            after, body = (title, price), {"products": [{"id": id, "title": title, "price": price}]}
        elif act == "patch":
            after, body = (before[0], price), {"products": [{"id": id, "price": price}]}
        else:
            after, body = NOBODY, {"ids": [id]}
        ledger.maybe[id] = after
        method = {"put": "PUT", "patch": "PATCH", "delete": "DELETE"}[act]
        if not _asked(server, method, "/v1/products", body, told, dead):
            return  # what was under way may have been done: one change more would hide which
        ledger.products[id] = after
        del ledger.maybe[id]
        told.products += 1


def _asked(server: Server, method: str, path: str, body: Any, told: Told, dead: threading.Event) -> bool:
    """Whether it was acknowledged."""
    try:
        status, answer = server(method, path, body)
    except (OSError, ValueError, HTTPException) as error:
        if server.process.poll() is None and not dead.wait(2):
            told.failed.append(f"{method} {path}: {error!r}")
        return False
    if status in (200, 202):
        return True
    told.failed.append(f"{method} {path}: {status} {json.dumps(answer)[:200]}")
    return False


def check(server: Server, shop: Path, ledger: Ledger, told: Told, rng: random.Random) -> None:
    """Everything that was acknowledged is there, and what is found is right."""
    from mercer.events.log import EventLog
    from mercer.shop import Shop

    with EventLog(Shop(shop).events) as log:
        stored = {event.id for event in log.all()}
    told.events_lost += len(ledger.events - stored)
    ledger.events &= stored  # a loss is counted once
    for id in sorted(ledger.products.keys() | ledger.maybe.keys()):
        status, answer = server("GET", f"/v1/products/{id}")
        there = (answer["title"], answer["price"]) if status == 200 else NOBODY
        if there not in (ledger.products.get(id, NOBODY), ledger.maybe.get(id, ledger.products.get(id, NOBODY))):
            told.products_lost += 1
        ledger.products[id] = there
    ledger.maybe.clear()
    for id in rng.sample(sorted(ledger.products), min(8, len(ledger.products))):
        _, page = server("POST", "/v1/search", {"query": f"{WORD}{id}", "k": 20, "correct": False})
        hits = {hit["id"]: (hit["product"]["title"], hit["product"]["price"]) for hit in page["hits"]}
        told.answers_wrong += hits.get(id, NOBODY) != ledger.products[id]
    live = Shop(shop).live("index")
    _, ready = server("GET", "/ready")
    told.versions_wrong += live is None or ready["index"] != live.version


@contextlib.contextmanager
def beside(act: str, shop: Path, versions: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that publishes or backs up until it is killed."""
    command = [sys.executable, __file__, str(shop), "--act", act, "--versions", *versions]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


def act(what: str, shop: Path, versions: list[str]) -> None:
    """The work of such a process."""
    from mercer.shop import Shop
    from mercer.shop.backup import backup

    here, rng = Shop(shop), random.Random()
    while True:
        if what == "backup":
            backup(here, shop.parent / "campaign.mercer")
            with open(shop.parent / "backups", "a", encoding="utf-8") as said:
                said.write("1\n")
            continue
        live = here.live("index")
        assert live is not None
        if live.before and rng.random() < 0.5:
            here.rollback("index")
        else:
            here.publish("index", rng.choice(versions))
        time.sleep(rng.uniform(0.05, 1.0))


def campaign(shop: Path, times: int, seed: int, *, most: float = 4.0, minutes: float = 60.0) -> Told:
    """Kill it so many times, or as often as there are minutes for."""
    from mercer.events.log import EventLog
    from mercer.records import Event
    from mercer.shop import Shop

    told, ledger, rng = Told(), Ledger(), random.Random(seed)
    live, settings = Shop(shop).live("index"), shop / "mercer.toml"
    assert live is not None, "run: mercer index SHOP"
    if "[serve]" not in settings.read_text("utf-8"):
        settings.write_text(settings.read_text("utf-8") + "\n[serve]\nfollow_seconds = 0.1\n", "utf-8")
    with EventLog(Shop(shop).events) as log:
        log.append([Event("campaign", "view", "campaign", int(time.time() * 1000), "campaign", "c")])
    built = subprocess.run(
        [sys.executable, "-m", "mercer", "index", str(shop), "--no-promote", "--json"], capture_output=True, check=True
    )
    versions = [live.version, json.loads(built.stdout)["version"]]
    until = time.monotonic() + minutes * 60
    for time_ in range(times):
        if time.monotonic() > until:
            break
        server = Server(shop)
        told.ready.append(server.ready)
        told.work.append(server.work)
        check(server, shop, ledger, told, rng)
        known = [hit["id"] for hit in server("POST", "/v1/search", {"query": "", "k": 50})[1]["hits"]]
        known = [id for id in known if not id.startswith("w")]  # others come and go
        dead, name = threading.Event(), f"k{seed}.{time_}"
        own = [[f"w{thread}p{i}" for i in range(20)] for thread in range(2)]
        threads = [threading.Thread(target=tell, args=(server, known, ledger, told, dead, f"{name}e{i}")) for i in "12"]
        threads += [
            threading.Thread(target=change, args=(server, ledger, told, dead, f"{name}c{i}", own[i])) for i in (0, 1)
        ]
        with beside("publish", shop, versions) as one, beside("backup", shop, versions) as other:
            for thread in threads:
                thread.start()
            before, began = told.events + told.products, time.monotonic()
            while told.events + told.products == before and time.monotonic() < began + 60:
                time.sleep(0.01)  # a kill before anything was acknowledged tries nothing
            time.sleep(rng.uniform(0.0, most))
            with contextlib.suppress(OSError, ValueError, HTTPException):
                told.swaps += int(_counted(server))
            for process in rng.sample([server.process, one, other], 3):
                process.send_signal(signal.SIGKILL)
            server.kill()
            dead.set()
        told.kills += 1
        for thread in threads:
            thread.join()
        if (time_ + 1) % 10 == 0:
            print(
                json.dumps({**asdict(told), "ready": max(told.ready), "work": max(told.work)}),
                file=sys.stderr,
                flush=True,
            )
    server = Server(shop)
    told.ready.append(server.ready)
    told.work.append(server.work)
    check(server, shop, ledger, told, rng)
    server.kill()
    _backups(shop, told)
    return told


def _counted(server: Server) -> float:
    with urllib.request.urlopen(server.url + "/metrics", timeout=5) as answer:
        return float(re.findall(r"mercer_index_swaps (\S+)", answer.read().decode())[0])


def _backups(shop: Path, told: Told) -> None:
    """The last whole backup can be taken back."""
    from mercer.shop.restore import restore

    counted, file = shop.parent / "backups", shop.parent / "campaign.mercer"
    told.backups = len(counted.read_text("utf-8").split()) if counted.exists() else 0
    if file.exists():
        try:
            restore(file, shop.parent / "restored")
        except Exception as error:  # whatever it is, it is counted
            print(f"the backup cannot be restored: {error!r}", file=sys.stderr)
            told.backups_bad += 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("shop", type=Path)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60.0, help="after which no other round begins")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--act", choices=("publish", "backup"), help="for the campaign itself")
    parser.add_argument("--versions", nargs="*", default=[])
    given = parser.parse_args()
    if given.act:
        act(given.act, given.shop, given.versions)
    told = campaign(given.shop, given.times, given.seed, minutes=given.minutes)
    spread = {
        name: {"p50": ones[len(ones) // 2], "max": ones[-1], "above 5 s": sum(one > 5 for one in ones)}
        for name, ones in (("ready", sorted(told.ready)), ("work", sorted(told.work)))
    }
    failures = {"failed": len(told.failed), "failures": told.failed[:20]}
    summary = {**asdict(told), **failures, **spread, "good": told.good()}
    print(json.dumps(summary, indent=1))
    if given.json:
        given.json.write_text(json.dumps(summary, indent=1), "utf-8")


if __name__ == "__main__":
    main()
