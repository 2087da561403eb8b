"""kill -9 under mixed writes: nothing acknowledged is lost, and the campaign would see it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.campaign_kill import Ledger, Told, campaign, check
from mercer.shop import Shop

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")


def test_nothing_acknowledged_is_lost(own_shop: Path) -> None:
    told = campaign(own_shop, times=1, seed=3, most=1.0)
    assert told.good(), told
    assert told.events + told.products > 0


def test_a_loss_is_seen(own_shop: Path) -> None:
    ledger, told = Ledger(), Told(kills=1)
    ledger.events = {"never-stored"}
    ledger.products = {"w0p1": ("acknowledged", 2.0), "w0p2": ("a", 1.0)}
    ledger.maybe = {"w0p2": ("b", 1.0)}

    def server(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if path == "/ready":
            return 200, {"index": "another"}
        if path.endswith("w0p2"):
            return 200, {"title": "b", "price": 1.0}  # was under way
        return (200, {"hits": []}) if method == "POST" else (404, {})

    check(server, own_shop, ledger, told, random.Random(1))  # type: ignore[arg-type]  # as much of a server as it needs
    assert (told.events_lost, told.products_lost, told.versions_wrong) == (1, 1, 1)
    assert told.answers_wrong >= 1
    assert not told.good()
    assert Shop(own_shop).live("index") is not None
