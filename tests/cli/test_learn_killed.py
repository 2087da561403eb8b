"""mercer learn killed in the middle of things and started again: as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("peft")

from mercer.shop import Shop

SCRIPT = Path(__file__).parent / "killed.py"
SETTINGS = (
    "\n[learn]\nsteps = 18\nbatch = 6\npassages = 2\nlength = 24\nlr = 1e-3\nevaluations = 6\nprecision = 'float32'\n"
    "track = ['jsonl', 'tensorboard']\n"
)


def learn(shop: Path, *moments: str) -> list[list[str]]:
    """Exit code of a run killed at each moment, and of the last, which is left alone, and what was live after it."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(shop), *moments]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_a_learning_shop_killed_again_and_again_ends_as_one_left_alone(tiny_shop: Path, tmp_path: Path) -> None:
    """Weights, figures and index are the same; no half version is left, and live.json was never another file."""
    shops = [Path(shutil.copytree(tiny_shop, tmp_path / name)) for name in ("killed", "alone")]
    for shop in shops:
        (shop / "mercer.toml").write_text((shop / "mercer.toml").read_text("utf-8") + SETTINGS, "utf-8")
    killed, alone = shops
    before, rng = Shop(killed).live("index"), random.Random(5)
    moments = [
        "mercer.learn.encoder:negatives:1",
        f"mercer.learn.tuner:Tuner.training_step:{rng.randint(9, 15)}",
        f"transformers:Trainer._save_rng_state:{rng.randint(1, 2)}",
        "mercer.shop:Shop.keep:1",
        "mercer.shop:Shop._swap:1",
    ]
    assert before is not None
    *runs, (code, after) = learn(killed, *moments)
    assert runs == [["-9", before.version]] * len(moments)
    assert code == "0"
    assert learn(alone) == [["0", after]]
    assert after != before.version
    version, *more = Shop(killed).versions("models")
    assert not more
    assert Shop(alone).versions("models") == [version]
    one, other = (Shop(shop).path("models", version) for shop in shops)
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    cards = [json.loads((folder / "card.json").read_text("utf-8"))["training"] for folder in (one, other)]
    assert cards[0]["best"] == cards[1]["best"]
    curves = [{line["step"]: line.get("loss") for line in card["curve"] if "loss" in line} for card in cards]
    assert curves[0] == curves[1]
    assert len(curves[0]) == 18
    proofs = [json.loads((folder / "proof.json").read_text("utf-8"))["after"] for folder in (one, other)]
    assert proofs[0] == proofs[1]
    live = [Shop(shop).live("index") for shop in shops]
    assert live[0] == live[1]
    assert live[0] is not None
    assert live[0].before == (before.version,)
    assert not [path for path in (killed / "store").rglob("*") if path.name.startswith((".writing", "states"))]
    assert not list((killed / "store" / "work").glob("*/*"))
