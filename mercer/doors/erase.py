"""A shop and a shopper's id in; the shop without the shopper, and a proof of what was removed where, out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mercer.doors.talks import FILES, Talks
from mercer.doors.traces import VOCABULARY, Traces
from mercer.errors import RequestError, ShopLocked
from mercer.events.log import EventLog
from mercer.events.people import People
from mercer.quality.erased import Erased
from mercer.quality.secret import keep_private, private_folder
from mercer.retrieve.past import Pasts
from mercer.shop import Shop, content_hash, disk_errors, write_json

__all__ = ["Proof", "erase", "unserved"]

FORMAT = 1
"""Of a proof file."""
CACHES = ("parts", "live")
"""Under ``store/cache``: what the check makes again from the owner's files and the log."""
DATABASES = tuple(f"{name}{part}" for name in ("events.db", *FILES) for part in ("", "-wal", "-shm", "-journal"))
PASSED_OVER = (*DATABASES, "erasures", "salt", "erased.json")
"""Files that are dealt with by themselves, or hold no more than pseudonyms."""


@dataclass(slots=True)
class Proof:
    """What an erasure did; it names the shopper by pseudonym only."""

    subject: str
    """The id's HMAC-SHA-256 under the secret in ``store/quality/salt``, 32 hex digits."""
    moment: int
    """UTC milliseconds; what the shopper does later is theirs to give again."""
    removed: list[dict[str, Any]] = field(default_factory=list)
    """where; rows, and of a file that was written anew the content hash before and after."""
    left: list[dict[str, str]] = field(default_factory=list)
    """what, why, and until when."""
    files: int = 0
    """Files of the store that were looked through at the end."""
    found: list[str] = field(default_factory=list)
    """Those that still speak of the shopper; none, if all went well."""
    path: str = ""
    """Of the proof file, relative to the shop's folder."""

    def gone(self, where: str, rows: int, **more: str) -> None:
        if rows:
            self.removed.append({"where": where, "rows": rows, **more})

    def stays(self, what: str, why: str, until: str) -> None:
        self.left.append({"what": what, "why": why, "until": until})


def erase(shop: Shop, shopper: str, *, log: EventLog | None = None, raw: Iterable[Path] = ()) -> Proof:
    """Remove a shopper from log, conversations, demo orders, every checked and index version, and the caches.

    A tombstone without the id (a keyed hash) makes the next check and index pass over the shopper's rows in the
    owner's own files, which are not touched.

    Args:
        shop: whose store it is.
        shopper: the id, as events have it.
        log: the open log; None opens it.
        raw: the owner's files, to be named in the proof where they still speak of the shopper.

    Raises:
        RequestError: the id is empty.
        ShopLocked: a check or a build is running, which might write what is being erased.
        DiskFull, ShopError: it was cut off; what is done stays done, run it again.
    """
    if not shopper.strip():
        raise RequestError("the shopper's id is empty", cure="name the shopper to erase")
    with shop.lock("check"), shop.lock("write-checked"), shop.lock("write-index"), disk_errors(shop.store):
        erased = Erased(shop.store)
        proof = Proof("", int(time.time() * 1000))
        proof.subject = erased.add(shopper, now=proof.moment)
        shop.audit.append("erase shopper", {"subject": proof.subject})
        traces = Traces(shopper)
        _log(shop, shopper, log, proof)
        talks = Talks(shop.store, traces, proof.subject)
        _talks(shop, talks, proof)
        _caches(shop, traces, proof)
        _pasts(shop, shopper, proof)
        _files(shop, traces, proof)
        _left(shop, traces, raw, proof)
        _look(shop, traces, proof, log)
        proof.files += len(talks.files())
        proof.found += [_named(shop, path) for path in talks.found()]
        return _written(shop, proof)


def _log(shop: Shop, shopper: str, log: EventLog | None, proof: Proof) -> None:
    if log is None and not shop.events.exists():
        return
    with contextlib.ExitStack() as stack:
        opened = log or stack.enter_context(EventLog(shop.events))
        rows = People(opened).erase(shopper)
    if rows.pop("write-ahead file"):
        proof.stays(
            "store/events.db-wal", "another process keeps the log open, so SQLite cannot empty it", "that process ends"
        )
    for table, count in rows.items():
        proof.gone(f"store/events.db: {table}", count)


def _talks(shop: Shop, talks: Talks, proof: Proof) -> None:
    """What the assistant keeps; it reads its files anew for every message."""
    rows, busy = talks.erase()
    for where, count in rows.items():
        proof.gone(f"store/{where}", count)
    for name in busy:
        proof.stays(f"store/{name}", "another process reads it, so SQLite cannot empty it", "that process ends")
    if rows.get("conversations.db: handovers") and (shop.store / "assistant-approved.json").exists():
        proof.stays(
            "store/assistant-approved.json",
            "questions and answers that the owner let in, masked and without who asked",
            "the owner takes them out",
        )


def _caches(shop: Shop, traces: Traces, proof: Proof) -> None:
    """Folders that the next check makes again go whole: they hold the owner's files in another form."""
    for name in CACHES:
        for folder in sorted((shop.cache / name).glob("*")):
            mine = [path for path in ([folder] if folder.is_file() else folder.rglob("*")) if path.is_file()]
            if any(traces.there(path) for path in mine):
                proof.gone(_named(shop, folder), len(mine), removed="whole")
            shutil.rmtree(folder, ignore_errors=True) if folder.is_dir() else folder.unlink()


def _pasts(shop: Shop, shopper: str, proof: Proof) -> None:
    """The shopper's own past in every index version."""
    for names in sorted(shop.store.glob(f"index/**/{VOCABULARY}")):
        folder, before = names.parent, content_hash(names, names.with_name("pasts.npz"))
        pasts = Pasts.load(folder)
        if pasts.shoppers.code(shopper) < 0:
            continue
        products = pasts.forget(shopper)
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            pasts.save(Path(beside))
            for path in Path(beside).iterdir():
                os.replace(path, folder / path.name)
        after = content_hash(names, names.with_name("pasts.npz"))
        proof.gone(f"{_named(shop, folder)}: past", max(1, products), before=before, after=after)


def _files(shop: Shop, traces: Traces, proof: Proof) -> None:
    """Every other file of the store that speaks of the shopper, written anew without."""
    for path in _every(shop):
        if path.name != VOCABULARY and traces.there(path):
            before, rows = content_hash(path), traces.clean(path)
            if rows is not None:
                proof.gone(_named(shop, path), rows, before=before, after=content_hash(path))


def _left(shop: Shop, traces: Traces, raw: Iterable[Path], proof: Proof) -> None:
    for path in raw:
        if path.is_file() and path.suffix not in (".gz", ".zst") and not traces.there(path):
            continue
        proof.stays(
            path.name,
            "the shop's own file, which Mercer never writes to; the next check passes over the shopper's rows in it",
            "the owner takes the rows out",
        )
    if shop.versions("index"):
        proof.stays(
            "store/index: neighbours, popularity, trends, baskets",
            "sums over all shoppers that name nobody and were worked out with this one among them",
            "the next `mercer index`, which learns without",
        )
    if shop.versions("models"):
        proof.stays(
            "store/models", "weights that were learnt with this shopper's actions among all", "the next `mercer learn`"
        )


def _look(shop: Shop, traces: Traces, proof: Proof, log: EventLog | None) -> None:
    """Look once more through everything, as nobody should take the steps above at their word.

    In the log's bytes an id also stands where it is a part of somebody else's.
    """
    for path in [*_every(shop), *shop.store.glob("events.db*")]:
        proof.files += 1
        if traces.there(path) and not (path.name.startswith("events.db") and _longer(shop, traces.shopper, log)):
            proof.found.append(_named(shop, path))


def _longer(shop: Shop, shopper: str, log: EventLog | None) -> bool:
    with contextlib.ExitStack() as stack:
        return People(log or stack.enter_context(EventLog(shop.events))).longer(shopper)


def _written(shop: Shop, proof: Proof) -> Proof:
    folder = private_folder(shop.store / "erasures")
    path = folder / f"{proof.moment}-{proof.subject[:8]}.json"
    proof.path = _named(shop, path)
    write_json(path, {"format": FORMAT, **asdict(proof)})
    keep_private(path)
    return proof


@contextlib.contextmanager
def unserved(shop: Shop) -> Iterator[None]:
    """Hold the live index, so that no server keeps in memory what is erased on the disk.

    Raises:
        ShopLocked: a server, or another command, has it open.
    """
    live = shop.live("index")
    path = shop.path("index", live.version) / "products" / "products.lock" if live else None
    if path is None or not path.exists():
        yield
        return
    with open(path, "a", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ShopLocked(
                f"{shop.folder} is open in another process, which holds shoppers in memory",
                cure="ask that one: curl -X DELETE localhost:8000/v1/shoppers/ID, or stop it",
            ) from error
        yield


def _every(shop: Shop) -> Iterator[Path]:
    """Files that may speak of a shopper: of an index all that is not made of products alone."""
    for path in sorted(shop.store.rglob("*")):
        parts = path.relative_to(shop.store).parts
        products = parts[0] == "index" and "behaviour" not in parts and path.suffix != ".parquet"
        if path.is_file() and not products and not set(parts) & set(PASSED_OVER) and path.suffix != ".lock":
            yield path


def _named(shop: Shop, path: Path) -> str:
    return str(path.relative_to(shop.folder))
