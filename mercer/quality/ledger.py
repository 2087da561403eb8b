"""A shop's folder in; what its checks read and decided, and the rows a person has put back or given up, out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import ShopError
from mercer.quality.check import registry
from mercer.quality.history import added, line
from mercer.quality.profile import name_of
from mercer.shop import disk_errors, write_json

if TYPE_CHECKING:
    from mercer.quality.run import Checked

__all__ = ["Ledger", "fingerprint"]


class Ledger:
    """``store/quality/``: last.json, history.json, restored.json and approved.json."""

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
        put = {name: {**about, "time": now} for name, about in rows.items()}
        self._write("restored.json", {**self.restored(), **put})

    def forget(self, hashes: Iterable[str]) -> None:
        """Take restorations back."""
        gone = set(hashes)
        self._write("restored.json", {name: row for name, row in self.restored().items() if name not in gone})

    def approved(self) -> dict[str, Any]:
        """Hash of a row → what it was, who agreed to lose it and when."""
        return self._read("approved.json")

    def approve(self, rows: Mapping[str, Mapping[str, Any]], *, who: str) -> None:
        """Agree to lose rows: they stay out, and count against no limit from the next check on."""
        now = int(time.time() * 1000)
        agreed = {name: {**about, "who": who, "time": now} for name, about in rows.items()}
        self._write("approved.json", {**self.approved(), **agreed})

    def disapprove(self, hashes: Iterable[str]) -> None:
        """Take approvals back."""
        gone = set(hashes)
        self._write("approved.json", {name: row for name, row in self.approved().items() if name not in gone})

    def history(self) -> list[dict[str, Any]]:
        """The runs so far, oldest first; see `history.line`."""
        return list(self._read("history.json").get("runs", []))

    def add(self, checked: Checked) -> None:
        """Remember a run."""
        self._write("history.json", {"runs": added(self.history(), line(checked))})

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


def fingerprint(files: Mapping[str, Iterable[Path]], *, told: Iterable[str] = ()) -> str:
    """A hash that changes when a file (by size and time), a check or anything `told` does; it reads no data.

    Args:
        files: family → its raw files.
        told: settings and whatever else decides.
    """
    stamps = []
    for family, path in sorted((family, path) for family, paths in files.items() for path in paths):
        state = path.stat() if path.exists() else None
        stamps.append([family, str(path.absolute()), state and state.st_size, state and state.st_mtime_ns])
    versions = {declared.id: declared.version for declared in registry().values()}
    return name_of(json.dumps(stamps), json.dumps(versions), *told)
