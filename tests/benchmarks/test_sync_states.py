"""A disk that forgets what was not synced, at every sync: nothing acknowledged is gone, unless nothing is synced."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.sync_states import Disk, campaign

needs_recorder = pytest.mark.skipif(
    shutil.which("cc") is None or sys.platform != "linux", reason="a C compiler on Linux makes the recorder"
)


def test_a_disk_has_what_was_synced_and_no_more() -> None:
    disk = Disk()
    disk.waiting["a"] = [(2, b"xy"), (0, b"1")]
    assert disk.synced.get("a") is None
    disk.sync("a")
    assert disk.synced["a"] == b"1\0xy"
    disk.waiting["a"] = [(1, None), (1, b"z")]
    assert disk.synced["a"] == b"1\0xy"
    disk.sync("a")
    assert disk.synced["a"] == b"1z"


@needs_recorder
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    told = campaign(tmp_path, 24)
    assert (told.lost, told.states_with_a_loss, told.unreadable) == (0, 0, 0)
    assert told.acknowledged == 24
    assert told.states > 2 * told.acknowledged


@needs_recorder
def test_without_syncs_the_same_is_lost(tmp_path: Path) -> None:
    assert campaign(tmp_path, 12, off=True).lost > 0
