"""A shop's folder in; what its last check read and decided, and the rows a person has put back, out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mercer.errors import ShopError
from mercer.quality.check import registry
from mercer.quality.profile import name_of
from mercer.shop import disk_errors, write_json

__all__ = ["Ledger", "fingerprint"]


class Ledger:
    """``store/quality/``: last.json and restored.json."""

    def __init__(self, store: Path) -> None:
        self.folder = store / "quality"

    def last(self) -> dict[str, Any] | None:
        """{"version", "fingerprint", "blocked"} of the last check, or None."""
        found = self._read("last.json")
        return found or None

    def remember(self, *, version: str, fingerprint: str, blocked: bool) -> None:
        """Note the last check."""
        self._write("last.json", {"version": version, "fingerprint": fingerprint, "blocked": blocked})

    def restored(self) -> dict[str, Any]:
        """Hash of a row → what it was and when it was put back."""
        return self._read("restored.json")

    def restore(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Put rows back, from the next check on: row_hash → what to remember of it."""
        now = int(time.time() * 1000)
        added = {name: {**about, "time": now} for name, about in rows.items()}
        self._write("restored.json", {**self.restored(), **added})

    def forget(self, hashes: Iterable[str]) -> None:
        """Take restorations back."""
        gone = set(hashes)
        self._write("restored.json", {name: row for name, row in self.restored().items() if name not in gone})

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        if not path.exists():
            return {}
        try:
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ShopError(f"{path} is damaged: {error}", cure=f"restore it from a backup or delete {name}") from error
        return found

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / name, dict(value))


def fingerprint(files: Mapping[str, Path], *, told: Iterable[str] = ()) -> str:
    """A hash that changes when a file (by size and time), a check or anything `told` does; it reads no data.

    Args:
        files: family → raw file.
        told: settings and whatever else decides.
    """
    stamps = []
    for family, path in sorted(files.items()):
        state = path.stat() if path.exists() else None
        stamps.append([family, str(path.absolute()), state and state.st_size, state and state.st_mtime_ns])
    versions = {declared.id: declared.version for declared in registry().values()}
    return name_of(json.dumps(stamps), json.dumps(versions), *told)
