"""What happened since the index was built is learnt without a new one, and is what that would have learnt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.cli.settings import read_settings
from mercer.doors import open_doors
from mercer.doors.beat import Beat
from mercer.errors import MercerError, ShopError
from mercer.records import Event, Request
from mercer.retrieve.history import DAY


def later(doors: Any) -> list[Event]:
    """After everything the index has seen sixty people buy one pair of products together, and sixty another."""
    ids = [id for id in doors.index.ids() if doors.product(id).in_stock][:4]
    now = doors._recommend.behaviour.end + DAY
    return [
        Event(f"n{who}{product}", "purchase", product, now + who, f"new{who}", f"visit{who}")
        for who in range(120)
        for product in (ids[:2] if who < 60 else ids[2:])
    ]


def test_refreshing_is_what_a_new_index_would_be(own_shop: Path, mercer: Callable[..., Any]) -> None:
    doors = open_doors(own_shop, read_settings(own_shop))
    try:
        assert doors.refresh() == 0, "nothing has happened"
        before = doors._recommend
        events = later(doors)
        doors.events.append(events)
        assert doors.refresh() == len(events)
        assert doors._recommend is not before
        hits = doors.recommend(Request("together", item=events[0].product, k=3)).hits
        assert hits[0].id == events[1].product
        assert "together" in {line.signal for line in hits[0].ledger}
        assert doors.recommend(Request("trending", k=2)).hits[0].id in {event.product for event in events}
        found = doors._recommend.behaviour
        assert doors.refresh() == 0
        doors.erase("new7")
        assert doors.refresh() > 0, "counted again, from what is left"
        assert doors._recommend.behaviour.pasts.shoppers.code("new7") < 0
    finally:
        doors.close()
    assert mercer("index", own_shop).code == 0
    doors = open_doors(own_shop, read_settings(own_shop))
    try:
        whole = doors._recommend.behaviour
        assert whole.products.names.to_pylist() == found.products.names.to_pylist()
        assert whole.events == found.events - 2, "all but the one who was erased"
        assert whole.popular.week.sum() == found.popular.week.sum() - 2
        mine, theirs = (one.together.neighbours.matrix.toarray() for one in (whole, found))
        np.testing.assert_allclose(mine > 0, theirs > 0)
    finally:
        doors.close()


class Ticking:
    """Doors that count their refreshes and fail at the second."""

    def __init__(self) -> None:
        self.times, self.third = 0, threading.Event()

    def refresh(self) -> int:
        self.times += 1
        if self.times == 2:
            raise ShopError("the disk is away", cure="bring it back")
        if self.times == 3:
            self.third.set()
        return self.times


def test_a_beat_goes_on_after_an_error() -> None:
    doors, told = Ticking(), list[Any]()
    with Beat(doors.refresh, minutes=1e-5, tell=told.append):
        assert doors.third.wait(30)
    assert told[0] == 1
    assert isinstance(told[1], MercerError)
    stopped = doors.times
    with Beat(doors.refresh, minutes=0, tell=told.append):  # never
        pass
    assert doors.times == stopped


@pytest.mark.parametrize("minutes", ["-1", "soon"])
def test_minutes_are_a_number_from_0(own_shop: Path, mercer: Callable[..., Any], minutes: str) -> None:
    assert mercer("serve", own_shop, "--refresh", minutes).code == 2
