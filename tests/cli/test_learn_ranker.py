"""mercer learn --ranker: trees with card and proof, ledgers that sum; damage and nonsense refused."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytest.importorskip("lightgbm")

from mercer.cli.settings import read_settings
from mercer.doors import open_doors
from mercer.doors.prove import read_proof
from mercer.events.answer import Answer
from mercer.events.log import EventLog
from mercer.learn.logged import logged_pages
from mercer.rank.feature import NAMES
from mercer.records import Event, Impression, Request
from mercer.shop import Shop

NOON = 1_760_000_000_000

QUICK = """
[learn]
least = 3
[learn.ranker]
rounds = 12
folds = 2
patience = 12
least_leaf = 5
penalty = 0.0
"""


@pytest.fixture(scope="module")
def learned(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has grown trees from judgments and clicks, not live yet."""
    from typer.testing import CliRunner

    from mercer.cli import app

    shop = Path(shutil.copytree(tiny_shop, tmp_path_factory.mktemp("ranked") / "shop"))
    with (shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        settings.write(QUICK)
    ran = CliRunner().invoke(app, ["learn", str(shop), "--ranker", "--from", "both", "--no-promote", "--json"])
    assert ran.exit_code == 0, (ran.output, ran.exception)
    (shop / "told.json").write_text(ran.stdout, "utf-8")
    return shop


@pytest.fixture
def shop(learned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(learned, tmp_path / "shop"))


def told(shop: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shop / "told.json").read_text("utf-8"))
    return found


def test_trees_come_with_card_proof_curve_and_page(learned: Path) -> None:
    said, shop = told(learned), Shop(learned)
    assert said["model"].startswith("ranker/")
    assert said["live"] is False
    assert said["pairs"]["train"]["judged queries"] > 3
    assert said["pairs"]["train"]["clicks"] > 0
    card, folder = shop.card("models", said["model"]), shop.path("models", said["model"])
    assert card["settings"]["rounds"] == 12
    assert card["training"]["curve"][0]["eval_nDCG@10"] == card["training"]["start"]
    assert set(card["gain"]) <= set(card["features"])
    assert card["checked"] == said["checked"]
    assert read_proof(folder) == said["proof"]
    assert "nDCG@10" in (folder / "report.html").read_text("utf-8")
    assert not list(folder.glob("*.pkl"))
    assert shop.card("index", said["index"])["ranker"] == said["model"]


def test_live_it_ranks_explains_and_can_be_taken_back(shop: Path, mercer: Callable[..., Any]) -> None:
    said = told(shop)
    assert mercer("promote", shop, said["index"], "--override", "a test").code == 0
    page = mercer("search", shop, "dress", "-k", 5, "--json").json
    assert "ranker" in page["stages"]
    for hit in page["hits"]:
        assert sum(line["part"] for line in hit["ledger"]) == pytest.approx(hit["score"], abs=1e-6)
    lines = [line["signal"] for hit in page["hits"] for line in hit["ledger"]]
    assert any(signal.startswith("ranker ") for signal in lines)
    both = mercer("search", shop, "dress", "-k", 10, "--json").json["hits"]
    ids = [hit["product"]["id"] for hit in both] if "product" in both[0] else [hit["id"] for hit in both]
    assert len(set(ids)) == len(ids)
    why = mercer("explain", shop, "dress", "--product", ids[0])
    assert "ranker " in why.out
    assert "place 1" in why.out
    assert mercer("rollback", shop).code == 0
    assert "ranker" not in mercer("search", shop, "dress", "--json").json["stages"]


def test_a_setting_turns_it_off(shop: Path, mercer: Callable[..., Any]) -> None:
    mercer("promote", shop, told(shop)["index"], "--override", "a test")
    with (shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[rank]\nranker = "off"\n')
    assert "ranker" not in mercer("search", shop, "dress", "--json").json["stages"]


def test_an_index_built_later_keeps_its_ranker(shop: Path, mercer: Callable[..., Any]) -> None:
    said = told(shop)
    mercer("promote", shop, said["index"], "--override", "a test")
    assert mercer("index", shop, "--json").json["version"] == said["index"]


def test_a_damaged_model_is_refused_where_it_is_opened(shop: Path, refused: Callable[..., str]) -> None:
    said = told(shop)
    Shop(shop).publish("index", said["index"])
    path = Shop(shop).path("models", said["model"]) / "ranker.txt"
    path.write_text(path.read_text("utf-8") + " ", "utf-8")
    assert "hash" in refused("search", shop, "dress")


def test_nonsense_is_refused(shop: Path, refused: Callable[..., str]) -> None:
    text = (shop / "mercer.toml").read_text("utf-8")
    (shop / "mercer.toml").write_text(text.replace("folds = 2", "folds = 1"), "utf-8")
    assert "folds is 1" in refused("learn", shop, "--ranker")
    (shop / "mercer.toml").write_text(text.replace("least = 3", "least = 100000"), "utf-8")
    assert "0 queries" in refused("learn", shop, "--ranker", "--from", "judgments")


@pytest.fixture(scope="module")
def lived(learned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shop with its trees live, asked forty times, and clicked on."""
    shop = Path(shutil.copytree(learned, tmp_path_factory.mktemp("lived") / "shop"))
    version = next(v for v in Shop(shop).versions("index") if Shop(shop).card("index", v).get("ranker"))
    Shop(shop).publish("index", version)
    with contextlib.closing(open_doors(shop, read_settings(shop))) as doors:
        titles = [product.title for product in doors.index.products(doors.index.ids()[:40])]
        for number, title in enumerate(titles):
            page = doors.search(Request(query=title, k=6))
            where = {"version": doors.version, "scene": "search"}
            doors.shown(
                [
                    Impression(page.query_id, hit.id, place, NOON + number, hit.score, features=hit.features, **where)
                    for place, hit in enumerate(page.hits, 1)
                ],
                Answer(page.query_id, NOON + number, "search", title, page.total, version=doors.version),
            )
            if page.hits:
                doors.events.append(
                    [Event(f"click-{number}", "click", page.hits[-1].id, NOON + number, query_id=page.query_id)]
                )
    return shop


def served(shop: Path, mercer: Callable[..., Any]) -> dict[str, str]:
    (note,) = (one for one in mercer("doctor", shop, "--json").json if one["subject"] == "served features")
    return dict(note)


def test_doctor_holds_the_log_against_training(lived: Path, mercer: Callable[..., Any]) -> None:
    assert served(lived, mercer)["state"] == "good"
    with EventLog(Shop(lived).events) as log:
        rows = [one for _, one in log.impressions()]
        at = 4 * (2 + NAMES.index("price"))  # after the mark and the hybrid score
        wrong = [
            dataclasses.replace(one, features=one.features[:at] + b"\x00\x00\x80\x3f" + one.features[at + 4 :])
            for one in rows
        ]
        log._writer.run(lambda database: database.execute("DELETE FROM impressions"))
        log.shown(wrong)
    try:
        note = served(lived, mercer)
        assert (note["state"], "(X05) in price;" in note["said"]) == ("bad", True), note
    finally:
        with EventLog(Shop(lived).events) as log:
            log._writer.run(lambda database: database.execute("DELETE FROM impressions"))
            log.shown(rows)


def test_trees_learn_from_what_the_log_says_they_were_told(
    lived: Path, tmp_path: Path, mercer: Callable[..., Any]
) -> None:
    shop = Path(shutil.copytree(lived, tmp_path / "shop"))
    ran = mercer("learn", shop, "--ranker", "--from", "log", "--no-promote", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["source"] == "log"
    with EventLog(Shop(shop).events) as log:
        pages = logged_pages(log)
    assert 5 < ran.json["pairs"]["train"]["logged clicks"] <= len(pages)
    assert all(one.page.actions[-1] == 1 and not any(one.page.actions[:-1]) for one in pages)


def test_without_logged_features_the_command_says_what_to_do(shop: Path, refused: Callable[..., str]) -> None:
    assert "is then logged with every answer" in refused("learn", shop, "--ranker", "--from", "log")


def test_the_log_is_exported_by_day(lived: Path, tmp_path: Path, mercer: Callable[..., Any]) -> None:
    told = mercer("export", lived, tmp_path, "--json").json
    (day,) = told
    answers, shown = (pq.read_table(tmp_path / f"{family}-{day}.parquet") for family in ("answers", "impressions"))
    assert (len(answers), len(shown)) == (told[day]["answers"], told[day]["impressions"])
    assert told[day]["answers"] == 40
    assert json.loads(shown.schema.metadata[b"features"]) == list(NAMES)
    assert {len(row) for row in shown["features"].to_pylist()} == {len(NAMES)}
    assert set(shown["query_id"].to_pylist()) <= set(answers["query_id"].to_pylist())
    assert mercer("export", lived, tmp_path, "--day", "2001-01-01", "--json").json == {
        "2001-01-01": {"events": 0, "answers": 0, "impressions": 0}
    }
