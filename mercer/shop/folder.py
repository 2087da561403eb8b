"""A folder in; its paths, content-hashed versions and what is live out. Publish and rollback are one atomic rename."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from mercer.errors import NotFoundError, ShopError, ShopLocked, ShopTooNew
from mercer.shop.audit import Audit
from mercer.shop.disk import disk_errors, sync_folder, write_json

__all__ = ["Kind", "Live", "Shop"]

FORMAT = 1
"""Layout of the folder; a shop with a larger number was written by a later Mercer."""

LONGEST = 255
"""Bytes that a file system lets a name have."""

Kind = Literal["checked", "index", "models", "assistant", "opinion"]
PLACES: Mapping[str, str] = {"assistant": "models/assistant", "opinion": "models/opinion"}
"""Kinds of models that serve on their own, beside the index: each is live by itself, under this folder of the store."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is live, and what was live before (newest last), for one kind of artefact."""

    version: str
    before: tuple[str, ...] = ()


class Shop:
    """One shop's folder.

    >>> import tempfile
    >>> shop = Shop.create(Path(tempfile.mkdtemp()) / "shop")
    >>> shop.live("index") is None
    True
    """

    def __init__(self, folder: Path | str) -> None:
        """Open an existing shop.

        Raises:
            NotFoundError: the folder is no shop.
            ShopTooNew: a later Mercer wrote it.
        """
        self.folder = Path(folder)
        marker = self.store / "format.json"
        if not marker.exists():
            raise NotFoundError(
                f"{self.folder} is no shop (it has no store/format.json)",
                cure=f"run: mercer init {self.folder} --products FILE",
            )
        try:
            found = int(json.loads(marker.read_text("utf-8"))["format"])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ShopError(f"{marker} is damaged: {error!r}", cure=f'write {{"format": {FORMAT}}} into it') from error
        if found > FORMAT:
            raise ShopTooNew(
                f"{self.folder} has format {found}, this Mercer reads up to {FORMAT}", cure="upgrade mercer"
            )

    @classmethod
    def create(cls, folder: Path | str) -> Shop:
        """Make the folder a shop, or open it if it is one."""
        store = Path(folder) / "store"
        with disk_errors(store):
            store.mkdir(parents=True, exist_ok=True)
            if not (store / "format.json").exists():
                write_json(store / "format.json", {"format": FORMAT})
        return cls(folder)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def settings(self) -> Path:
        return self.folder / "mercer.toml"

    @property
    def events(self) -> Path:
        """The durable event log (SQLite)."""
        return self.store / "events.db"

    @property
    def audit(self) -> Audit:
        """Who changed what."""
        return Audit(self.store)

    @property
    def cache(self) -> Path:
        """What can be made again: vectors by content hash."""
        return self.store / "cache"

    @property
    def reports(self) -> Path:
        return self.store / "reports"

    def _root(self, kind: Kind) -> Path:
        return self.store / PLACES.get(kind, kind)

    def path(self, kind: Kind, version: str) -> Path:
        """Folder of one version; it need not exist."""
        parts = version.split("/")
        if any(part in ("", ".", "..") or len(part.encode(errors="replace")) > LONGEST for part in parts):
            raise NotFoundError(f"{kind} version {version!r:.99} cannot be", cure="list them: mercer doctor SHOP")
        return self._root(kind) / version

    def versions(self, kind: Kind) -> list[str]:
        """Complete versions on disk, oldest first."""
        root = self._root(kind)
        if not root.exists():
            return []
        complete = [path for path in root.rglob("card.json") if not path.parent.name.startswith(".")]
        return [
            str(path.parent.relative_to(root)) for path in sorted(complete, key=lambda p: (p.stat().st_mtime_ns, p))
        ]

    @contextlib.contextmanager
    def writing(self, kind: Kind) -> Iterator[Path]:
        """A temporary folder to build a version in; it vanishes unless `publish` renames it.

        A killed process leaves at most a folder with a dot name, which the next writer of the kind removes.
        """
        root = self._root(kind)
        with disk_errors(root), self.lock(f"write-{kind}"):
            root.mkdir(parents=True, exist_ok=True)
            for left in root.glob(".writing-*"):
                shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=".writing-", dir=root))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self, kind: Kind, folder: Path, card: Mapping[str, Any], *, version: str) -> str:
        """Give a folder from `writing` its name; a version that is there already is left as it is.

        ``card.json`` is written last and fsynced, so a folder with a card is whole.
        """
        target = self.path(kind, version)
        with disk_errors(target):
            if (target / "card.json").exists():
                return version
            write_json(folder / "card.json", {"version": version, "made": int(time.time() * 1000), **card})
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():  # no card: the remains of a kill between two renames on a foreign file system
                shutil.rmtree(target)
            os.replace(folder, target)
            sync_folder(target.parent)
        return version

    def card(self, kind: Kind, version: str) -> dict[str, Any]:
        """The card of a version.

        Raises:
            NotFoundError: no such version.
        """
        path = self.path(kind, version) / "card.json"
        if not path.exists():
            known = ", ".join(self.versions(kind)) or "none"
            raise NotFoundError(f"there is no {kind} version {version!r}", cure=f"known: {known}")
        try:
            card: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ShopError(f"{path} is damaged: {error}", cure=f"remove {path.parent} and make it again") from error
        return card

    def live(self, kind: Kind) -> Live | None:
        """What is live of one kind, or None."""
        entry = self._live().get(kind)
        return Live(entry["version"], tuple(entry["before"])) if entry else None

    def publish(self, kind: Kind, version: str, *, note: str = "", override: str = "") -> Live:
        """Make a version live; the one before is remembered for `rollback`, and the audit log knows.

        Args:
            kind: of the version.
            version: one that is whole.
            note: kept in live.json.
            override: why it goes live although a gate or a proof is against it; "" where none is.
        """
        self.card(kind, version)
        with self.lock("live"):
            live = self._live()
            entry = live.get(kind)
            before = [] if entry is None else [*entry["before"], entry["version"]]
            if entry is not None and entry["version"] == version:
                return Live(version, tuple(entry["before"]))
            live[kind] = {
                "version": version, "before": before, "note": note or override, "time": int(time.time() * 1000)
            }  # fmt: skip
            about = {"kind": kind, "version": version, "before": before[-1:], "note": note, "override": override}
            self._change("publish", about, live)
            return Live(version, tuple(before))

    def rollback(self, kind: Kind) -> Live:
        """Make the version before live again.

        Raises:
            NotFoundError: there was none before.
        """
        with self.lock("live"):
            live = self._live()
            entry = live.get(kind)
            if not entry or not entry["before"]:
                raise NotFoundError(f"no {kind} version was live before", cure="publish one: mercer promote SHOP")
            *before, version = entry["before"]
            self.card(kind, version)
            live[kind] = {"version": version, "before": before, "note": "rollback", "time": int(time.time() * 1000)}
            self._change("rollback", {"kind": kind, "version": version, "before": [entry["version"]]}, live)
            return Live(version, tuple(before))

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold ``store/NAME.lock`` (advisory, released by the kernel when the process ends).

        Raises:
            ShopLocked: another process holds it.
        """
        with disk_errors(self.store), open(self.store / f"{name}.lock", "a+", encoding="utf-8") as handle:
            _acquire(handle, self.folder, name)
            yield

    def _live(self) -> dict[str, dict[str, Any]]:
        path = self.store / "live.json"
        if not path.exists():
            return {}
        try:
            live: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
            for kind, entry in live.items():
                if not isinstance(entry["version"], str) or not isinstance(entry["before"], list):
                    raise TypeError(f"{kind} names no version")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            cure = "restore it from a backup, or remove it and run: mercer promote SHOP"
            raise ShopError(f"{path} is damaged: {error!r}", cure=cure) from error
        return live

    def _change(self, act: str, about: Mapping[str, Any], live: Mapping[str, Any]) -> None:
        """First said, then done: a kill in between leaves an entry too many, never one too few."""
        self.audit.append(act, about)
        try:
            self._swap(live)
        except ShopError as error:
            self.audit.append(f"{act} failed", {**about, "why": error.problem})
            raise

    def _swap(self, live: Mapping[str, Any]) -> None:
        with disk_errors(self.store):
            write_json(self.store / "live.json", live)


def _acquire(handle: IO[str], folder: Path, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        raise ShopLocked(
            f"{folder} is held by process {holder} ({name})", cure="stop that process or wait until it ends"
        ) from error
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
