"""A cross-encoder in a tiny setting: it learns what an encoder cannot see, goes on after a kill, and is opened."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from mercer.encode import EncodeSettings
from mercer.encode.head import Head, head_of, open_judge
from mercer.encode.model import read
from mercer.errors import DataError, SettingsError
from mercer.learn.cross import cross
from mercer.learn.lists import PairLists
from mercer.learn.pairs.pair import to_pairs
from mercer.learn.pool import Pool
from mercer.learn.reranker import RerankerSettings, _scaled, ndcg, platt, tune_reranker
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Steps, Task
from mercer.rank.reranker import open_reranker

NAMES = ("red", "dress", "cup", "tea", "phone", "cable")
SETTINGS = LearnSettings(steps=60, evaluations=3, dropout=0.0, seed=5, patience=9)
OWN = RerankerSettings(lr=2e-3, batch=3, passages=3, length=24)
TORCH = EncodeSettings(engine="torch", threads=1)


def pairs():
    """The right passage shares a number with its query, whatever the word beside it is."""
    rows = []
    for at in range(6):
        for other in range(6):
            gain = 1.0 if at == other else 0.3 if (at + other) % 6 == 0 else 0.0
            query, product, text = f"{NAMES[at]} {at}", f"p{other}", f"{other}{other}"
            rows.append((query, product, text, gain, 1.0, query, None, "judgments", f"judgments:{len(rows)}"))
    return to_pairs(rows)


def pool():
    table = pairs()
    truth, texts = {}, {}
    for row in table.to_pylist():
        truth.setdefault(row["query"], {})[row["product"]] = row["gain"]
        texts[row["product"]] = row["text"]
    return Pool({query: query for query in truth}, truth, {query: list(texts) for query in truth}, texts)


def places(folder):
    return {"folder": folder / "model", "work": folder / "work"}


def test_the_module_says_what_the_engine_says(tiny_reranker):
    model = read(tiny_reranker)
    first, second = ["red dress", "cup", ""], ["red dress 1", "a longer text about cups 12 " * 4, "x"]
    wanted = open_judge(tiny_reranker, settings=TORCH)(first, second)
    for frozen, words in ((0, False), (1, False), (0, True)):
        state = cross(model, head_of(model), frozen=frozen, words=words)
        np.testing.assert_allclose(state.judge(first, second), wanted, atol=1e-5)
    alone = open_judge(tiny_reranker, settings=TORCH)(first)
    np.testing.assert_allclose(cross(model, head_of(model)).judge(first), alone, atol=1e-5)


def test_lists_hold_what_was_judged_and_are_filled_up():
    table = pairs()
    steps = Steps([Task("pairs", table, ("relevance",), 1.0, 3)], steps=4, passages=9, seed=1)
    for lists in PairLists(steps, passages=3):
        assert len(lists.first) == len(lists.second) == len(lists.targets) >= 9
        for query, text, gain in zip(lists.first, lists.second, lists.targets, strict=True):
            right = int(query.split()[1]) == int(text[0])
            assert (gain == 1.0) == right
    alone = to_pairs(row.values() for row in table.to_pylist() if row["gain"] == 1.0)
    steps = Steps([Task("pairs", alone, ("relevance",), 1.0, 1)], steps=4, passages=4, seed=1)
    for lists in PairLists(steps, passages=3):
        assert np.bincount(lists.lists).tolist() == [3] * 4, "others' passages fill a list up"
        assert lists.targets.sum() == 4
    graded = PairLists(steps, passages=3, grades=(0.0, 0.3, 1.0))[0]
    assert sorted(set(graded.targets.tolist())) == [0.0, 2.0]


@pytest.mark.parametrize(
    ("train", "objective"),
    [
        ("full", ("relevance", "listwise")),
        ("full", ("classes",)),
        ("full", ("rating",)),
        ("frozen", ("listwise",)),
        ("lora", ("relevance",)),
    ],
)
def test_it_learns_and_the_reranker_opens(tiny_bert, tmp_path, train, objective):
    settings = dataclasses.replace(SETTINGS, train=train, frozen_layers=1, rank=4, steps=90)
    own = dataclasses.replace(OWN, objective=objective, lr=2e-3 if train != "lora" else 5e-4)
    told = []
    tuned = tune_reranker(
        read(tiny_bert), pairs(), settings, own, **places(tmp_path), pool=pool(), tick=lambda *now: told.append(now)
    )
    assert tuned.best > max(tuned.start, 0.75)
    assert 0 < tuned.trained < tuned.parameters
    assert told[-1][1] == 90
    reranker = open_reranker(tmp_path / "model", settings=TORCH)
    known = pool()
    (query,) = [query for query in known.queries if query.endswith(" 1")]
    said = reranker(query, [known.texts[id] for id in sorted(known.texts)])
    assert said[1] > said.mean() + 0.1
    again = cross(read(tmp_path / "model"), head_of(read(tmp_path / "model")))
    assert ndcg(again, known) == pytest.approx(tuned.best, abs=1e-6), "the best state is what was saved"
    if objective == ("classes",):
        assert head_of(read(tmp_path / "model")).gains == pytest.approx((0.0, 0.3, 1.0))


def test_without_validation_the_last_state_is_kept(tiny_bert, tmp_path):
    tuned = tune_reranker(read(tiny_bert), pairs(), SETTINGS, OWN, **places(tmp_path))
    assert np.isnan(tuned.best)
    assert ndcg(cross(read(tmp_path / "model"), head_of(read(tmp_path / "model"))), pool()) > 0.7


def test_invented_pairs_are_rehearsed(tiny_bert, tmp_path):
    def turned(row):
        return {**row, "query": row["query"][::-1], "source": "catalogue:title"}

    table = pairs()
    settings = dataclasses.replace(SETTINGS, catalogue_share=0.5, steps=120)
    invented = to_pairs(turned(row).values() for row in table.to_pylist())
    tune_reranker(read(tiny_bert), table, settings, OWN, **places(tmp_path), invented=invented)
    reranker = open_reranker(tmp_path / "model", settings=TORCH)
    for query in ("cup 2", "2 puc"):
        said = reranker(query, [f"{at}{at}" for at in range(6)])
        assert said[2] > said.mean() + 0.1


def test_a_reranker_is_trained_further(tiny_reranker, tmp_path):
    settings = dataclasses.replace(SETTINGS, steps=1, evaluations=1, lr=1e-8)
    own = dataclasses.replace(OWN, lr=1e-8)
    tune_reranker(read(tiny_reranker), pairs(), settings, own, **places(tmp_path))
    first, second = ["red dress", "cup"], ["red dress 1", "tea"]
    before, after = (open_judge(folder, settings=TORCH) for folder in (tiny_reranker, tmp_path / "model"))
    np.testing.assert_allclose(after(first, second), before(first, second), atol=1e-2)


def test_a_budget_is_kept_to(tiny_bert, tmp_path):
    settings = dataclasses.replace(SETTINGS, steps=100_000)
    started = time.monotonic()
    tuned = tune_reranker(read(tiny_bert), pairs(), settings, OWN, **places(tmp_path), pool=pool(), seconds=3)
    assert 1 <= tuned.steps < 100_000
    assert time.monotonic() - started < 15


def test_the_scale_makes_probabilities():
    rng = np.random.default_rng(2)
    outputs = rng.normal(0, 3, 4000).astype(np.float32)
    gains = (rng.random(4000) < 1 / (1 + np.exp(-(0.5 * outputs - 1)))).astype(float)
    scale, shift = platt(outputs, gains)
    assert (scale, shift) == pytest.approx((0.5, -1.0), abs=0.15)
    esci = rng.choice([0.0, 0.01, 0.1, 1.0], 300, p=[0.3, 0.1, 0.4, 0.2])
    for width in (0.1, 1.0, 8.0):
        said = (width * (esci + rng.normal(0, 0.5, 300))).astype(np.float32)
        scale, shift = platt(said, esci)
        chance = 1 / (1 + np.exp(-(scale * said + shift)))
        assert chance.mean() == pytest.approx(esci.mean(), abs=0.02)
        assert chance[esci == 1].mean() > chance[esci < 1].mean() + 0.2
    told_apart = platt(np.array([5.0, -5.0], np.float32), np.array([1.0, 0.0]))
    assert 0 < told_apart[0] < 2, "two pairs are no certainty"
    assert platt(np.zeros(0, np.float32), np.zeros(0))[0] > 0


def test_the_scale_is_of_what_is_read_in_serving():
    """Where all that was judged is right, what was found beside it still says how much a number means."""

    def judge(first, second):
        return np.array([[2.0 if text == "right" else -2.0] for text in second], np.float32)

    texts = {"a": "right", "b": "right", "c": "other", "d": "other"}
    truth = {f"q{at}": {"a": 1.0, "b": 1.0} for at in range(20)}
    known = Pool({query: query for query in truth}, truth, {query: list(texts) for query in truth}, texts)
    head = _scaled(SimpleNamespace(said=Head(), judge=judge), known, pairs(), 7)
    right, other = head.relevance(np.array([[2.0], [-2.0]], np.float32))
    assert right > 0.9
    assert other < 0.1


@pytest.mark.parametrize(
    "wrong", [{"objective": ()}, {"objective": ("relevance", "classes")}, {"objective": ("guess",)}, {"lr": 9.0}]
)
def test_settings_refuse_what_cannot_be(wrong):
    with pytest.raises(SettingsError):
        RerankerSettings(**wrong)


def test_nothing_to_learn_from(tiny_bert, tmp_path):
    with pytest.raises(DataError, match="no pair"):
        tune_reranker(read(tiny_bert), pairs()[:0], SETTINGS, OWN, **places(tmp_path))
    wrong = to_pairs([("q", "p", "text", 0.0, 1.0, "q", None, "judgments", "")])
    classes = dataclasses.replace(OWN, objective=("classes",))
    with pytest.raises(DataError, match="no classes"):
        tune_reranker(read(tiny_bert), wrong, SETTINGS, classes, **places(tmp_path))


def test_heads_begin_at_nothing(tiny_bert):
    state = cross(read(tiny_bert), Head(length=24))
    assert state.judge(["a"], ["b"]).tolist() == [[0.0]]


ONE = {**os.environ, "OMP_NUM_THREADS": "1"}
RUN = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_reranker import OWN, SETTINGS, pairs, places, pool, read, tune_reranker
seconds = float(sys.argv[4])
def slow(step, steps, said):
    print(step, flush=True)
    time.sleep(seconds)
where = places(Path(sys.argv[2]))
tuned = tune_reranker(read(Path(sys.argv[3])), pairs(), SETTINGS, OWN, **where, pool=pool(), tick=slow)
print("best", tuned.best, flush=True)
"""


def test_a_killed_run_goes_on_to_the_same_figure(tiny_bert, tmp_path):
    def run(name, seconds):
        words = ["-c", RUN, os.path.dirname(__file__), str(tmp_path / name), str(tiny_bert), str(seconds)]
        return subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ONE
        )

    whole = run("whole", 0).communicate(timeout=120)
    wanted = whole[0].splitlines()[-1]
    assert wanted.startswith("best"), whole
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
