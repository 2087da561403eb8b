"""A path in; a folder beside it to work in out, which a kill leaves to the next one to remove."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["aside"]


@contextlib.contextmanager
def aside(path: Path, what: str) -> Iterator[Path]:
    """A folder beside `path`, named for it and `what` is done; it vanishes, at the latest when the next one is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}.{what}-"
    for left in (one for one in path.parent.iterdir() if one.name.startswith(prefix)):
        with contextlib.suppress(FileNotFoundError), _held(left) as free:
            if free:
                shutil.rmtree(left)
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    with _held(made):
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock, where nobody else does."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
