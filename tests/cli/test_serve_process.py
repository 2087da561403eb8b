"""`mercer serve` as a process: it answers, keeps the shop to itself, and stops with everything on the disk."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import MissingExtra, ModelError

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")

ROWS = """id,title,category,price,currency
p-1,Oak serving board,Kitchen > Serving,24.5,EUR
p-2,Stoneware cup,Kitchen > Cups,9,EUR
p-3,Linen apron,Home > Textiles,18,EUR
"""


WIDE = {**os.environ, "COLUMNS": "300"}


def mercer(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mercer", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=WIDE)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("process")
    (folder / "products.csv").write_text(ROWS, "utf-8")
    for arguments in (
        ["init", str(folder / "shop"), "--products", str(folder / "products.csv"), "--yes"],
        ["check", str(folder / "shop")],
        ["index", str(folder / "shop")],
    ):
        outcome = CliRunner().invoke(app, arguments)
        if isinstance(outcome.exception, MissingExtra | ModelError):
            pytest.skip(str(outcome.exception))
        assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    return folder / "shop"


@pytest.fixture
def server(shop: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "mercer", "serve", str(shop), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=WIDE) as process:
        assert process.stderr is not None
        url = ""
        for line in process.stderr:
            if found := re.search(r"http://localhost:\d+", line):
                url = found[0]
            if "Ctrl-C" in line:
                break
        assert url
        _until_ready(url)
        yield process, url
        if process.poll() is None:
            process.kill()


def _until_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url + "/ready", timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not get ready")


def post(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_it_answers_alone_and_stops_in_good_order(server: tuple[subprocess.Popen[str], str], shop: Path) -> None:
    process, url = server
    assert post(url + "/v1/search", {"query": "oak board"})["hits"][0]["id"] == "p-1"
    event = {"id": "kept", "type": "click", "product": "p-2", "shopper": "s"}
    assert post(url + "/v1/events", {"events": [event]})["stored"] == 1

    second = mercer("serve", str(shop), "--port", "0")
    assert second.returncode == 2
    assert "is open in another process" in second.stderr

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "stopped" in said

    from mercer.events.log import EventLog

    with EventLog(shop / "store" / "events.db") as log:
        assert [event.product for event in log.recent("s", 5)] == ["p-2"]
        assert len(log.impressions()) >= 1, "what was shown is written on the way out"


def test_a_shop_without_an_index_or_none_at_all(tmp_path: Path) -> None:
    nowhere = mercer("serve", str(tmp_path / "none"), "--port", "0")
    assert nowhere.returncode == 2
    assert "is no shop" in nowhere.stderr
    (tmp_path / "bare" / "store").mkdir(parents=True)
    (tmp_path / "bare" / "store" / "format.json").write_text('{"format": 1}', "utf-8")
    bare = mercer("serve", str(tmp_path / "bare"), "--port", "0")
    assert bare.returncode == 2
    assert "has no index" in bare.stderr
    assert "mercer index" in bare.stderr
