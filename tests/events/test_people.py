"""Who was shown what, what they said they want, sessions of nobody known, and an erasure that leaves no byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mercer.errors import RequestError
from mercer.events.answer import Answer
from mercer.events.database import TABLES, WHO_WAS_SHOWN
from mercer.events.log import EventLog
from mercer.events.people import People
from mercer.events.profile import Profile
from mercer.events.tally import Tally
from mercer.records import Event, Filter, Impression, Shopper

NOON = 1_760_000_000_000
WHO = "Zoë-of-the-long-name-甲"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path / "events.db") as opened:
        yield opened


def event(number: int, product: str, shopper: str = WHO, session: str = "", query: str = "") -> Event:
    return Event(f"{shopper}/{session}/{number}", "view", product, NOON + number, shopper, session, query)


def shown(product: str, shopper: str = WHO, session: str = "", query: str = "q", time: int = NOON) -> Impression:
    return Impression(query, product, 1, time, shopper=shopper, session=session)


def profile(log: EventLog) -> Profile:
    return Profile(log, clock=lambda: NOON / 1000 + 60)


def test_what_was_shown_counts_until_it_is_touched(log: EventLog) -> None:
    warm = profile(log)
    assert warm.shopper(WHO).shown == {}
    log.shown(
        [shown("cup"), shown("cup"), shown("pot"), shown("cup", "other"), shown("old", time=NOON - 8 * 86_400_000)]
    )
    assert profile(log).shopper(WHO).shown == {"cup": 2, "pot": 1}
    assert warm.shopper(WHO).shown == {"cup": 2, "pot": 1, "old": 1}, "this one saw it happen"
    log.append([event(1, "cup")])
    for reader in (warm, profile(log)):
        assert reader.shopper(WHO).shown.get("cup", 0) == 0
        assert reader.shopper(WHO).shown["pot"] == 1


def test_a_session_is_somebody_and_becomes_the_shopper(log: EventLog) -> None:
    live = profile(log)
    log.append([event(1, "cup", "", "s1"), event(2, "pot", "", "s2")])
    assert live.shopper("", "s1").products == ("cup",)
    assert live.shopper("", "").products == ()
    log.append([event(3, "tea", WHO, "s1")])
    assert live.shopper(WHO, "s1").products == ("cup", "tea"), "what came before the sign-in"
    assert live.shopper(WHO).products == ("tea",)
    assert live.shopper("", "s1").products == ("cup",)


def test_preferences_are_kept_changed_and_taken_back(log: EventLog) -> None:
    people, live = People(log), profile(log)
    people.prefer(WHO, "brand", "Nord", wanted=False)
    people.prefer(WHO, "category", "Tea", wanted=True)
    live.forget(WHO)
    assert (live.shopper(WHO).muted, live.shopper(WHO).wanted) == (
        (Filter("brand", ("Nord",)),),
        (Filter("category", ("Tea",)),),
    )
    people.prefer(WHO, "brand", "Nord", wanted=True)
    people.prefer(WHO, "category", "Tea", wanted=None)
    assert people.preferences(WHO) == [("brand", "Nord", True)]
    with pytest.raises(RequestError, match="empty"):
        people.prefer("", "brand", "Nord", wanted=True)


def test_erasing_leaves_no_byte_and_touches_nobody_else(log: EventLog, tmp_path: Path) -> None:
    people = People(log)
    log.append([event(n, f"p{n}", query=f"answer-{n}") for n in range(300)])
    log.append([event(n, f"p{n}", "ann", "s9", "other answer") for n in range(20)])
    log.append([event(1, "early", "", "before-sign-in"), event(2, "late", WHO, "before-sign-in")])
    log.shown(
        [shown("p1", query="answer-1"), shown("p2", "ann", "s9", "other answer"), shown("p3", "", "", "answer-3")],
        Answer("answer-1", NOON, "search", "cup", session="before-sign-in"),
    )
    log.shown([], Answer("other answer", NOON, "search", f"what does {WHO} like", shopper="ann", session="s9"))
    log.shown([], Answer("q9", NOON, "search", "cup", shopper=WHO, session="s7"))
    log.shown([], Answer("q10", NOON, "home", session="s7"))
    people.prefer(WHO, "brand", "Nord", wanted=False)
    gone = people.erase(WHO)
    assert gone == {
        "events": 301, "anonymous events": 1, "impressions": 2, "anonymous answers": 2, "answers": 1, "queries": 1,
        "preferences": 1, "write-ahead file": 0,
    }  # fmt: skip
    assert log.count() == 20
    assert [one.shopper for _, one in log.impressions()] == ["ann"]
    assert [(one.query_id, one.query) for _, one in log.answers()] == [("other answer", "")]
    assert profile(log).shopper(WHO) == Shopper(WHO)
    assert people.erase(WHO) == dict.fromkeys(gone, 0)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert WHO.encode() not in content, path.name
        assert b"before-sign-in" not in content, path.name
    with pytest.raises(RequestError, match="empty"):
        people.erase("")


def test_a_log_of_format_1_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    database = sqlite3.connect(path)
    database.executescript(TABLES)
    database.execute(
        "INSERT INTO impressions (query_id, product, position, time, score, version) VALUES ('q','p',1,9,0,'')"
    )
    database.execute("PRAGMA user_version=1")
    database.commit()
    database.close()
    for _ in range(2):
        with EventLog(path) as log:
            assert [one for _, one in log.impressions()] == [Impression("q", "p", 1, 9)]


def test_a_log_of_format_2_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    database = sqlite3.connect(path)
    database.executescript(TABLES + WHO_WAS_SHOWN)
    database.execute(
        "INSERT INTO impressions (query_id, product, position, time, score, version, shopper, session, scene, "
        "propensity) VALUES ('q','p',2,?,0.5,'v','ann','s','home',0.25)",
        (NOON,),
    )
    database.execute(
        "INSERT INTO events (event_id, type, product, time, shopper, session, query_id, position, quantity, price, "
        "device, place) VALUES ('e','click','p',?,'ann','s','q',2,1.0,9.5,'phone','here')",
        (NOON,),
    )
    database.execute("INSERT INTO preferences VALUES ('ann','brand','Nord',1,9)")
    database.execute("INSERT INTO product_changes (id, body, time) VALUES ('p',NULL,9)")
    database.execute("PRAGMA user_version=2")
    database.commit()
    database.close()
    click = Event("e", "click", "p", NOON, "ann", "s", "q", 2, 1.0, 9.5, "phone", "here")
    old = Impression("q", "p", 2, NOON, 0.5, "v", "ann", "s", "home", 0.25)
    with EventLog(path) as log:
        assert [one for _, one in log.impressions()] == [old]
        assert [one for _, one in log.since(0)] == [click]
        assert (People(log).preferences("ann"), len(log.changes())) == ([("brand", "Nord", True)], 1)
        assert log.answers() == []
        log.shown([replace(old, features=b"told")], Answer("q2", NOON, arm="prices/b"))
    with EventLog(path) as log:
        assert [one.features for _, one in log.impressions()] == [b"", b"told"]
        assert [one.arm for _, one in log.answers()] == ["prices/b"]


def test_propensities_are_kept_and_checked(log: EventLog) -> None:
    log.shown([Impression("q", "p", 1, NOON, scene="home", propensity=0.25)])
    assert log.impressions()[0][1].propensity == 0.25
    for wrong in (0.0, 1.5, -1.0, float("nan")):
        with pytest.raises(RequestError, match="propensity"):
            log.shown([Impression("q", "p", 1, NOON, propensity=wrong)])


def test_what_was_shown_by_chance_is_tallied(log: EventLog) -> None:
    now = [0.0]
    tally = Tally(log, clock=lambda: now[0])
    assert tally() == {}
    log.shown([Impression("q1", "p", 1, NOON, propensity=0.1), Impression("q2", "p", 1, NOON, propensity=0.1)])
    log.shown([Impression("q3", "p", 1, NOON)])
    log.append([Event("1", "click", "p", NOON, query_id="q1"), Event("2", "purchase", "p", NOON, query_id="q1")])
    log.append([Event("3", "click", "p", NOON, query_id="q3"), Event("4", "dislike", "p", NOON, query_id="q2")])
    assert tally() == {}, "it has asked just now"
    now[0] += 31
    assert tally() == {"p": (2, 1)}
    log.append([Event("5", "click", "p", NOON, query_id="q2")])
    now[0] += 31
    assert tally() == {"p": (2, 2)}
