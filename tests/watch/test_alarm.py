"""Alarms: hysteresis, acknowledging and muting, and what is told over a real connection."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mercer.errors import NotFoundError, RequestError, SettingsError, ShopError
from mercer.shop import Shop
from mercer.watch.alarm import AlarmRule, Held, Measured, step
from mercer.watch.alarm_book import AlarmBook
from mercer.watch.deliver import SIGNATURE, Delivery
from mercer.watch.settings import WatchSettings

HIGH = AlarmRule("quality.zero_results", raise_at=0.3, clear_at=0.2, windows=2)
LOW = AlarmRule("quality.ctr_ratio", raise_at=0.8, clear_at=0.9)


def seen(value: float, window: int, *, name: str = HIGH.measure, width: float = 0.0) -> Measured:
    return Measured(name, value, value - width, value + width, window)


def walk(rule: AlarmRule, values: list[float], *, width: float = 0.0) -> list[str]:
    held: Held | None = None
    changes = []
    for window, value in enumerate(values, start=1):
        held, change = step(rule, held, seen(value, window, name=rule.measure, width=width))
        changes.append(change)
    return changes


def test_between_the_thresholds_nothing_changes() -> None:
    assert walk(HIGH, [0.29, 0.31, 0.29, 0.31, 0.31, 0.25, 0.25, 0.19, 0.25, 0.19, 0.19]) == [
        "", "", "", "", "raised", "", "", "", "", "", "cleared",
    ]  # fmt: skip


def test_small_numbers_are_bad_where_the_rule_says_so() -> None:
    assert walk(LOW, [1.0, 0.85, 0.7, 0.85, 0.95]) == ["", "", "raised", "", "cleared"]


def test_a_wide_interval_raises_nothing() -> None:
    assert walk(LOW, [0.7, 0.7], width=0.2) == ["", ""]
    assert walk(AlarmRule(LOW.measure, 0.8, 0.9, sure=False), [0.7], width=0.2) == ["raised"]


def test_a_window_counts_once() -> None:
    held, _ = step(HIGH, None, seen(0.5, 7))
    held, change = step(HIGH, held, seen(0.5, 7))
    assert (change, held.run) == ("", 1)
    assert step(HIGH, held, seen(0.5, 6))[0] == held


def test_thresholds_need_room() -> None:
    with pytest.raises(SettingsError, match="come"):
        AlarmRule("x", 0.3, 0.3)


@pytest.fixture
def book(tmp_path: Path) -> AlarmBook:
    return AlarmBook(Shop.create(tmp_path / "shop"), clock=lambda: 1000.0)


def test_alarms_are_kept_acknowledged_and_forgotten_with_their_rule(book: AlarmBook) -> None:
    rules = {"empty": HIGH, "fell": LOW}
    assert book.see(rules, [seen(0.5, 2), seen(0.5, 1)]) == [("empty", "raised")]
    again = AlarmBook(book.shop)
    assert list(again.standing()) == ["empty"]
    assert again.acknowledge("empty", by=" ann ", note="looking").acknowledged == "ann"
    assert again.all()["empty"].note == "looking"
    assert [entry.act for entry in book.shop.audit.entries()][-1:] == ["acknowledge alarm"]
    with pytest.raises(NotFoundError, match="fell"):
        again.acknowledge("fell", by="ann")
    book.see(rules, [seen(0.1, 3), seen(0.1, 4), seen(0.5, 5), seen(0.5, 6)])
    assert book.all()["empty"].acknowledged == "", "a new alarm has been seen by nobody"
    assert book.see({"fell": LOW}, []) == []
    assert book.all() == {}


def test_what_is_muted_is_not_told(book: AlarmBook) -> None:
    told: list[tuple[str, str]] = []
    rules = {"fell": LOW}
    book.see(rules, [seen(1.0, 1, name=LOW.measure)])
    book.mute("fell", hours=1)
    book.see(rules, [seen(0.5, 2, name=LOW.measure)], lambda name, change, _: told.append((name, change)))
    assert told == []
    assert list(book.standing()) == ["fell"]
    book.mute("fell", hours=0)
    book.see(rules, [seen(1.0, 3, name=LOW.measure)], lambda name, change, _: told.append((name, change)))
    assert told == [("fell", "cleared")]
    with pytest.raises(RequestError, match="-1"):
        book.mute("fell", hours=-1)


def test_a_damaged_file_says_so(book: AlarmBook) -> None:
    book.see({"fell": LOW}, [])
    book.path.write_text("{", "utf-8")
    with pytest.raises(ShopError, match="damaged"):
        book.all()


class Hook(BaseHTTPRequestHandler):
    """Answers with what it is told to, and keeps what it gets."""

    answers: list[int]
    got: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.headers.get(SIGNATURE, ""), body))
        self.send_response(self.answers.pop(0))
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[str, type[Hook]]]:
    handler = type("OneHook", (Hook,), {"answers": [], "got": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alarms", handler
    server.shutdown()
    thread.join()
    server.server_close()


def deliver(tmp_path: Path, url: str, *, tries: int = 4) -> tuple[Delivery, list[float]]:
    pauses: list[float] = []
    settings = WatchSettings(webhook=url, tries=tries, pause=1.0)
    delivery = Delivery(tmp_path, settings, secret="hush", sleep=pauses.append)  # of a test
    held, change = step(LOW, None, seen(0.5, 1, name=LOW.measure))
    delivery("fell", change, held)
    return delivery, pauses


def test_a_webhook_is_tried_again_and_signed(tmp_path: Path, hook: tuple[str, type[Hook]]) -> None:
    url, handler = hook
    handler.answers[:] = [503, 429, 200]
    delivery, pauses = deliver(tmp_path, url)
    assert (pauses, delivery.failed, len(handler.got)) == ([1.0, 2.0], [], 3)
    header, body = handler.got[-1]
    at, proof = (part.split("=")[1] for part in header.split(","))
    assert proof == hmac.new(b"hush", at.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert json.loads(body)["alarm"]["severity"] == "medium"
    assert json.loads(delivery.path.read_text("utf-8"))["webhook"] == "sent"


@pytest.mark.parametrize(("answer", "times"), [(500, 2), (400, 1), (302, 1)])
def test_a_webhook_that_refuses_is_noted(tmp_path: Path, hook: tuple[str, type[Hook]], answer: int, times: int) -> None:
    url, handler = hook
    handler.answers[:] = [answer] * times
    delivery, _ = deliver(tmp_path, url, tries=2)
    assert len(handler.got) == times
    assert str(answer) in delivery.failed[0]
    assert str(answer) in json.loads(delivery.path.read_text("utf-8"))["webhook"]


def test_nobody_listening_is_noted(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Hook) as free:
        url = f"http://127.0.0.1:{free.server_port}"
    delivery, pauses = deliver(tmp_path, url, tries=3)
    assert pauses == [1.0, 2.0]
    assert "reached" in delivery.failed[0]
