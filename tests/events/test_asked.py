"""What shoppers searched for, from the log: counts by hand."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mercer.errors import NotFoundError
from mercer.events.answer import Answer
from mercer.events.asked import days, queries
from mercer.events.log import EventLog
from mercer.records import Event

DAY = 86_400_000
START = 20_000 * DAY


def click(id: str, query_id: str, type: str = "click", position: int | None = 1) -> Event:
    return Event(id=id, type=type, product="p", time=START + 5, query_id=query_id, position=position)  # type: ignore[arg-type]  # a test's types


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Tea six times (twice clicked, once bought), cup five times (never), zzz twice with nothing; cup a day later."""
    path = tmp_path / "events.db"
    with EventLog(path) as log:

        def asked(
            id: str, query: str, total: int, *, time: int = START, scene: str = "search", offset: int = 0
        ) -> None:
            log.shown([], Answer(id, time, scene, query, total, offset))

        for n in range(6):
            asked(f"tea{n}", ("Tea", "tea ", " TEA")[n % 3], 10)
        asked("tea0", "Tea", 10, offset=24)
        for n in range(5):
            asked(f"cup{n}", "cup", 4)
        asked("zzz0", "zzz", 0)
        asked("zzz1", "zzz", 0)
        asked("home", "", 9, scene="home")
        asked("late", "cup", 4, time=START + DAY)
        log.append(
            [
                click("a", "tea0", position=3),
                click("b", "tea0"),
                click("c", "tea1", "purchase", None),
                click("d", "elsewhere"),
            ]
        )
        log.flush()
    return path


def test_top(path: Path) -> None:
    rows = queries(path, since=START, until=START + DAY)
    assert [(row.text.strip().casefold(), row.asked, row.empty, row.clicked) for row in rows] == [
        ("tea", 6, 0, 2), ("cup", 5, 0, 0), ("zzz", 2, 2, 0),
    ]  # fmt: skip
    tea = rows[0]
    assert (tea.share, tea.position, tea.bought, tea.total) == (pytest.approx(1 / 3), 1.0, 1, 10.0)
    assert [row.asked for row in queries(path, since=START, until=START + 2 * DAY) if row.text == "cup"] == [6]


def test_empty_and_rarely_clicked(path: Path) -> None:
    span = {"since": START, "until": START + DAY}
    assert [row.text for row in queries(path, **span, order="zero")] == ["zzz"]
    assert [row.text.strip().casefold() for row in queries(path, **span, order="low_click")] == ["cup", "tea"]
    assert [row.text for row in queries(path, **span, words="UP")] == ["cup"]
    assert queries(path, since=START - DAY, until=START) == []


def test_days(path: Path) -> None:
    found = days(path, since=0, until=START + 9 * DAY)
    assert [(day.start, day.asked, day.empty, day.clicked) for day in found] == [
        (START, 13, 2, 2),
        (START + DAY, 1, 0, 0),
    ]


def test_no_log_and_an_old_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no event log"):
        queries(tmp_path / "events.db", since=0, until=1)
    old = sqlite3.connect(tmp_path / "events.db")
    old.execute("PRAGMA user_version=2")
    old.close()
    with pytest.raises(NotFoundError, match="knows no queries"):
        days(tmp_path / "events.db", since=0, until=1)
