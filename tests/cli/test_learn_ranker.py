"""mercer learn --ranker: trees with card and proof, ledgers that sum; damage and nonsense refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lightgbm")

from mercer.doors.prove import read_proof
from mercer.shop import Shop

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
