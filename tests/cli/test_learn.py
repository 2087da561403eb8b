"""mercer learn: a model with its card and proof; live only where held-out queries do not say it is worse."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")

from mercer.doors.prove import read_proof
from mercer.shop import Shop

QUICK = "\n[learn]\nsteps = 6\nbatch = 6\npassages = 2\nlength = 24\nlr = 1e-3\nevaluations = 2\n"


@pytest.fixture(scope="module")
def learned(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has learned, not live yet."""
    from typer.testing import CliRunner

    from mercer.cli import app

    shop = Path(shutil.copytree(tiny_shop, tmp_path_factory.mktemp("learned") / "shop"))
    (shop / "mercer.toml").write_text((shop / "mercer.toml").read_text("utf-8") + QUICK, "utf-8")
    ran = CliRunner().invoke(app, ["learn", str(shop), "--no-promote", "--json"])
    assert ran.exit_code == 0, ran.output
    (shop / "told.json").write_text(ran.stdout, "utf-8")
    return shop


@pytest.fixture
def shop(learned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(learned, tmp_path / "shop"))


def told(shop: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shop / "told.json").read_text("utf-8"))
    return found


def test_a_model_comes_with_its_card_its_proof_and_a_page(learned: Path) -> None:
    said, shop = told(learned), Shop(learned)
    card = shop.card("models", said["model"])
    assert card["checked"] == shop.live("checked").version
    assert card["pairs"]["train"]["judgments"] > 50
    assert card["training"]["steps"] == 6
    assert card["settings"]["seed"] == card["seed"] == 7
    proof = read_proof(shop.path("models", said["model"]))
    assert proof == said["proof"]
    assert proof["labelled"]
    assert {one["name"] for one in proof["slices"]} >= {"other", "seen"}
    page = (shop.path("models", said["model"]) / "report.html").read_text("utf-8")
    assert page.count("<svg") == 1
    assert not re.search(r"(?:src|href)=.http", page)
    assert f"{proof['after']['hybrid']:.4f}" in page
    assert said["live"] is False
    assert shop.card("index", said["index"])["encoder"]["model"] == said["model"]
    assert not list((learned / "store" / "work").glob("encoder/*"))
    log = shop.path("models", said["model"]) / "log.jsonl"
    assert log.read_text("utf-8").count('"loss"') == 6


def test_the_same_data_and_settings_are_the_same_model(mercer: Any, shop: Path) -> None:
    again = mercer("learn", shop, "--no-promote", "--json").json
    assert again["new"] is False
    assert (again["model"], again["index"]) == (told(shop)["model"], told(shop)["index"])
    other = mercer("learn", shop, "--no-promote", "--json", "--seed", 3).json
    assert other["model"] != again["model"]


def prove(shop: Path, **changes: Any) -> str:
    """Write another proof beside the model; the model comes back."""
    model: str = told(shop)["model"]
    path = Shop(shop).path("models", model) / "proof.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    return model


def test_what_is_no_worse_goes_live_and_comes_back(mercer: Any, shop: Path) -> None:
    before = Shop(shop).live("index")
    model = prove(shop, passes=True)
    done = mercer("promote", shop, model, "--kind", "models", "--json").json
    assert done["live"] == told(shop)["index"]
    assert mercer("search", shop, "chair", "--json").code == 0
    assert mercer("index", shop, "--json").json["version"] == told(shop)["index"]
    assert mercer("rollback", shop, "--json").json["live"] == before.version


def test_what_is_worse_or_unproved_stays_out(mercer: Any, refused: Any, shop: Path) -> None:
    before = Shop(shop).live("index")
    model = prove(shop, passes=False)
    for words in ((told(shop)["index"],), (model, "--kind", "models")):
        assert "is worse: nDCG@10" in refused("promote", shop, *words, code=1)
    (Shop(shop).path("models", model) / "proof.json").unlink()
    assert "never measured" in refused("promote", shop, told(shop)["index"], code=1)
    assert Shop(shop).live("index") == before
    done = mercer("promote", shop, told(shop)["index"], "--override", "we know better", "--json").json
    assert done["live"] == told(shop)["index"]


@pytest.mark.parametrize("damage", ["truncated", "nan", "dimension", "missing"])
def test_damaged_weights_never_go_live(refused: Any, shop: Path, damage: str) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    before, model = Shop(shop).live("index"), prove(shop, passes=True)
    folder = Shop(shop).path("models", model)
    path = folder / "model.safetensors"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "missing":
        path.unlink()
    else:
        tensors = safetensors.load_file(path)
        name = "encoder.layer.1.output.dense.weight"
        tensors[name] = tensors[name][:, :-1].copy() if damage == "dimension" else tensors[name] * np.float32(np.nan)
        safetensors.save_file(tensors, path)
    assert folder.name[:4] in refused("promote", shop, model, "--kind", "models", code=2)
    assert Shop(shop).live("index") == before


def test_a_blocked_gate_blocks_learning(refused: Any, own_shop: Path) -> None:
    gate = Shop(own_shop).path("checked", Shop(own_shop).live("checked").version) / "gate.json"
    decision = json.loads(gate.read_text("utf-8"))
    by = {"requirement": "C01 missing", "share": 0.4, "family": "products", "threshold": 0.05}
    gate.write_text(json.dumps({**decision, "decision": "block", "decided_by": by}), "utf-8")
    assert "C01 missing: 40.00% of products, the limit is 5.00%" in refused("learn", own_shop, code=1)
    assert not Shop(own_shop).versions("models")


def test_without_labels_the_catalogue_teaches(mercer: Any, own_shop: Path) -> None:
    (own_shop / "mercer.toml").write_text((own_shop / "mercer.toml").read_text("utf-8") + QUICK, "utf-8")
    said = mercer("learn", own_shop, "--no-labels", "--no-promote", "--json").json
    assert not said["proof"]["labelled"]
    assert all(name.startswith("catalogue:") for name in said["pairs"]["train"])
    assert "the catalogue alone teaches" in said["notes"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--budget", "-1"), "budget is -1"),
        (("--budget", "0.001"), "leaves no time to learn"),
        (("--objective", "magic"), "objective 'magic'"),
        (("--train", "half"), "train"),
        (("--gains", "3=one"), "3=one"),
    ],
)
def test_wrong_use_is_told(refused: Any, own_shop: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused("learn", own_shop, *words)


@pytest.mark.parametrize(("low", "high", "live"), [(-0.3, -0.1, False), (-0.3, 0.2, False), (0.1, 0.3, True)])
def test_learning_itself_goes_live_only_if_no_worse(
    mercer: Any, shop: Path, monkeypatch: pytest.MonkeyPatch, low: float, high: float, live: bool
) -> None:
    """The real run, but for what the held-out queries say of it."""
    from mercer.doors import prove as proving

    before, really = Shop(shop).live("index"), proving.prove

    def said(*doors: Any, **rest: Any) -> Any:
        proof = really(*doors, **rest)
        told = dataclasses.replace(proof.comparisons[proof.metric], low=low, high=high, difference=(low + high) / 2)
        return dataclasses.replace(proof, comparisons={**proof.comparisons, proof.metric: told})

    monkeypatch.setattr(proving, "prove", said)
    told = mercer("learn", shop, "--json").json
    assert told["live"] is live
    assert (Shop(shop).live("index") == before) is not live


def test_what_cannot_be_folded_goes_live_too(mercer: Any, own_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On ONNX, as it is served; what it says is held against torch in tests/encode/test_graft.py."""
    monkeypatch.setattr("mercer.learn.encoder._pool", lambda *_: None)  # keep the last state, whatever it is worth
    quick = QUICK.replace("1e-3", "2e-5") + "prefix = 3\nworse = 1.0\n"
    (own_shop / "mercer.toml").write_text((own_shop / "mercer.toml").read_text("utf-8") + quick, "utf-8")
    said = mercer("learn", own_shop, "--train", "prefix", "--json").json
    assert said["live"] is True
    assert Shop(own_shop).live("index").version == said["index"]
    config = json.loads((Shop(own_shop).path("models", said["model"]) / "config.json").read_text("utf-8"))
    assert config["mercer"] == {"graft": {"kind": "prefix", "size": 3}}
    assert mercer("search", own_shop, "chair", "--json").code == 0


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_tracker_that_is_not_installed_is_named(
    refused: Any, own_shop: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from mercer.learn import settings

    find = settings.find_spec
    monkeypatch.setattr(settings, "find_spec", lambda package: None if package == name else find(package))
    text = (own_shop / "mercer.toml").read_text("utf-8") + f'\n[learn]\ntrack = ["jsonl", "{name}"]\n'
    (own_shop / "mercer.toml").write_text(text, "utf-8")
    said = refused("learn", own_shop)
    assert f"package {name}" in said
    assert "mercer[track]" in said


def test_what_was_learned_is_made_smaller_by_command(mercer: Any, refused: Any, shop: Path) -> None:
    """Layers dropped and healed, then numbers cut: each with size, speed and quality, or refused with its loss."""
    model, before = told(shop)["model"], (shop / "store" / "live.json").read_bytes()
    done = mercer("compress", shop, "--model", model, "--layers", 1, "--dimension", 24, "--limit", 1, "--json").json
    assert [step["name"] for step in done["steps"]] == ["layers", "dimension"]
    assert done["steps"][0]["after"]["bytes"] < done["steps"][0]["before"]["bytes"]
    for step in done["steps"]:
        for side in ("before", "after"):
            assert step[side]["queries"] > 0
            assert 0 <= step[side]["quality"]["judged"] <= 1
    assert done["steps"][0]["facts"]["layers"] == [1]
    versions = Shop(shop).versions("models")
    assert done["version"] in versions
    assert Shop(shop).card("models", done["version"])["dimension"] == 24
    assert "limit is 0.00%" in refused("compress", shop, "--model", model, "--dimension", 1, "--limit", 0)
    assert Shop(shop).versions("models") == versions
    assert (shop / "store" / "live.json").read_bytes() == before
    assert mercer("promote", shop, done["version"], "--kind", "models", "--override", "a test").code == 0
    assert mercer("search", shop, "chair", "--json").code == 0
