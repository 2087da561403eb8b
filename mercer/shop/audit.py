"""Who changed what in a shop in; a log out whose every line vouches for the one before it."""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mercer.errors import ShopError, ShopLocked
from mercer.shop.disk import disk_errors, sync_folder, write_json

__all__ = ["ACTING", "FIRST", "Audit", "Entry", "whoami"]

ACTING: ContextVar[str] = ContextVar("acting", default="")
"""Who acts where it is not the user of the machine: a server sets it for each request."""

FIRST = "0" * 64
"""What the first entry has in place of the hash before it."""
PRIVATE = 0o600
TRIES, PAUSE = 500, 0.01
"""An append takes milliseconds; whoever holds the log for 5 s has stopped."""
BLOCK = 65_536
"""Bytes read at a time from the end to find the last line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change."""

    seq: int
    """From 1, without gaps."""
    time: int
    """UTC milliseconds."""
    who: str
    """``user NAME`` of the machine, or ``key ID`` over HTTP."""
    act: str
    about: Mapping[str, Any]
    before: str
    """Hash of the entry before."""
    hash: str = ""
    """SHA-256, in hex, of the canonical JSON of all the other fields."""

    def line(self) -> bytes:
        """As it stands in the log: one way to write an entry, so that another byte is another entry."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    def digest(self) -> str:
        """What `hash` must be."""
        told = asdict(self)
        del told["hash"]
        return hashlib.sha256(
            json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    @classmethod
    def read(cls, line: bytes) -> Entry:
        """An entry from its line.

        Raises:
            ValueError, TypeError: it is none.
        """
        return cls(**json.loads(line))


class Audit:
    """``store/audit.jsonl`` and, in ``store/audit.json``, number and hash of its last entry.

    Chained hashes show a change, a line taken out and a new order; the second file shows lines taken from the end. Who
    may write both can forge both: keep the hash of the last entry elsewhere too, and ask `verify` for it.

    >>> import tempfile
    >>> from mercer.shop import Shop
    >>> audit = Audit(Shop.create(Path(tempfile.mkdtemp())).store)
    >>> audit.append("promote", {"kind": "index"}, who="user ann").seq
    1
    >>> audit.verify()
    []
    """

    def __init__(self, store: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = store / "audit.jsonl"
        self.head = store / "audit.json"
        self._clock = clock

    def append(self, act: str, about: Mapping[str, Any], *, who: str = "") -> Entry:
        """Add an entry; it is on the disk when this returns.

        Args:
            act: a verb, such as ``publish``.
            about: what JSON can hold; never a secret.
            who: "" is who `ACTING` says, else the user of the machine.

        Raises:
            ShopLocked: another process has held the log for 5 seconds.
            DiskFull, ShopError: it cannot be written.
        """
        with disk_errors(self.path), self._opened() as handle:
            seq, before, cut = self._end(handle)
            if cut:
                cut_off = self._entry(seq + 1, before, "mend", {"bytes_cut": cut}, who)
                self._write(handle, cut_off)
                seq, before = cut_off.seq, cut_off.hash
            entry = self._entry(seq + 1, before, act, about, who)
            self._write(handle, entry)
        return entry

    def entries(self) -> list[Entry]:
        """Every entry, oldest first.

        Raises:
            ShopError: a line is none; `verify` says which.
        """
        try:
            return [Entry.read(line) for line in self._lines() if line.endswith(b"\n")]
        except (ValueError, TypeError) as error:
            raise ShopError(f"{self.path} is damaged: {error!r}", cure="see: mercer audit SHOP verify") from error

    def verify(self, *, contains: str = "") -> list[str]:
        """What is wrong with the log, one line a fault; nothing where every entry is as it was written.

        Args:
            contains: hash of an entry that must be there, noted outside of this machine.
        """
        wrong: list[str] = []
        before, seq, hashes = FIRST, 0, set()
        for number, line in enumerate(self._lines(), start=1):
            if not line.endswith(b"\n"):
                continue  # cut off by a kill before it was acknowledged; the next append cuts it and says so
            entry = _whole(line)
            if entry is None:
                wrong.append(f"line {number} is not what was written")
                seq, before = seq + 1, ""
                continue
            if entry.seq != seq + 1:
                wrong.append(f"line {number} is entry {entry.seq}, {seq + 1} was to come")
            elif before and entry.before != before:
                wrong.append(f"line {number} does not follow the line before it")
            seq, before = entry.seq, entry.hash
            hashes.add(entry.hash)
        wrong += self._head_faults(seq, before, hashes)
        if contains and contains not in hashes:
            wrong.append(f"no entry has the hash {contains}")
        return wrong

    def _head_faults(self, seq: int, last: str, hashes: set[str]) -> list[str]:
        told, hash = self._told()
        if hash and hash not in hashes:
            return [f"entry {told}, the last that was acknowledged, is not there"]
        if seq - told > 1:  # a kill between the two files leaves one entry that the second does not know
            return [f"{self.head.name} knows {told} of {seq} entries"]
        if seq and told == seq and hash != last:
            return [f"{self.head.name} names another last entry"]
        return []

    def _entry(self, seq: int, before: str, act: str, about: Mapping[str, Any], who: str) -> Entry:
        bare = Entry(seq, int(self._clock() * 1000), who or ACTING.get() or whoami(), act, dict(about), before)
        return Entry(bare.seq, bare.time, bare.who, bare.act, bare.about, bare.before, bare.digest())

    def _write(self, handle: int, entry: Entry) -> None:
        left = memoryview(entry.line())
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
        write_json(self.head, {"seq": entry.seq, "hash": entry.hash}, mode=PRIVATE)

    def _end(self, handle: int) -> tuple[int, str, int]:
        """Number and hash of the last entry, and how many bytes of a half written one were cut off.

        Where the log lacks what the second file knows, it goes on from there: the gap stays to be seen.
        """
        last, cut = _last_line(handle)
        entry = _whole(last) if last else None
        told, hash = self._told()
        if entry is None or entry.seq < told:
            return told, hash or FIRST, cut
        return entry.seq, entry.hash, cut

    def _told(self) -> tuple[int, str]:
        """Number and hash of the last entry by the second file; (0, "") where it does not say."""
        try:
            found = json.loads(self.head.read_text("utf-8"))
            return int(found["seq"]), str(found["hash"])
        except FileNotFoundError:
            return 0, ""
        except (ValueError, KeyError, TypeError):
            return 0, "unreadable"

    def _lines(self) -> Iterator[bytes]:
        if self.path.exists():
            with disk_errors(self.path), self.path.open("rb") as handle:
                yield from handle

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE)
        try:
            _wait_for(handle, self.path)
            if new:
                sync_folder(self.path.parent)
            yield handle
        finally:
            os.close(handle)


def _whole(line: bytes) -> Entry | None:
    """The entry of a line that is as it was written, else None."""
    try:
        entry = Entry.read(line)
        return entry if entry.line() == line and entry.digest() == entry.hash else None
    except (ValueError, TypeError, RecursionError):
        return None


def _last_line(handle: int) -> tuple[bytes, int]:
    """The last whole line, and how many bytes after it were cut off."""
    size = os.fstat(handle).st_size
    held, start = b"", size
    while start and held.rstrip(b"\n").count(b"\n") < 2:
        start = max(0, start - BLOCK)
        held = os.pread(handle, size - start, start)
    whole = held.rfind(b"\n") + 1
    if len(held) > whole:
        os.ftruncate(handle, start + whole)
    lines = held[:whole].splitlines(keepends=True)
    return (lines[-1] if lines else b""), len(held) - whole


def _wait_for(handle: int, path: Path) -> None:
    for _ in range(TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return
    raise ShopLocked(f"{path} is held by another process", cure="stop that process or wait until it ends")


def whoami() -> str:
    """The user of this machine, as an entry names one."""
    try:
        return f"user {getpass.getuser()}"
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"
