"""Files and their hashes in; one archive that can be checked before anything is taken out of it, out, and back."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mercer.errors import DataError, ShopTooNew
from mercer.shop.disk import sync_folder

__all__ = ["BESIDE", "Member", "Reading", "Writing"]

MANIFEST = "manifest.json"
BESIDE = ("mercer.toml", "rules.toml")
"""What the owner writes beside the store."""
FORMAT = 1
BLOCK = 1 << 20
"""Bytes read at a time."""
LONGEST_MANIFEST = 1 << 28
"""Bytes: a quarter of a gigabyte names over a million files."""

Tick = Callable[[int], None]
"""Told bytes done more."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive."""

    path: str
    """From the shop's folder, with slashes."""
    size: int
    """Bytes."""
    sha256: str
    mode: int
    """Who may read it: the low nine bits."""


class Writing:
    """An archive that is written: files first, what is in it last, so that half a one has no list."""

    def __init__(self, handle: IO[bytes], *, tick: Tick | None = None) -> None:
        self._zip = zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False)
        self._members: list[Member] = []
        self._tick = tick

    def add(self, path: str, source: Path) -> None:
        """Copy a file; what is hashed is what is written, whatever happens to the file meanwhile."""
        with source.open("rb") as handle:
            mode = os.fstat(handle.fileno()).st_mode & 0o777
            self._copy(path, iter(lambda: handle.read(BLOCK), b""), mode)

    def add_bytes(self, path: str, content: bytes, *, mode: int) -> None:
        """Write what is in memory."""
        self._copy(path, iter([content]), mode)

    def finish(self, about: Mapping[str, Any]) -> list[Member]:
        """Write the list, with `about`; without it, an archive is none."""
        told = {"format": FORMAT, **about, "files": [asdict(member) for member in self._members]}
        self._zip.writestr(MANIFEST, json.dumps(told, ensure_ascii=False))
        return self._members

    def close(self) -> None:
        """Write what is held in memory."""
        self._zip.close()

    def _copy(self, path: str, blocks: Iterator[bytes], mode: int) -> None:
        digest, size = hashlib.sha256(), 0
        with self._zip.open(zipfile.ZipInfo(path), "w", force_zip64=True) as target:
            for block in blocks:
                digest.update(block)
                size += len(block)
                target.write(block)
                if self._tick:
                    self._tick(len(block))
        self._members.append(Member(path, size, digest.hexdigest(), mode))


class Reading:
    """An archive that is read. Nothing outside of its list, and no path that leaves the folder, comes out of it."""

    def __init__(self, path: Path) -> None:
        """Open an archive and check its list.

        Raises:
            DataError: it is no archive of Mercer's, or damaged.
            ShopTooNew: a later Mercer wrote it.
        """
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise self._damaged(f"it is no whole archive ({error})") from error
        try:
            self.about = self._list()
            self.members = [_member(row) for row in self.about["files"]]
            self._same()
        except (ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error, RecursionError) as error:
            self.close()
            raise self._damaged(f"its list is not as it was written ({error})") from error
        except BaseException:
            self.close()
            raise

    def extract(self, folder: Path, *, tick: Tick | None = None) -> None:
        """Write every file below a folder that is empty, each checked by its hash, all on the disk when it returns.

        Raises:
            DataError: a file is not what was archived.
        """
        folders = {folder}
        for member in self.members:
            target = folder / member.path
            for parent in reversed([one for one in target.parents if one.is_relative_to(folder)]):
                if parent not in folders:
                    parent.mkdir(mode=0o700, exist_ok=True)
                    folders.add(parent)
            self._write(member, target, tick)
        for one in sorted(folders):
            sync_folder(one)

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def _list(self) -> dict[str, Any]:
        info = self._zip.getinfo(MANIFEST)
        if info.file_size > LONGEST_MANIFEST:
            raise ValueError(f"it has {info.file_size} bytes")
        about: dict[str, Any] = json.loads(self._zip.read(info))
        if int(about["format"]) > FORMAT:
            raise ShopTooNew(
                f"{self.path} has format {about['format']}, this Mercer reads up to {FORMAT}", cure="upgrade mercer"
            )
        return about

    def _same(self) -> None:
        """The list names each file once, and the archive has those files and no other."""
        listed = [member.path for member in self.members]
        held = [info.filename for info in self._zip.infolist() if info.filename != MANIFEST]
        if len(set(listed)) != len(listed) or sorted(listed) != sorted(held):
            raise ValueError("it names other files than there are")
        sizes = {info.filename: info.file_size for info in self._zip.infolist()}
        if wrong := [member.path for member in self.members if sizes[member.path] != member.size]:
            raise ValueError(f"{wrong[0]} has another size")

    def _write(self, member: Member, target: Path, tick: Tick | None) -> None:
        digest, left = hashlib.sha256(), member.size
        opener = lambda name, flags: os.open(name, flags, member.mode & 0o777)  # noqa: E731
        try:
            with self._zip.open(member.path) as source, open(target, "xb", opener=opener) as handle:
                while block := source.read(BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise self._damaged(f"{member.path} is longer than its list says")
                    digest.update(block)
                    handle.write(block)
                    if tick:
                        tick(len(block))
                handle.flush()
                os.fsync(handle.fileno())
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
            raise self._damaged(f"{member.path} cannot be read ({error})") from error
        except OSError as error:
            if error.errno is None:  # zlib's and zipfile's own words for a damaged stream
                raise self._damaged(f"{member.path} cannot be read ({error})") from error
            raise
        if left or digest.hexdigest() != member.sha256:
            raise self._damaged(f"{member.path} is not what was archived")

    def _damaged(self, why: str) -> DataError:
        return DataError(f"{self.path} cannot be restored: {why}", cure="take another backup; nothing was changed")


SAFE = re.compile(r"[^\x00-\x1f\\:]+")


def _member(row: Mapping[str, Any]) -> Member:
    member = Member(**row)
    path = PurePosixPath(member.path)
    parts = member.path.split("/")
    inside = (parts[0] == "store" and len(parts) > 1) or member.path in BESIDE
    if not inside or path.is_absolute() or any(part in ("", ".", "..") for part in parts) or len(member.path) > 1024:
        raise ValueError(f"{member.path!r:.99} leaves the shop")
    if not SAFE.fullmatch(member.path) or not re.fullmatch(r"[0-9a-f]{64}", member.sha256):
        raise ValueError(f"{member.path!r:.99} is no name")
    if int(member.size) < 0 or not 0 <= int(member.mode) <= 0o777:
        raise ValueError(f"{member.path!r:.99} has no size")
    return member
