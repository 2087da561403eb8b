"""A backup in; a folder that is wholly the archive's shop, or wholly as it was, out."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mercer.errors import DataError, ShopError, ShopLocked, UsageError
from mercer.shop.archive import Reading, Tick
from mercer.shop.aside import aside
from mercer.shop.audit import Audit
from mercer.shop.disk import disk_errors, sync_folder
from mercer.shop.folder import Shop

__all__ = ["Restored", "restore"]


@dataclass(frozen=True, slots=True)
class Restored:
    """What `restore` did."""

    files: int
    bytes: int
    made: int
    """When the backup was taken, UTC milliseconds."""
    before: Path | None
    """Where the shop that was there lies now."""
    audit: list[str]
    """What is wrong with the audit log that came out of the archive; empty where it is whole."""


def restore(archive: Path, folder: Path, *, replace: bool = False, tick: Tick | None = None) -> Restored:
    """Make a folder the shop of an archive. A kill at any moment leaves what was there, or the whole new shop.

    Args:
        archive: from `backup`.
        folder: of the shop; it may be missing or empty.
        replace: whether a shop that is there may be put aside; it is kept under another name, and what is no part
            of its store (raw files, images) is in both.
        tick: told bytes done more.

    Raises:
        UsageError: the folder is not empty, or what is there is no shop.
        ShopLocked: a server has the shop open.
        DataError: the archive is damaged; nothing was changed.
        ShopTooNew: a later Mercer wrote it.
    """
    there = folder.exists() and any(folder.iterdir())
    if there and not replace:
        raise UsageError(f"{folder} is not empty", cure="give a new folder, or --replace to put the shop there aside")
    if there and not (folder / "store").is_dir():
        raise UsageError(f"{folder} is no shop", cure="give a new folder")
    with (
        contextlib.closing(Reading(archive)) as reading,
        disk_errors(folder),
        _unserved(folder),
        aside(folder, "restoring") as beside,
    ):
        fresh = beside / folder.name
        fresh.mkdir(mode=0o700)
        reading.extract(fresh, tick=tick)
        restored = Shop(fresh)
        _databases_whole(restored, archive)
        before = None
        if there:
            _carry_over(folder, fresh)
            _exchange(fresh, folder)
            before = folder.with_name(f"{folder.name}.before-{int(time.time())}-{os.getpid()}")
            os.rename(fresh, before)
        else:
            os.replace(fresh, folder)
        sync_folder(folder.parent)
        size = sum(member.size for member in reading.members)
        faults = Audit(folder / "store").verify()
        return Restored(len(reading.members), size, int(reading.about.get("made", 0)), before, faults)


@contextlib.contextmanager
def _unserved(folder: Path) -> Iterator[None]:
    """Hold the index versions of a shop, whatever else is wrong with it."""
    with contextlib.ExitStack() as stack:
        for path in folder.glob("store/index/**/products.lock"):
            handle = stack.enter_context(open(path, "a", encoding="utf-8"))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ShopLocked(f"{folder} is open in another process", cure="stop that one first") from error
        yield


def _databases_whole(shop: Shop, archive: Path) -> None:
    for path in shop.store.rglob("*.db"):
        try:
            with contextlib.closing(sqlite3.connect(path)) as database:
                said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            said = str(error)
        if said != "ok":
            raise DataError(f"{archive}: {path.name} in it is damaged: {said}", cure="use an older backup")


def _carry_over(old: Path, new: Path) -> None:
    """Raw files and images that lie beside the store are in both folders, as links: nothing is copied or moved."""
    for path in old.iterdir():
        if path.name != "store" and not (new / path.name).exists():
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, new / path.name, copy_function=os.link, symlinks=True)
            else:
                os.link(path, new / path.name, follow_symlinks=False)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places, in one step that no kill divides (renameat2, Linux 3.15)."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    done = call(here, os.fsencode(one), here, os.fsencode(other), exchange) if call else -1
    if done:
        code = ctypes.get_errno() if call else errno.ENOSYS
        raise ShopError(
            f"{other} cannot be replaced in one step here ({os.strerror(code)})",
            cure="restore into a new folder, then rename the two yourself",
        )
