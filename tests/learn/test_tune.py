"""Training in a tiny setting: it learns, goes on after a kill, and every way of training makes one model."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from mercer.encode import load
from mercer.encode.model import read
from mercer.errors import DataError, ModelError
from mercer.learn.memory import Memory
from mercer.learn.pairs import empty
from mercer.learn.pairs.pair import to_pairs
from mercer.learn.pool import Pool
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Steps, Task, epoch
from mercer.learn.tower import build
from mercer.learn.tune import tune
from mercer.learn.tuner import Tuner

WORDS = ("red", "dress", "cup", "tea", "phone", "cable", "shoe", "run", "lamp", "desk", "bag", "hat")
FAST = LearnSettings(
    batch=6,
    passages=2,
    steps=60,
    lr=3e-3,
    length=16,
    evaluations=3,
    precision="float32",
    dropout=0.0,
    objective=("contrastive",),
    margin=10.0,
)


def pairs(number=12):
    """A query is a code; the passage that it means is another code that no letters give away."""
    rows = []
    for at in range(number):
        code, name = f"{at:02d}", WORDS[at % len(WORDS)]
        rows.append(
            (f"q{code}", code, f"{name} {at % 7}{at % 5}", 1.0, 1.0, f"q{code}", None, "judgments", f"judgments:{at}")
        )
    return to_pairs(rows)


def task(objectives=("contrastive",), a_query=1, share=1.0):
    return Task("judged", pairs(), objectives, share, a_query)


@pytest.fixture
def pool():
    table = pairs()
    queries = dict(zip(table["product"].to_pylist(), table["query"].to_pylist(), strict=True))
    texts = dict(zip(table["product"].to_pylist(), table["text"].to_pylist(), strict=True))
    return Pool(queries, {id: {id: 1.0} for id in queries}, {id: list(texts) for id in queries}, texts)


def test_a_tower_says_what_the_encoder_says(tiny_bert):
    model, texts = read(tiny_bert), ["red dress", "x", "a longer text 12345 abc", ""]
    wanted = load(str(tiny_bert), engine="torch")(texts, side="query")
    for frozen, words in ((0, False), (1, False), (0, True)):
        tower = build(model, length=64, frozen=frozen, words=words)
        np.testing.assert_allclose(tower.encode(texts, "query"), wanted, atol=1e-5)


def test_what_frozen_layers_said_is_remembered(tiny_bert, tmp_path):
    tower, texts = build(read(tiny_bert), length=64, frozen=1), ["red dress", "tea cup 12"]
    wanted = tower.encode(texts, "passage")
    with Memory(tmp_path) as memory:
        tower.memory = memory
        tower.encode(texts, "passage")
        tower.below.encoder.layer[0].output.dense.weight.data.zero_()
        np.testing.assert_allclose(tower.encode(texts, "passage"), wanted, atol=2e-3)
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(tower.encode(["another"], "passage"), wanted[:1], atol=2e-3)
    assert not list(tmp_path.iterdir())


def test_steps_are_the_same_for_the_same_number():
    tasks = [task(), dataclasses.replace(task(("listwise",), a_query=2), name="other", share=0.5)]
    one, other = (Steps(tasks, steps=20, passages=8, seed=4) for _ in range(2))
    assert [one[step].queries for step in range(20)] == [other[step].queries for step in reversed(range(20))][::-1]
    assert {one[step].objectives for step in range(20)} == {("contrastive",), ("listwise",)}
    seen = {query for step in range(20) for query in one[step].queries}
    assert len(seen) == 12
    assert epoch([task()], 8) == 2


def test_nothing_to_learn_from():
    with pytest.raises(DataError, match="no pair"):
        Steps([Task("judged", empty(), ("contrastive",), 1.0, 1)], steps=5, passages=8, seed=4)


def test_gradient_caching_gives_the_same_gradients(tiny_bert):
    """With dropout on: both passes must drop the same."""
    found = []
    for tokens in (10**6, 24):
        torch.manual_seed(3)
        tower = build(read(tiny_bert), length=16, dropout=0.0)
        steps = Steps([task()], steps=1, passages=12, seed=1)
        tuner = Tuner(
            model=tower,
            args=arguments(),
            train_dataset=steps,
            temperature=0.05,
            margin=10.0,
            tokens=tokens,
            judge=None,
        )
        tuner.current_gradient_accumulation_steps = 1
        loss = tuner.training_step(tower, {"plan": steps[0]})
        grads = {name: value.grad.clone() for name, value in tower.named_parameters() if value.grad is not None}
        found.append((float(loss), grads))
    (whole, one), (cached, other) = found
    assert whole == pytest.approx(cached, rel=1e-4)
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=1e-3, atol=1e-4)


def arguments():
    from transformers import TrainingArguments

    return TrainingArguments(output_dir="unused", use_cpu=True, report_to=[], disable_tqdm=True, label_names=[])


def places(folder):
    return {"folder": folder / "model", "work": folder / "work"}


@pytest.mark.parametrize("train", ["full", "frozen", "lora", "adalora"])
def test_it_learns_and_the_model_opens(tiny_bert, tmp_path, pool, train):
    model = read(tiny_bert)
    settings = dataclasses.replace(
        FAST, train=train, frozen_layers=1, rank=4, lr=3e-3 if train in ("full", "frozen") else 1e-3
    )
    told = []
    tuned = tune(
        model,
        [task()],
        settings,
        folder=tmp_path / "model",
        work=tmp_path / "work",
        pool=pool,
        tick=lambda *now: told.append(now),
    )
    assert tuned.best > tuned.start + 0.05
    assert tuned.trained < tuned.parameters
    assert told[-1][:2] == (60, 60)
    assert (tmp_path / "work" / "log.jsonl").read_text("utf-8").count('"loss"') >= 3
    encoder = load(str(tmp_path / "model"), engine="torch")
    asked = encoder(pool.queries.values(), side="query")
    found = encoder([pool.texts[id] for id in pool.queries])
    best = (asked @ found.T).argmax(1)
    assert (best == np.arange(len(best))).mean() > 0.2
    assert tuned.best == pytest.approx(pool(build(read(tmp_path / "model"), length=16)), abs=1e-6)


def test_what_gets_worse_is_not_kept(tiny_bert, tmp_path, pool):
    settings = dataclasses.replace(FAST, lr=1.0, steps=4, objective=("cosine",))
    tuned = tune(
        read(tiny_bert), [task(("cosine",))], settings, folder=tmp_path / "model", work=tmp_path / "work", pool=pool
    )
    assert pool(build(read(tmp_path / "model"), length=16)) == pytest.approx(max(tuned.start, tuned.best), abs=1e-6)


def test_a_budget_is_kept_to(tiny_bert, tmp_path, pool):
    settings = dataclasses.replace(FAST, steps=100_000)
    started = time.monotonic()
    tuned = tune(
        read(tiny_bert), [task()], settings, folder=tmp_path / "model", work=tmp_path / "work", pool=pool, seconds=4
    )
    assert 1 <= tuned.steps < 100_000
    assert time.monotonic() - started < 12


def test_nan_weights_are_refused(tiny_bert, tmp_path):
    tower = build(read(tiny_bert), length=16)
    tower.above.encoder.layer[0].output.dense.weight.data.fill_(float("nan"))
    with pytest.raises(ModelError, match="NaN"):
        tower.save(tmp_path / "model")


ONE = {**os.environ, "OMP_NUM_THREADS": "1"}
RUN = """
import dataclasses, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_tune import FAST, pairs, task, read, tune, Pool
folder, bert, seconds = Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
table = pairs()
texts = dict(zip(table["product"].to_pylist(), table["text"].to_pylist()))
queries = dict(zip(table["product"].to_pylist(), table["query"].to_pylist()))
pool = Pool(queries, {id: {id: 1.0} for id in queries}, {id: list(texts) for id in queries}, texts)
import time
def slow(step, steps, said):
    print(step, flush=True)
    time.sleep(seconds)
tuned = tune(read(bert), [task()], FAST, folder=folder / "model", work=folder / "work", pool=pool, tick=slow)
print("best", tuned.best, flush=True)
"""


def test_a_killed_run_goes_on_to_the_same_figure(tiny_bert, tmp_path):
    def run(name, seconds):
        command = [
            sys.executable,
            "-c",
            RUN,
            os.path.dirname(__file__),
            str(tmp_path / name),
            str(tiny_bert),
            str(seconds),
        ]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ONE)

    whole = run("whole", 0)
    wanted = whole.communicate(timeout=120)[0].splitlines()[-1]
    assert wanted.startswith("best")
    killed = run("killed", 0.2)
    assert killed.stdout is not None
    for line in killed.stdout:
        if int(line) >= 30:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    again = run("killed", 0).communicate(timeout=120)
    lines = again[0].splitlines()
    assert 20 < int(lines[0]) <= 41, again
    assert lines[-1] == wanted
