"""A profile is what the log says now, cached or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.errors import SettingsError
from mercer.events.log import EventLog
from mercer.events.profile import Profile, ProfileSettings
from mercer.records import ACTIONS, Event, Shopper

NOON = 1_760_000_000_000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path / "events.db") as opened:
        yield opened


def event(number: int, product: str, type: str = "view", shopper: str = "ann") -> Event:
    return Event(f"{shopper}{number}", type, product, NOON + number, shopper=shopper)  # type: ignore[arg-type]


def test_recent_products_the_last_one_last(log: EventLog) -> None:
    profile = Profile(log)
    assert profile.shopper("ann") == Shopper("ann")
    log.append([event(1, "x"), event(2, "y"), event(3, "x", "purchase")])
    assert profile.shopper("ann") == Shopper("ann", ("y", "x"), (NOON + 2, NOON + 3))
    log.append([event(4, "z", "impression"), event(5, "y", "dislike"), event(6, "x", "refund")])
    assert profile.shopper("ann").products == ()
    log.append([event(7, "y", "like")])
    assert profile.shopper("ann").products == ("y",)


def test_a_late_event_takes_its_place_in_time(log: EventLog) -> None:
    profile = Profile(log)
    log.append([event(5, "b")])
    assert profile.shopper("ann").products == ("b",)
    log.append([event(1, "a")])
    assert profile.shopper("ann").products == ("a", "b")


def test_length_and_cache_are_bounded(log: EventLog) -> None:
    profile = Profile(log, ProfileSettings(products=3, cached=2))
    for shopper in ("ann", "bob", "eve"):
        log.append([event(number, f"p{number}", shopper=shopper) for number in range(9)])
        assert profile.shopper(shopper).products == ("p6", "p7", "p8")
    assert len(profile._cache) == 2


def test_nobody_has_no_past(log: EventLog) -> None:
    log.append([event(1, "x", shopper="")])
    assert Profile(log).shopper("") == Shopper("")


steps = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from("xyz"), st.sampled_from(ACTIONS), st.integers(0, 5)),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_cached_equals_fresh(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    with EventLog(tmp_path_factory.mktemp("log") / "events.db") as log:
        cached = Profile(log, ProfileSettings(products=2, cached=1))
        for number, (shopper, product, type, moment) in enumerate(steps):
            log.append([Event(f"e{number}", type, product, NOON + moment, shopper=shopper)])
            for name in ("ann", "bob"):
                assert cached.shopper(name) == Profile(log, ProfileSettings(products=2)).shopper(name)


def test_read_your_write_from_many_threads(log: EventLog) -> None:
    profile = Profile(log)
    wrong: list[str] = []

    def work(shopper: str) -> None:
        for number in range(40):
            log.append([event(number, f"p{number}", shopper=shopper)])
            if profile.shopper(shopper).products[-1] != f"p{number}":
                wrong.append(f"{shopper} {number}")

    threads = [threading.Thread(target=work, args=(f"s{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_settings_are_checked() -> None:
    with pytest.raises(SettingsError, match="products is 0"):
        ProfileSettings(products=0)
