"""What cannot be written says why."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from mercer.errors import DiskFull, UsageError
from mercer.sample import write


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("a file")
    with pytest.raises(UsageError, match="shop"):
        write.save(tmp_path / "shop" / "products.jsonl", ["{}"])


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFull, match=r"products\.jsonl"):
        write.save(tmp_path / "products.jsonl", ["{}"])


def test_gzip_has_no_clock_inside() -> None:
    assert write.zipped(["a"]) == write.zipped(["a"])
    assert write.zipped(["a"])[4:8] == bytes(4)
