"""`mercer watch` and `mercer experiment`: what a person reads, exit codes, reports, nonsense refused with a cure."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import MercerError
from mercer.events.answer import Answer
from mercer.events.log import EventLog
from mercer.quality.schema import SCHEMAS
from mercer.records import Event, Impression, Product
from mercer.shop import Shop
from mercer.watch.alarm_book import AlarmBook
from mercer.watch.run import guard, latest
from mercer.watch.unit import tag

DAY = 86_400_000
NOW = int(time.time() * 1000)
BAD = ("gaming chair", "显卡 4090", "ps5 slim")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose index is only a card, with twelve days of log: in the last two search is worse."""
    shop = Shop.create(tmp_path_factory.mktemp("shops") / "shop")
    rows = [
        {**Product(f"p{n}", f"oak cup {n}", price=4.0 + n, category=("Home",)).to_row(), "row_id": n} for n in range(40)
    ]
    with shop.writing("checked") as folder:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMAS["products"]), folder / "products.parquet")
        version = shop.keep("checked", folder, {}, version="c1")
    shop.publish("checked", version)
    with shop.writing("index") as folder:
        shop.keep("index", folder, {"checked": "c1", "changes": 0, "encoder": {}}, version="i1")
    shop.publish("index", "i1")
    fill(shop)
    return shop.folder


def fill(shop: Shop) -> None:
    rng = np.random.default_rng(3)
    first = NOW // DAY * DAY - 12 * DAY
    with EventLog(shop.events) as log:
        clicks = []
        for number in range(12 * 120):
            day, bad = number // 120, number // 120 >= 10
            at = first + day * DAY + int(rng.integers(0, DAY - 3_600_000))
            query = str(rng.choice(BAD)) if bad and rng.random() < 0.7 else f"oak cup {number % 9}"
            id, empty = f"q{number}", bad and rng.random() < 0.6
            shown = [] if empty else [Impression(id, f"p{n}", n, at, 1 - n / 10, "i1") for n in range(1, 7)]
            arm = tag("old", "ab"[number % 2])
            answer = Answer(id, at, "search", query, len(shown), 0, f"s{number % 300}", version="i1", arm=arm)
            log.shown(shown, answer)
            clicks += [
                Event(f"{id}-{n}", "click", f"p{n}", at + 3000, shopper=answer.shopper, query_id=id)
                for n in range(1, len(shown) + 1)
                if rng.random() < (0.1 if bad else 0.4) * n**-0.7
            ]
        log.append(clicks)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_what_got_worse_is_said_and_the_exit_code_tells(shop: Path) -> None:
    found = run("watch", shop)
    assert found.exit_code == 1, (found.output, found.exception)
    for said in ("nothing-found", "clicks-fell", "retrain: yes", "unknown words"):
        assert said in found.output.replace("\n", " ")
    page = (shop / "store" / "reports" / "watch.html").read_text("utf-8")
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    held = latest(Shop(shop))
    assert held is not None
    assert held["decision"]["retrain"]
    log = (shop / "store" / "alarms" / "alarms.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["change"] for line in log} == {"raised"}

    again = json.loads(run("watch", shop, "--json").stdout)
    assert again["changes"] == [], "the same windows count once"
    assert len((shop / "store" / "alarms" / "alarms.jsonl").read_text("utf-8").splitlines()) == len(log)


def test_an_alarm_is_acknowledged_and_muted(shop: Path) -> None:
    run("watch", shop)
    assert run("watch", shop, "--acknowledge", "nothing-found", "--note", "late supplier").exit_code == 0
    assert AlarmBook(Shop(shop)).all()["nothing-found"].note == "late supplier"
    assert run("watch", shop, "--mute", "nothing-found", "--hours", 2).exit_code == 0
    assert AlarmBook(Shop(shop)).all()["nothing-found"].muted_until > NOW
    assert isinstance(run("watch", shop, "--acknowledge", "gone").exception, MercerError)


def test_an_empty_shop_has_nothing_to_say_and_no_fault(tmp_path: Path) -> None:
    Shop.create(tmp_path / "empty")
    found = run("watch", tmp_path / "empty", "--json")
    assert found.exit_code == 0, (found.output, found.exception)
    held = json.loads(found.stdout)
    assert (held["decision"]["retrain"], held["alarms"], held["health"]["points"]) == (False, {}, [])
    assert run("watch", tmp_path / "empty").exit_code == 0


def test_nonsense_is_refused(shop: Path, tmp_path: Path) -> None:
    assert isinstance(run("watch", tmp_path / "none").exception, MercerError)
    assert isinstance(run("watch", shop, "--once", "--every", 5).exception, MercerError)
    toml = shop / "mercer.toml"
    for wrong in ("[watch]\nwindow_hours = -1", '[watch]\nwebhook = "ftp://x"', "[watch.alarms.x]\nmeasures = 1"):
        toml.write_text(wrong, "utf-8")
        assert isinstance(run("watch", shop).exception, MercerError), wrong
    toml.unlink()


def test_an_experiment_is_started_judged_and_stopped(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.toml"
    file.write_text(
        'id = "one"\nmetric = "clicked"\narms = [{name = "as-is"}, {name = "wide", settings = {"rank.cut" = 0.0}}]\n',
        "utf-8",
    )
    started = run("experiment", shop, "start", file)
    assert started.exit_code == 0, (started.output, started.exception)
    assert "too little is known" in started.output
    assert "one" in run("experiment", shop).output
    assert isinstance(run("experiment", shop, "start", file).exception, MercerError), "its id is taken"
    file.write_text('id = "two"\narms = [{name = "a"}, {name = "b", settings = {"rank.cut" = 7.0}}]', "utf-8")
    assert "7.0" in str(run("experiment", shop, "start", file).exception)
    assert json.loads(run("experiment", shop, "stop", "one", "--json").stdout)["experiment"]["state"] == "stopped"
    for wrong in (["start", tmp_path / "none.toml"], ["show", "none"], ["show"]):
        assert isinstance(run("experiment", shop, *wrong).exception, MercerError)
    file.write_text("id = ", "utf-8")
    assert isinstance(run("experiment", shop, "start", file).exception, MercerError)


@pytest.mark.parametrize("server", [False, True])
def test_watching_stops_an_arm_that_does_harm(shop: Path, server: bool) -> None:
    from mercer.watch.experiment_book import ExperimentBook

    book = ExperimentBook(Shop(shop), clock=lambda: (NOW - 3 * DAY) / 1000)
    rail = {"metric": "clicked", "worse": 0.1}
    name = f"hurt-{server}".lower()
    arms = [{"name": "a"}, {"name": "b"}]
    book.start({"id": name, "arms": arms, "guardrails": [rail], "settle_hours": 0.0, "plan": 200})
    with EventLog(Shop(shop).events) as log:
        clicks = []
        for number in range(400):
            id, who, at = f"{name}{number}", f"h{number}", NOW - 2 * DAY + number
            shown = [Impression(id, "p1", 1, at)]
            log.shown(shown, Answer(id, at, "search", "oak", 1, 0, who, arm=tag(name, "ab"[number % 2])))
            if number % 2 == 0 and number % 5:
                clicks.append(Event(f"{name}-{number}", "click", "p1", at, shopper=who, query_id=id))
        log.append(clicks)
    if server:
        with EventLog(Shop(shop).events) as log:
            assert [(id, arm) for id, arm, _ in guard(Shop(shop), log)] == [(name, "b")]
            assert guard(Shop(shop), log) == []
    else:
        run("watch", shop)
    assert book.one(name).state == "stopped"
    assert "clicked" in book.one(name).arm("b").stopped
