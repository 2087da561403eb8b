"""mercer learn --reranker: a cross-encoder with its weight and proof; live, and used, only where it is no worse."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")

from mercer.doors.prove import read_proof
from mercer.shop import Shop

QUICK = """
[learn]
steps = 4
evaluations = 1
[learn.reranker]
batch = 2
passages = 3
length = 24
"""


@pytest.fixture(scope="module")
def learned(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has learned a reranker, not live yet."""
    from typer.testing import CliRunner

    from mercer.cli import app

    shop = Path(shutil.copytree(tiny_shop, tmp_path_factory.mktemp("reranked") / "shop"))
    text = (shop / "mercer.toml").read_text("utf-8").replace("threads = 1\n", 'threads = 1\nengine = "torch"\n')
    (shop / "mercer.toml").write_text(text + QUICK, "utf-8")  # torch: an export to ONNX takes longer than training
    ran = CliRunner().invoke(app, ["learn", str(shop), "--reranker", "--no-promote", "--json"])
    assert ran.exit_code == 0, (ran.output, ran.exception)
    (shop / "told.json").write_text(ran.stdout, "utf-8")
    return shop


@pytest.fixture
def shop(learned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(learned, tmp_path / "shop"))


def told(shop: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shop / "told.json").read_text("utf-8"))
    return found


def prove(shop: Path, **changes: Any) -> str:
    """Write another proof beside the reranker; its version comes back."""
    model: str = told(shop)["model"]
    path = Shop(shop).path("models", model) / "proof.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    return model


def parts(page: Any) -> list[set[str]]:
    """Signals of each hit's ledger."""
    return [{line["signal"] for line in hit["ledger"]} for hit in page["hits"]]


def test_a_reranker_comes_with_its_card_its_weight_its_proof_and_a_page(learned: Path) -> None:
    said, shop = told(learned), Shop(learned)
    folder, card = shop.path("models", said["model"]), shop.card("models", said["model"])
    assert said["model"].startswith("reranker/")
    assert card["training"]["steps"] == 4
    assert (card["settings"]["evaluations"], card["reranker"]["length"]) == (1, 24), "[learn], [learn.reranker]"
    proof, weight = read_proof(folder), json.loads((folder / "weight.json").read_text("utf-8"))
    assert proof == said["proof"]
    assert weight == said["weight"]
    assert set(proof["before"]) == set(proof["after"]) == {"hybrid"}
    assert proof["refused"] == weight["refusal"]
    assert 0 < weight["rerank_weight"] <= 1
    assert weight["tried"][f"{weight['rerank_weight']:g}"] == max(weight["tried"].values())
    index = shop.card("index", said["index"])
    assert index["reranker"] == said["model"]
    assert index["rerank"] == {name: weight[name] for name in ("rerank", "rerank_weight")}
    live = shop.live("index")
    assert live is not None
    before = shop.card("index", live.version)
    assert index["encoder"] == before["encoder"]
    page = (folder / "report.html").read_text("utf-8")
    assert page.count("<svg") == 1
    assert not re.search(r"(?:src|href)=.http", page)
    assert f"{weight['alone']:.4f}" in page
    assert said["live"] is False
    assert not list((learned / "store" / "work").glob("reranker/*"))


def test_the_same_data_and_settings_are_the_same_model(mercer: Any, shop: Path) -> None:
    again = mercer("learn", shop, "--reranker", "--no-promote", "--json").json
    assert again["new"] is False
    assert (again["model"], again["index"]) == (told(shop)["model"], told(shop)["index"])


def test_what_is_no_worse_goes_live_is_used_and_comes_back(mercer: Any, shop: Path) -> None:
    before = Shop(shop).live("index")
    assert not any("reranker" in found for found in parts(mercer("search", shop, "red chair", "--json").json))
    model = prove(shop, passes=True)
    done = mercer("promote", shop, model, "--kind", "models", "--json").json
    assert done["live"] == told(shop)["index"]
    page = mercer("search", shop, "red chair", "--json").json
    assert page["hits"]
    assert all("reranker" in found for found in parts(page)), "on without a line in mercer.toml"
    assert page["stages"]["rerank"] > 0
    explained = mercer("search", shop, "red chair", "--explain").out
    assert "words" in explained
    assert "reranker" in explained
    assert mercer("index", shop, "--json").json["version"] == told(shop)["index"], "the next index keeps it"
    assert mercer("rollback", shop, "--json").json["live"] == before.version
    assert not any("reranker" in found for found in parts(mercer("search", shop, "red chair", "--json").json))


def test_over_http_the_score_says_what_the_reranker_added(shop: Path) -> None:
    testing = pytest.importorskip("fastapi.testclient")
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.serve import create_app

    Shop(shop).publish("index", told(shop)["index"])
    doors = open_doors(shop, read_settings(shop))
    try:
        with testing.TestClient(create_app(doors)) as client:
            page = client.post("/v1/search", json={"query": "red chair", "explain": True}).json()
    finally:
        doors.close()
    assert page["hits"]
    for hit in page["hits"]:
        assert sum(line["part"] for line in hit["ledger"]) == pytest.approx(hit["score"], abs=1e-6)
    assert all("reranker" in found for found in parts(page))


def test_what_is_worse_unproved_or_refused_stays_out(mercer: Any, refused: Any, shop: Path) -> None:
    before, index = Shop(shop).live("index"), told(shop)["index"]
    for changes, said in (
        ({"passes": False, "refused": ""}, "is worse: nDCG@10"),
        ({"passes": False, "refused": "it gains nothing"}, "was refused: it gains nothing"),
    ):
        model = prove(shop, **changes)
        for words in ((index,), (model, "--kind", "models")):
            assert said in refused("promote", shop, *words, code=1)
    (Shop(shop).path("models", model) / "proof.json").unlink()
    assert "never measured" in refused("promote", shop, model, "--kind", "models", code=1)
    assert Shop(shop).live("index") == before
    done = mercer("promote", shop, model, "--kind", "models", "--override", "we know better", "--json").json
    assert done["live"] == index


@pytest.mark.parametrize("damage", ["truncated", "nan", "head", "missing"])
def test_a_damaged_reranker_never_goes_live(refused: Any, shop: Path, damage: str) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    before, model = Shop(shop).live("index"), prove(shop, passes=True)
    folder = Shop(shop).path("models", model)
    path, config = folder / "model.safetensors", folder / "config.json"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "missing":
        path.unlink()
    elif damage == "head":
        told = json.loads(config.read_text("utf-8"))
        told["mercer"]["head"] |= {"kind": "classes", "labels": ["glad", "sad"], "match": 0.0}
        config.write_text(json.dumps(told), "utf-8")
    else:
        tensors = safetensors.load_file(path)
        tensors["head.weight"] = tensors["head.weight"] * np.float32(np.nan)
        safetensors.save_file(tensors, path)
    refused("promote", shop, model, "--kind", "models", code=2)
    assert Shop(shop).live("index") == before


@pytest.fixture
def said_to_be(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``said_to_be(gains, difference)``: what validation and held-out queries say of any reranker from now on."""
    from mercer.doors import prove as proving
    from mercer.doors import weigh as weighing

    weigh, prove = weighing.weigh, proving.prove

    def say(gains: float, difference: float) -> None:
        def weighed(*given: Any, **rest: Any) -> Any:
            found = weigh(*given, **rest)
            return dataclasses.replace(found, tried=dict.fromkeys(found.tried, found.alone + gains))

        def proved(*given: Any, **rest: Any) -> Any:
            proof = prove(*given, **rest)
            ends: dict[str, Any] = {"low": difference - 0.1, "high": difference + 0.1, "difference": difference}
            told = dataclasses.replace(proof.comparisons[proof.metric], **ends)
            return dataclasses.replace(proof, comparisons={**proof.comparisons, proof.metric: told})

        monkeypatch.setattr(weighing, "weigh", weighed)
        monkeypatch.setattr(proving, "prove", proved)

    return say


@pytest.mark.parametrize(
    ("gains", "difference", "live"), [(0.1, 0.2, True), (0.1, -0.3, False), (0.1, -0.05, False), (-0.1, 0.2, False)]
)
def test_learning_itself_goes_live_only_if_no_worse(
    mercer: Any, shop: Path, said_to_be: Any, gains: float, difference: float, live: bool
) -> None:
    before = Shop(shop).live("index")
    said_to_be(gains, difference)
    ran = mercer("learn", shop, "--reranker")
    assert ran.code == 0
    assert (Shop(shop).live("index") == before) is not live
    words = " ".join(ran.err.split())
    assert ("it is live" in words) is live
    if gains < 0:
        assert "is worse than the first stage alone: nDCG@10" in words
    assert "weight 0.05 against the first stage" in words


def test_a_second_reranker_must_beat_the_one_that_serves(mercer: Any, shop: Path, said_to_be: Any) -> None:
    Shop(shop).publish("index", told(shop)["index"])
    said_to_be(0.1, 0.0)
    other = mercer("learn", shop, "--reranker", "--objective", "relevance", "--json").json
    assert other["model"] != told(shop)["model"]
    assert other["live"]
    assert other["proof"]["before"] == told(shop)["proof"]["after"], "as that one serves"


def test_rank_rerank_0_means_none_and_is_told(mercer: Any, shop: Path, said_to_be: Any) -> None:
    (shop / "mercer.toml").write_text((shop / "mercer.toml").read_text("utf-8") + "\n[rank]\nrerank = 0\n", "utf-8")
    said_to_be(0.1, 0.1)
    ran = mercer("learn", shop, "--reranker")
    assert "[rank] rerank is 0" in ran.err
    assert not any("reranker" in found for found in parts(mercer("search", shop, "red chair", "--json").json))


def test_a_blocked_gate_blocks_learning(refused: Any, own_shop: Path) -> None:
    gate = Shop(own_shop).path("checked", Shop(own_shop).live("checked").version) / "gate.json"
    decision = json.loads(gate.read_text("utf-8"))
    by = {"requirement": "C01 missing", "share": 0.4, "family": "products", "threshold": 0.05}
    gate.write_text(json.dumps({**decision, "decision": "block", "decided_by": by}), "utf-8")
    assert "C01 missing: 40.00% of products" in refused("learn", own_shop, "--reranker", code=1)
    assert not Shop(own_shop).versions("models")


@pytest.mark.parametrize(
    ("section", "words", "said"),
    [
        ("", ("--budget", "0.001"), "leaves no time to learn"),
        ("", ("--objective", "contrastive"), "[learn.reranker] objective is contrastive"),
        ("[learn.reranker]\nlenght = 64\n", (), "[learn.reranker] lenght is unknown; did you mean length?"),
        ("[learn.reranker]\nbatch = 1\n", (), "batch is 1"),
        ("[learn.reranker]\nmatch = -1.0\n", (), "match is -1"),
    ],
)
def test_wrong_use_is_told(refused: Any, own_shop: Path, section: str, words: tuple[str, ...], said: str) -> None:
    (own_shop / "mercer.toml").write_text((own_shop / "mercer.toml").read_text("utf-8") + "\n" + section, "utf-8")
    assert said in refused("learn", own_shop, "--reranker", *words).replace(" | cure  ", "; ")


def test_an_encoder_learns_from_the_live_reranker(mercer: Any, refused: Any, shop: Path) -> None:
    distil = ("learn", shop, "--objective", "distil", "--objective", "contrastive", "--no-promote")
    problem = refused(*distil)
    assert "no reranker is live" in problem
    assert "--reranker" in problem
    assert "reranker/nowhere" in refused(*distil, "--teacher", "reranker/nowhere")
    named = mercer(*distil, "--teacher", told(shop)["model"], "--json").json
    Shop(shop).publish("index", told(shop)["index"])
    live = mercer(*distil, "--json").json
    for said in (named, live):
        assert Shop(shop).card("models", said["model"])["teacher"]
        assert Shop(shop).card("models", said["model"])["settings"]["objective"] == ["distil", "contrastive"]
    assert "no labelled query" in refused(*distil, "--no-labels")


def test_training_starts_from_what_can_be_trained(own_shop: Path, tiny_bert: Path) -> None:
    """The encoder of the index; what a compressed one came from; what a card of before there were models names."""
    from types import SimpleNamespace

    from mercer.cli.learn_run import base_of
    from mercer.cli.settings import read_settings

    shop = Shop(own_shop)
    live = shop.live("index")
    assert live is not None
    run: Any = SimpleNamespace(shop=shop, settings=read_settings(own_shop))
    path = shop.path("index", live.version) / "card.json"
    card = shop.card("index", live.version)
    with shop.writing("models") as folder:
        shop.keep("models", folder, {"compressed": True, "base": {"model": str(tiny_bert)}}, version="encoder/small")
    recipe = {name: value for name, value in card["encoder"].items() if name != "model"}
    for encoder in (recipe, {**recipe, "model": "encoder/small", "source": "nowhere"}):
        path.write_text(json.dumps({**card, "encoder": encoder}), "utf-8")
        assert base_of(run, live.version).folder == tiny_bert
