"""A shop, served or not, in; one archive of it, of one moment, out."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mercer.errors import DataError, ShopError, UsageError
from mercer.shop.archive import BESIDE, Member, Reading, Tick, Writing
from mercer.shop.aside import aside
from mercer.shop.disk import disk_errors, sync_folder
from mercer.shop.folder import Shop

__all__ = ["backup"]

PRIVATE = 0o600
SQLITE = b"SQLite format 3\x00"
"""How such a file begins."""
LEFT_OUT = ("cache", "reports")
"""Of the store: what is made again by itself."""
SEARCH = ("zvec", "words.json", "grams.json")
"""Beside an index's products.db: what changes with every upsert; opening the index makes it from there."""
TRIES = 20
"""How often the live versions are read again because somebody published meanwhile."""


def backup(shop: Shop, target: Path, *, tick: Tick | None = None) -> list[Member]:
    """Write an archive of a shop, also while it is served.

    Consistent like this: first what is live, with the audit log of that moment; then versions, which never change
    but for products.db, of which SQLite gives one moment; the event log last, as it has every later change of a
    product, which the index catches up with when it is opened. So nothing acknowledged before the call is missing.

    Args:
        shop: whose store it is.
        target: the file; one that is there is replaced once the new one is whole.
        tick: told bytes done more.

    Raises:
        UsageError: the file lies in the store, or is something else than a backup.
        DiskFull, ShopError: it cannot be written, or a shopper was erased meanwhile.
    """
    _acceptable(shop, target)
    with disk_errors(target), aside(target, "writing") as beside:
        half = beside / "half"
        with open(half, "xb", opener=lambda name, flags: os.open(name, flags, PRIVATE)) as handle:
            with contextlib.closing(Writing(handle, tick=tick)) as writing:
                members = _fill(shop, writing, beside)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(half, target)
        sync_folder(target.parent)
    return members


def _fill(shop: Shop, writing: Writing, beside: Path) -> list[Member]:
    held = _moment(shop)
    for name, content in held.items():
        writing.add_bytes(f"store/{name}", content, mode=PRIVATE)
    last: list[Path] = []
    for path in _files(shop):
        name = path.relative_to(shop.folder).as_posix()
        if name.removeprefix("store/") in held:
            continue
        if path == shop.events:
            last.append(path)
        else:
            _add(writing, name, path, beside)
    for path in last:
        _add(writing, "store/events.db", path, beside)
    if b'"act":"erase shopper"' in _bytes(shop.store / "audit.jsonl")[len(held.get("audit.jsonl", b"")) :]:
        raise ShopError("a shopper was erased while the backup was taken", cure="take it again")
    live = json.loads(held.get("live.json", b"{}"))
    about: dict[str, Any] = {
        "made": int(time.time() * 1000),
        "live": {kind: one["version"] for kind, one in live.items()},
    }
    members = writing.finish(about)
    there = {member.path for member in members}
    for kind, version in about["live"].items():
        if (shop.path(kind, version) / "card.json").relative_to(shop.folder).as_posix() not in there:
            raise ShopError(f"{kind} version {version} is live and not there", cure="see: mercer doctor SHOP")
    return members


def _moment(shop: Shop) -> dict[str, bytes]:
    """What is live, and the audit log that goes with it: read again where somebody published in between."""
    for _ in range(TRIES):
        before = _bytes(shop.store / "live.json")
        head, log = _bytes(shop.store / "audit.json"), _bytes(shop.store / "audit.jsonl")
        if _bytes(shop.store / "live.json") == before and _bytes(shop.store / "audit.json") == head:
            found = {"live.json": before, "audit.json": head, "audit.jsonl": log[: log.rfind(b"\n") + 1]}
            return {name: content for name, content in found.items() if content}
    raise ShopError("versions are published again and again", cure="take the backup when that is over")


def _files(shop: Shop) -> Iterator[Path]:
    """What a backup holds: the store without what is made again, and what the owner wrote beside it."""
    for root, folders, names in os.walk(shop.store):
        here = Path(root)
        searching = "products.db" in names
        folders[:] = sorted(
            name for name in folders
            if not name.startswith(".") and not (here == shop.store and name in LEFT_OUT)
            and not (searching and name in SEARCH)
        )  # fmt: skip
        for name in sorted(names):
            unneeded = name.startswith(".") or name.endswith((".lock", "-wal", "-shm", "-journal"))
            path = here / name
            if not unneeded and not (searching and name in SEARCH) and path.is_file() and not path.is_symlink():
                yield path
    yield from (shop.folder / name for name in BESIDE if (shop.folder / name).is_file())


def _add(writing: Writing, name: str, path: Path, beside: Path) -> None:
    """A file as it is; of a database, the moment that SQLite gives while others write."""
    try:
        with path.open("rb") as handle:
            database = handle.read(len(SQLITE)) == SQLITE
        if not database:
            writing.add(name, path)
            return
    except FileNotFoundError:  # a version that was removed meanwhile; one that is live is looked for at the end
        return
    copy = beside / "copy.db"
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, with no second one that would be left behind
        copy.chmod(path.stat().st_mode & 0o777)
        writing.add(name, copy)
    except sqlite3.Error as error:
        raise ShopError(f"{path} cannot be copied: {error}", cure="see: mercer doctor SHOP") from error
    finally:
        copy.unlink(missing_ok=True)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _acceptable(shop: Shop, target: Path) -> None:
    if target.resolve().is_relative_to(shop.store.resolve()):
        raise UsageError(f"{target} lies in the store that it is to hold", cure="give a file elsewhere")
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"{target} cannot be a file", cure="name a file in a folder that is there")
    if target.exists() and target.stat().st_size:
        try:
            Reading(target).close()
        except DataError as error:
            raise UsageError(f"{target} is no backup of Mercer's", cure="give another name, or remove it") from error
