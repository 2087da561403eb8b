"""`mercer promote` and `mercer rollback` while `mercer serve` answers: no request fails, and it says who answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mercer.cli.settings import read_settings
from mercer.doors import build
from mercer.events.log import EventLog
from mercer.records import Event
from mercer.shop import Shop

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")


def post(url: str, body: Any, method: str = "POST") -> Any:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def serves(url: str) -> str:
    return str(json.loads(get(url + "/ready"))["index"])


def test_no_request_fails_while_versions_change(own_shop: Path, mercer: Callable[..., Any]) -> None:
    shop = Shop(own_shop)
    first = shop.live("index").version  # type: ignore[union-attr]  # it has one
    with EventLog(shop.events) as log:
        log.append([Event("more", "view", "P10001", 1_790_000_000_000, "ann", "v")])
    second = build(shop, read_settings(own_shop)).version
    with (own_shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        # a busy machine is slow
        settings.write("[serve]\nfollow_seconds = 0.1\nwait_ms = 60000\ndeadline_ms = 60000\n")
    command = [sys.executable, "-m", "mercer", "serve", str(own_shop), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "300"}) as process:
        try:
            assert process.stderr is not None
            said = ""
            while "Ctrl-C" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            url = re.findall(r"http://localhost:\d+", said)[0]
            until(lambda: _ready(url))
            _campaign(url, first, second, lambda *words: mercer(*words[:1], own_shop, *words[1:]))
        finally:
            process.kill()


def _ready(url: str) -> bool:
    try:
        return bool(serves(url))
    except OSError:
        return False


def _campaign(url: str, first: str, second: str, run: Callable[..., Any]) -> None:
    stop, errors, asked, put = threading.Event(), list[BaseException](), list[int](), list[str]()

    def ask() -> None:
        try:
            while not stop.is_set():
                asked.append(post(url + "/v1/search", {"query": "pillow", "k": 3})["total"])
        except BaseException as error:  # told below
            errors.append(error)

    def write() -> None:
        try:
            while not stop.is_set():
                id = f"w{len(put)}"
                product = {"id": id, "title": f"zebra umbrella {id}"}
                assert post(url + "/v1/products", {"products": [product]}, "PUT")["stored"] == 1
                event = {"id": f"e-{id}", "type": "view", "product": id, "shopper": "bob"}
                assert post(url + "/v1/events", {"events": [event]})["stored"] == 1
                put.append(id)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for work in (ask, ask, write)]
    for thread in threads:
        thread.start()
    try:
        assert serves(url) == first
        for version, words in ((second, ("promote", second)), (first, ("rollback",))):
            assert run(*words).code == 0
            until(lambda version=version: serves(url) == version)  # type: ignore[misc]
            before = len(asked), len(put)
            until(lambda before=before: bool(errors) or (len(asked) > before[0] + 5 and len(put) > before[1]))
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert errors == []
    assert 0 not in asked
    metrics = get(url + "/metrics")
    assert f'mercer_index{{version="{first}"}} 1.0' in metrics
    assert "mercer_index_swaps 2.0" in metrics
    for id in put:
        assert json.loads(get(f"{url}/v1/products/{id}"))["id"] == id
