"""A full disk, another process, a damaged or newer file: each says so, and nothing acknowledged is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercer.errors import DiskFull, ShopError, ShopLocked, ShopTooNew
from mercer.events.log import FLUSH, EventLog
from mercer.records import Event, Impression

NOON = 1_760_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def log(path: Path) -> Iterator[EventLog]:
    with EventLog(path, wait=0.05) as opened:
        yield opened


def event(number: int, place: str = "") -> Event:
    return Event(f"e{number}", "view", "p", NOON, place=place)


def test_every_commit_is_synced(log: EventLog) -> None:
    database = log._writer._database
    assert database is not None
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_full_disk(log: EventLog) -> None:
    database = log._writer._database
    assert database is not None
    log.append([event(1)])
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(DiskFull, match="free some space"):
        log.append([event(number, "x" * 500) for number in range(2, 200)])
    assert log.count() == 1, "half a batch was stored"
    log.shown([Impression("q" * 400, "p", 1, NOON)] * (FLUSH - 1))
    with pytest.raises(DiskFull):
        log.shown([Impression("last", "p", 1, NOON)])
    database.execute("PRAGMA max_page_count=1000000")
    assert log.append([event(number, "x" * 500) for number in range(2, 200)]) == 198
    kept = log.impressions()
    assert len(kept) == FLUSH
    assert kept[-1][1].query_id == "last"


def test_another_process_writes(log: EventLog, path: Path) -> None:
    code = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "d.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ShopLocked, match="wait or stop"):
            log.append([event(1)])
        assert log.count() == 0, "reading goes on meanwhile"
        other.communicate("")
    assert log.append([event(1)]) == 1


def test_two_processes_may_take_turns(log: EventLog, path: Path) -> None:
    with EventLog(path) as second:
        assert second.append([event(1)]) == 1
        assert log.append([event(1), event(2)]) == 1
        assert second.count() == 2


@pytest.mark.parametrize(
    "content", [b"this is no database, however long it may be" * 50, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_damaged_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ShopError, match="restore it from a backup"):
        EventLog(path)
    assert path.read_bytes() == content, "evidence was destroyed"


def test_damage_found_later(path: Path) -> None:
    with EventLog(path) as log:
        log.append([event(number, "x" * 300) for number in range(200)])
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xee" * (size - 8192))
    with EventLog(path) as log, pytest.raises(ShopError) as caught:
        list(log.all())
    assert "damaged" in caught.value.problem
    assert caught.value.cure


def test_newer_file(path: Path) -> None:
    EventLog(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(ShopTooNew, match="format 99"):
        EventLog(path)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match="check that its folder"):
        EventLog(tmp_path / "missing" / "events.db")


def test_closed_log(path: Path) -> None:
    log = EventLog(path)
    log.close()
    log.close()
    with pytest.raises(ShopError, match="closed"):
        log.append([event(1)])
    with pytest.raises(ShopError, match="closed"):
        log.count()


def test_a_failed_group_tells_every_waiting_thread(log: EventLog) -> None:
    from concurrent.futures import ThreadPoolExecutor

    database = log._writer._database
    assert database is not None
    database.execute("CREATE TEMP TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END")
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(log.append, [event(number)]) for number in range(8)]
        errors = [answer.exception() for answer in answers]
    assert all(isinstance(error, ShopError) for error in errors)
    database.execute("DROP TRIGGER refuse")
    assert log.append([event(1)]) == 1
