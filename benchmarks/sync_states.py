"""Nothing in; in how many states of a disk that loses all that was not synced something acknowledged is missing, out.

    python benchmarks/sync_states.py [--writes 320] [--off]

A process writes an event log and a store of products and notes what was acknowledged; `sync_record.c`, loaded into it,
notes every write and sync. At every sync two disks are made: one without any byte that was not synced, one with some of
those writes, out of order, as a power cut may leave it. Both are opened as a shop is opened. `--off` writes without
syncs: then something must be missing, or this program proves nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mercer.errors import MercerError
from mercer.events.log import EventLog
from mercer.records import Event, Product
from mercer.retrieve.store import Store

HERE = Path(__file__).resolve().parent
NOON = 1_760_000_000_000
DIMENSION = 4


@dataclass
class Told:
    """What was seen."""

    syncs: int = 0
    states: int = 0
    acknowledged: int = 0
    """Writes that had returned by the end."""
    states_with_a_loss: int = 0
    lost: int = 0
    """Writes missing, summed over states."""
    unreadable: int = 0
    """States that could not be opened."""


@dataclass
class Disk:
    """Files as synced, and what was written since."""

    synced: dict[str, bytearray] = field(default_factory=dict)
    waiting: dict[str, list[tuple[int, bytes | None]]] = field(default_factory=dict)
    """Path → (place, data), or (new length, None)."""

    def sync(self, path: str) -> None:
        file = self.synced.setdefault(path, bytearray())
        for place, data in self.waiting.pop(path, []):
            _put(file, place, data)

    def torn(self, rng: random.Random) -> dict[str, bytes]:
        """With some of what was not synced, in any order."""
        files = {path: bytearray(content) for path, content in self.synced.items()}
        for path, acts in self.waiting.items():
            for place, data in rng.sample(acts, rng.randint(0, len(acts))):
                _put(files.setdefault(path, bytearray()), place, data)
        return {path: bytes(content) for path, content in files.items()}


def _put(file: bytearray, place: int, data: bytes | None) -> None:
    if data is None:
        del file[place:]
        return
    file.extend(bytes(max(0, place - len(file))))
    file[place : place + len(data)] = data


def write(root: Path, writes: int, *, off: bool) -> None:
    """The process that is recorded: every acknowledged write is noted in the file `acks`."""
    import numpy as np

    rng = random.Random(1)
    with open(root / "acks", "ab", buffering=0) as acks, EventLog(root / "events.db") as log:
        store = Store(root / "products.db", dimension=DIMENSION)
        if off:
            log._writer._database.execute("PRAGMA synchronous=OFF")  # type: ignore[union-attr]  # it is open
            store._database.execute("PRAGMA synchronous=OFF")
        for number in range(writes):
            id, act = f"{number:05d}", rng.choice(("event", "event", "change", "put", "drop"))
            acks.write(f"begin {act} {number}\n".encode())
            if act == "event":
                log.append([Event(f"{id}.{i}", "view", "p", NOON, shopper="ann", place="x" * 400) for i in range(3)])
            elif act == "change":
                log.record_changes([Product(f"c{number % 7}", id)])
            elif act == "put":
                store.put([Product(f"p{number % 7}", id)], np.eye(1, DIMENSION, dtype=np.float32))
            else:
                store.drop([f"p{number % 7}"])
            acks.write(f"{act} {number}\n".encode())


def record(folder: Path, writes: int, *, off: bool) -> Path:
    """Run `write` under the recorder; the trace comes back.

    Raises:
        subprocess.CalledProcessError, FileNotFoundError: there is no C compiler, or the process failed.
    """
    root, library, trace = folder / "disk", folder / "sync_record.so", folder / "trace"
    root.mkdir()
    source = str(HERE / "sync_record.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(library), "SYNC_ROOT": str(root), "SYNC_TRACE": str(trace)}
    command = [sys.executable, __file__, "--write", str(root), "--writes", str(writes), *(["--off"] if off else [])]
    subprocess.run(command, env=environment, check=True)
    return trace


def acts(trace: Path) -> Iterator[tuple[str, str, int, bytes]]:
    """(act, file name, place, data) in the order in which they were done."""
    told, at = trace.read_bytes(), 0
    while at < len(told):
        act = chr(told[at])
        path, place, size = (int.from_bytes(told[at + 1 + 8 * i : at + 9 + 8 * i], sys.byteorder) for i in range(3))
        at += 25
        yield act, os.path.basename(told[at : at + path]).decode(), place, told[at + path : at + path + size]
        at += path + size


def states(trace: Path, told: Told) -> Iterator[tuple[dict[str, bytes], list[str], str]]:
    """Disks after a power cut, what had been acknowledged before it, and what was under way."""
    disk, rng, acked, begun = Disk(), random.Random(2), list[str](), ""
    for act, name, place, data in acts(trace):
        if name == "acks":
            line = data.decode().strip()
            acked, begun = (acked, line.removeprefix("begin ")) if line.startswith("begin") else ([*acked, line], "")
        elif name.endswith("-shm") or act == "u":  # made anew when it is opened; a deletion is believed at once
            disk.synced.pop(name, None)
            disk.waiting.pop(name, None)
        elif act == "s":
            told.syncs += 1
            yield {path: bytes(content) for path, content in disk.synced.items()}, acked, begun
            yield disk.torn(rng), acked, begun
            disk.sync(name)
        else:
            disk.waiting.setdefault(name, []).append((place, data if act == "w" else None))
    yield {path: bytes(content) for path, content in disk.synced.items()}, acked, begun
    told.acknowledged = len(acked)


def missing(folder: Path, acked: list[str], begun: str) -> int:
    """Acknowledged writes that a shop opened from these files has not.

    Raises:
        MercerError: they cannot be opened.
    """
    done = [(act, int(number)) for act, number in (line.split() for line in acked)]
    newest = {act: {number % 7: number for one, number in done if one == act} for act in ("change", "put", "drop")}
    with EventLog(folder / "events.db") as log:
        stored = {event.id for event in log.all()}
        changed = {change.id: int(change.product.title) for change in log.changes() if change.product}
    lost = sum(f"{number:05d}.{i}" not in stored for act, number in done if act == "event" for i in range(3))
    lost += sum(changed.get(f"c{slot}", -1) < number for slot, number in newest["change"].items())
    store = Store(folder / "products.db", dimension=DIMENSION)
    kept = {product.id: int(product.title) for product in store}
    store.close()
    for slot in newest["put"].keys() | newest["drop"].keys():
        put, drop, there = newest["put"].get(slot, -1), newest["drop"].get(slot, -1), kept.get(f"p{slot}", -1)
        dropping = begun.startswith("drop") and int(begun.split()[1]) % 7 == slot  # it may have been done
        lost += there < put and not (dropping and there < 0) if put > drop else 0 <= there < drop
    return lost


def campaign(folder: Path, writes: int, *, off: bool = False) -> Told:
    """Record, then open every state."""
    told = Told()
    trace = record(folder, writes, off=off)
    for files, acked, begun in states(trace, told):
        told.states += 1
        with tempfile.TemporaryDirectory(dir=folder) as place:
            for name, content in files.items():
                (Path(place) / name).write_bytes(content)
            try:
                lost = missing(Path(place), acked, begun)
            except MercerError:
                told.unreadable += 1
                continue
        told.lost += lost
        told.states_with_a_loss += lost > 0
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writes", type=int, default=320)
    parser.add_argument("--off", action="store_true")
    parser.add_argument("--write", type=Path, help="for the recorded process itself")
    given = parser.parse_args()
    if given.write:
        write(given.write, given.writes, off=given.off)
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(vars(campaign(Path(folder), given.writes, off=given.off)), indent=1))


if __name__ == "__main__":
    main()
