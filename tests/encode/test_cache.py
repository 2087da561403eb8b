"""Only texts never seen are encoded, whatever happened to the process before."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from mercer.encode.cache import VectorCache
from mercer.errors import DiskFull, ShopError, UsageError


class Counting:
    """Numbers from a text's hash; remembers what it was asked."""

    engine = "none"

    def __init__(self, name: str = "counting", dimension: int = 8) -> None:
        self.name = name
        self.dimension = dimension
        self.asked: list[str] = []

    def __call__(self, texts: Iterable[str], *, side: str = "passage", tick: object = None) -> np.ndarray:
        held = list(texts)
        self.asked += held
        rows = [np.random.default_rng(abs(hash((side, text)))).random(self.dimension) for text in held]
        return np.asarray(rows, np.float32).reshape(-1, self.dimension)


def test_second_time_encodes_only_what_changed(tmp_path: Path) -> None:
    encoder, first = Counting(), VectorCache(tmp_path)
    made = first.encode(encoder, ["a", "b", "a", "c"])
    assert (first.encoded, first.reused) == (3, 1)
    second = VectorCache(tmp_path)
    again = second.encode(encoder, ["c", "new", "a"])
    assert (second.encoded, second.reused) == (1, 2)
    assert encoder.asked == ["a", "b", "c", "new"]
    np.testing.assert_array_equal(again[[0, 2]], made[[3, 0]])
    np.testing.assert_array_equal(made[0], made[2])


def test_encoder_and_side_are_part_of_the_key(tmp_path: Path) -> None:
    held = VectorCache(tmp_path)
    held.encode(Counting(), ["a"])
    held.encode(Counting(), ["a"], side="query")
    held.encode(Counting("other"), ["a"])
    held.encode(Counting(dimension=4), ["a"])
    assert (held.encoded, held.reused) == (4, 0)


def test_no_texts_odd_texts_one_string(tmp_path: Path) -> None:
    held = VectorCache(tmp_path)
    assert held.encode(Counting(), []).shape == (0, 8)
    assert held.encode(Counting(), ["", "\ud83d", "\x00", "x" * 1_000_000]).shape == (4, 8)
    with pytest.raises(UsageError, match="one string"):
        held.encode(Counting(), "text")


def test_tick_hears_of_every_text(tmp_path: Path, tiny_bert: Path) -> None:
    from mercer.encode import load

    encoder, heard = load(str(tiny_bert), engine="torch"), list[int]()
    VectorCache(tmp_path).encode(encoder, ["a", "b"])
    VectorCache(tmp_path).encode(encoder, ["a", "b", "c", "d"], tick=heard.append)
    assert sum(heard) == 4


def test_damaged_file_says_so(tmp_path: Path) -> None:
    VectorCache(tmp_path).encode(Counting(), ["a"])
    next(tmp_path.glob("*.db")).write_bytes(b"no database at all" * 100)
    with pytest.raises(ShopError, match="delete that file"):
        VectorCache(tmp_path).encode(Counting(), ["a"])


@pytest.mark.parametrize(
    ("said", "kind", "cure"),
    [
        ("database or disk is full", DiskFull, "free some space"),
        ("database is locked", ShopError, "wait"),
        ("attempt to write a readonly database", ShopError, "permissions"),
        ("database disk image is malformed", ShopError, "delete that file"),
    ],
)
def test_trouble_of_the_file_has_its_own_cure(tmp_path: Path, said: str, kind: type[ShopError], cure: str) -> None:
    class Failing(Counting):
        def __call__(self, texts: Iterable[str], *, side: str = "passage", tick: object = None) -> np.ndarray:
            raise sqlite3.OperationalError(said)

    with pytest.raises(kind, match=cure):
        VectorCache(tmp_path).encode(Failing(), ["a"])


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises((ShopError, NotADirectoryError)):
        VectorCache(tmp_path / "file" / "cache").encode(Counting(), ["a"])


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from mercer.encode import cache
class Dying:
    name, dimension, engine, calls = "dying", 8, "none", 0
    def __call__(self, texts, *, side="passage", tick=None):
        self.calls += 1
        if self.calls == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.ones((len(texts), 8), np.float32)
cache._slabs.__defaults__ = (10,)
cache.VectorCache(Path(sys.argv[1])).encode(Dying(), [str(n) for n in range(100)])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL")
def test_killed_process_keeps_what_was_committed(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert dead.returncode == -signal.SIGKILL
    held = VectorCache(tmp_path)
    held.encode(Counting("dying"), [str(n) for n in range(100)])
    assert (held.encoded, held.reused) == (70, 30)
