"""Values and paths in; files written whole or not at all, disk errors that say what to do, content hashes out."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mercer.errors import DiskFull, ShopError

__all__ = ["content_hash", "disk_errors", "sync_folder", "write_json", "write_text"]

PUBLIC = 0o666
"""Mode of a new file before the process's umask takes from it."""


def write_json(path: Path, value: Any, *, mode: int = PUBLIC) -> None:
    """Write JSON as `write_text` writes text."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True), mode=mode)


def write_text(path: Path, text: str, *, mode: int = PUBLIC) -> None:
    """Write UTF-8 to a temporary name, fsync, rename: a reader sees the old file or the new one, never half.

    Args:
        path: the file; its folder must be there.
        text: what to write.
        mode: who may read it, from its first byte on; 0o600 for what only the owner may.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a rename in this folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into an error that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no space is left on the disk of {path}", cure="free some space and run again") from error
        if error.errno in (errno.EACCES, errno.EROFS):
            raise ShopError(f"{path} cannot be written: {error.strerror}", cure="check its permissions") from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG):
            raise ShopError(f"{path} cannot be made: {error.strerror}", cure="give another folder") from error
        raise


def content_hash(*parts: bytes | str | Path) -> str:
    """Sixteen hex digits (64 bits of BLAKE2b) that name what was given; a Path counts by its content."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        piece = part.encode() if isinstance(part, str) else part
        if isinstance(piece, Path):
            digest.update(b"\x00file")
            with open(piece, "rb") as handle:
                while block := handle.read(1 << 20):
                    digest.update(block)
        else:
            digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()
