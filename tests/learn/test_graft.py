"""A prefix and adapters are trained, alone: the rest of the model stays, and the folder carries them everywhere."""

import dataclasses
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch")

from mercer.encode import EncodeSettings, load
from mercer.encode.compress.folder import tensors_of
from mercer.encode.compress.layers import drop
from mercer.encode.graft import Graft, graft_of
from mercer.encode.head import head_of, open_judge
from mercer.encode.model import read
from mercer.errors import ModelError, SettingsError
from mercer.learn.cross import cross
from mercer.learn.heal import heal
from mercer.learn.pairs.pair import to_pairs
from mercer.learn.part import attach
from mercer.learn.pool import Pool
from mercer.learn.reranker import RerankerSettings, tune_reranker
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Task
from mercer.learn.tower import build
from mercer.learn.tune import tune

NAMES = ("red", "dress", "cup", "tea", "phone", "cable", "shoe", "run", "lamp", "desk", "bag", "hat")
TEXTS = ["red dress", "x", "a longer text 12345 abc", ""]
GRAFTS = {"prefix": Graft("prefix", 4), "adapter": Graft("adapter", 8)}
COUNTS = {"prefix": 2 * 2 * 4 * 32, "adapter": 2 * (2 * 8 * 32 + 8 + 32)}
FAST = LearnSettings(
    batch=6,
    passages=2,
    steps=60,
    prefix=4,
    bottleneck=8,
    rank=4,
    length=16,
    evaluations=3,
    dropout=0.0,
    objective=("contrastive",),
    margin=10.0,
    frozen_layers=1,
)
RATES = {"prefix": 1e-4, "adapter": 3e-4}
"""Times what `run` multiplies them by, 0.03."""


def settings(train, **changes):
    return dataclasses.replace(FAST, **{"train": train, "lr": RATES.get(train, 1e-3), **changes})


def pairs():
    rows = []
    for at, name in enumerate(NAMES):
        code, text = f"{at:02d}", f"{name} {at % 7}{at % 5}"
        rows.append((f"q{code}", code, text, 1.0, 1.0, f"q{code}", None, "judgments", f"judgments:{at}"))
    return to_pairs(rows)


def pool():
    queries = {row["product"]: row["query"] for row in pairs().to_pylist()}
    texts = {row["product"]: row["text"] for row in pairs().to_pylist()}
    return Pool(queries, {id: {id: 1.0} for id in queries}, {id: list(texts) for id in queries}, texts)


def trained(model, folder, how, **named):
    task = Task("judged", pairs(), ("contrastive",), 1.0, 1)
    return tune(model, [task], how, folder=folder / "model", work=folder / "work", **named)


def vectors(folder):
    return load(str(folder), engine="torch", settings=EncodeSettings(threads=1))(TEXTS)


@pytest.fixture(scope="module", params=["prefix", "adapter"])
def run(request, tiny_bert, tmp_path_factory):
    """The kind, what training said, and the folder of its model."""
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, trained(read(tiny_bert), folder, settings(request.param), pool=pool()), folder


def test_it_learns(run):
    kind, tuned, folder = run
    losses = [line["loss"] for line in tuned.curve if "loss" in line]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.1
    assert tuned.best > tuned.start + 0.05
    assert tuned.trained == COUNTS[kind] == GRAFTS[kind].count(32, 2)
    assert tuned.best == pytest.approx(pool()(build(read(folder / "model"), length=16)), abs=1e-6)


def test_nothing_else_changes(run, tiny_bert):
    kind, _, folder = run
    before, after = tensors_of(read(tiny_bert)), tensors_of(read(folder / "model"))
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values, err_msg=name)
    mine = {f"graft.{layer}.{name}": shape for layer in range(2) for name, shape in GRAFTS[kind].shapes(32).items()}
    assert {name: after[name].shape for name in after.keys() - before.keys()} == mine
    assert graft_of(read(folder / "model").config) == GRAFTS[kind]
    assert np.abs(vectors(folder / "model") - vectors(tiny_bert)).max() > 0.01


def test_the_encoder_says_what_was_trained(run):
    """tests/encode/test_graft.py holds ONNX against torch."""
    _, _, folder = run
    tower = build(read(folder / "model"), length=64)
    np.testing.assert_allclose(tower.encode(TEXTS, "passage"), vectors(folder / "model"), atol=1e-5)


def test_checkpoints_hold_the_graft_alone(run):
    safetensors = pytest.importorskip("safetensors.numpy")
    kind, _, folder = run
    paths = sorted((folder / "work").glob("checkpoint-*/model.safetensors"))
    assert paths
    for path in paths:
        held = safetensors.load_file(path)
        assert sum(values.size for values in held.values()) == COUNTS[kind]
        assert all(name.startswith("above.graft.") for name in held)


def test_an_adapter_begins_as_the_model(tiny_bert):
    tower = build(read(tiny_bert), length=64)
    wanted = tower.encode(TEXTS, "query")
    attach(tower, settings("adapter"), steps=1)()
    np.testing.assert_array_equal(tower.encode(TEXTS, "query"), wanted)


def test_a_prefix_begins_near_the_model(tiny_bert):
    tower = build(read(tiny_bert), length=64)
    wanted = tower.encode(TEXTS, "query")
    attach(tower, settings("prefix"), steps=1)()
    said = tower.encode(TEXTS, "query")
    assert (said * wanted).sum(1).min() > 0.8
    assert np.abs(said - wanted).max() > 1e-3, "keys of nothing still take their share of attention"


@pytest.mark.parametrize("kind", ["prefix", "adapter"])
def test_it_learns_in_bfloat16_with_large_steps_in_pieces(tiny_bert, tmp_path, kind):
    how = settings(kind, precision="bfloat16", tokens=64, passages=6, steps=40)
    tuned = trained(read(tiny_bert), tmp_path, how)
    losses = [line["loss"] for line in tuned.curve if "loss" in line]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.05


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from test_graft import pool, read, settings, trained
def kill(step, steps, said):
    if step >= 30:
        os.kill(os.getpid(), signal.SIGKILL)
trained(read(Path(sys.argv[2])), Path(sys.argv[3]), settings("prefix"), pool=pool(), tick=kill)
"""


def test_a_killed_run_goes_on_to_the_same_model(tiny_bert, tmp_path):
    whole = trained(read(tiny_bert), tmp_path / "whole", settings("prefix"), pool=pool())
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, os.path.dirname(__file__), str(tiny_bert), str(killed)]
    ran = subprocess.run(command, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert ran.returncode == -signal.SIGKILL
    assert not (killed / "model").exists()
    told = []
    again = trained(read(tiny_bert), killed, settings("prefix"), pool=pool(), tick=lambda step, *_: told.append(step))
    assert told[0] > 20, "it goes on from the checkpoint"
    assert again.best == pytest.approx(whole.best, abs=1e-6)
    np.testing.assert_allclose(vectors(killed / "model"), vectors(tmp_path / "whole" / "model"), atol=1e-5)


@pytest.mark.parametrize("train", ["full", "frozen", "lora", "same"])
def test_a_grafted_model_is_trained_on(run, tmp_path, train):
    kind, _, folder = run
    model = read(folder / "model")
    before = tensors_of(model)
    for frozen, words in ((0, False), (1, False), (0, True)):
        tower = build(model, length=64, frozen=frozen, words=words)
        np.testing.assert_allclose(tower.encode(TEXTS, "passage"), vectors(model.folder), atol=1e-5)
    trained(model, tmp_path, settings(kind if train == "same" else train, steps=4))
    after = tensors_of(read(tmp_path / "model"))
    assert after.keys() == before.keys()
    assert graft_of(read(tmp_path / "model").config) == GRAFTS[kind]
    moved = {name for name, values in after.items() if np.abs(values - before[name]).max() > 1e-6}
    grafts = {name for name in before if name.startswith("graft.")}
    upper = {name for name in grafts if name.startswith("graft.1.")}
    assert moved & grafts == {"full": grafts, "frozen": upper, "lora": set(), "same": grafts}[train]
    assert bool(moved - grafts) == (train != "same")


def test_another_graft_on_top_is_refused(run, tmp_path):
    kind, _, folder = run
    model = read(folder / "model")
    other = "adapter" if kind == "prefix" else "prefix"
    for how in (settings(other), settings(kind, prefix=5, bottleneck=5)):
        with pytest.raises(ModelError, match=f"carries a graft of kind {kind}, size") as told:
            trained(model, tmp_path, how)
        assert f'train = "{kind}"' in str(told.value.cure)
    assert not (tmp_path / "model").exists()


def test_a_grafted_model_that_lost_a_layer_is_healed(run, tmp_path):
    _, _, folder = run
    full = load(str(folder / "model"), engine="torch")
    dropped = drop(read(folder / "model"), tmp_path / "dropped", keep=[1])
    texts = [(f"{one} {other}", "query") for one in NAMES[:6] for other in NAMES[6:]]
    healed = heal(dropped, full, texts, tmp_path / "healed", epochs=10, batch=16, lr=3e-3)
    assert healed.after > healed.before + 0.05
    assert vectors(tmp_path / "healed").shape == (len(TEXTS), 32)
    assert {name for name in tensors_of(read(tmp_path / "healed")) if name.startswith("graft.")} == {
        name for name in tensors_of(dropped) if name.startswith("graft.")
    }


@pytest.mark.parametrize("kind", ["prefix", "adapter"])
def test_a_reranker_is_trained_so_too(tiny_bert, tmp_path, kind):
    rows = []
    for at in range(6):
        for other in range(6):
            line = (f"{NAMES[at]} {at}", f"p{other}", f"{other}{other}", float(at == other))
            rows.append((*line, 1.0, line[0], None, "judgments", f"judgments:{len(rows)}"))
    own = RerankerSettings(lr=RATES[kind], batch=3, passages=3, length=24, objective=("relevance",))
    how = settings(kind, patience=9, objective=("contrastive",))
    tuned = tune_reranker(read(tiny_bert), to_pairs(rows), how, own, folder=tmp_path / "model", work=tmp_path / "work")
    assert tuned.trained == COUNTS[kind] + 33, "and the head"
    losses = [line["loss"] for line in tuned.curve if "loss" in line]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    model = read(tmp_path / "model")
    assert graft_of(model.config) == GRAFTS[kind]
    assert head_of(model).kind == "relevance"
    plain, after = tensors_of(read(tiny_bert)), tensors_of(model)
    assert all(np.array_equal(values, after[name]) for name, values in plain.items())
    said = open_judge(tmp_path / "model", settings=EncodeSettings(engine="torch"))(["cup 2"] * 4, TEXTS)
    again = cross(model, head_of(model)).judge(["cup 2"] * 4, TEXTS)
    np.testing.assert_allclose(again, said, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"prefix": 0}, {"prefix": 513}, {"bottleneck": 0}, {"bottleneck": 4097}])
def test_settings_refuse_what_cannot_be(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        LearnSettings(**wrong)
