"""Consistency, adversarial steps and soups on a tiny model: each does what it says, and nothing where it is off."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from mercer.encode.model import read
from mercer.errors import DataError, SettingsError, UsageError
from mercer.learn.adversarial import Uphill
from mercer.learn.augment import Augment
from mercer.learn.consistent import steady
from mercer.learn.pairs.pair import to_pairs
from mercer.learn.perturb import perturbed
from mercer.learn.pool import Pool
from mercer.learn.robust_settings import AdversarialSettings, ConsistentSettings, RehearseSettings, SoupSettings
from mercer.learn.settings import LearnSettings
from mercer.learn.soup import greedy
from mercer.learn.soup_runs import ensembled, tune_runs
from mercer.learn.step import Task
from mercer.learn.tower import Tower, build
from mercer.learn.tune import tune

WORDS = ("red", "dress", "cup", "tea", "phone", "cable", "shoe", "run", "lamp", "desk", "bag", "hat")
TEXTS = [f"{one} {other}" for one in WORDS for other in WORDS if one != other]
FAST = LearnSettings(batch=6, passages=2, steps=12, lr=3e-3, length=16, evaluations=3, precision="float32", dropout=0.0,
                     objective=("contrastive",), margin=10.0)  # fmt: skip


def task() -> Task:
    rows = [(f"q{at:02d}", str(at), f"{word} {at % 7}", 1.0, 1.0, str(at), None, "judgments", "")
            for at, word in enumerate(WORDS)]  # fmt: skip
    return Task("judged", to_pairs(rows), ("contrastive",), 1.0, 1)


@pytest.fixture
def pool() -> Pool:
    columns = task().pairs.to_pydict()
    texts = dict(zip(columns["product"], columns["text"], strict=True))
    queries = dict(zip(columns["product"], columns["query"], strict=True))
    return Pool(queries, {id: {id: 1.0} for id in queries}, {id: list(texts) for id in queries}, texts)


def cosine(tower: Tower, wanted: Any, texts: list[str]) -> float:
    return float((tower.encode(texts, "query") * wanted).sum(1).mean())


def test_mistyped_queries_come_to_mean_what_clean_ones_did(tiny_bert: Path) -> None:
    tower, spoil = build(read(tiny_bert), length=32, dropout=0.0), Augment(("typo",))
    wanted = tower.encode(TEXTS, "query")
    typed = [spoil(text, random.Random(f"test {text}")) for text in TEXTS]
    before, passages = cosine(tower, wanted, typed), tower.encode(TEXTS, "passage")
    done = steady(tower, TEXTS, TEXTS, spoil, ConsistentSettings(steps=60, batch=32, lr=2e-3))
    assert done.steps == 60
    after = cosine(tower, wanted, typed)
    assert 1 - after < 0.85 * (1 - before), "other mistakes than those learned from are nearer too"
    assert cosine(tower, wanted, TEXTS) > 0.97, "clean queries stay"
    assert float((tower.encode(TEXTS, "passage") * passages).sum(1).mean()) > 0.95, "passages stay"


def test_a_stage_without_time_or_queries(tiny_bert: Path) -> None:
    tower = build(read(tiny_bert), length=32)
    assert steady(tower, TEXTS, [], Augment(), ConsistentSettings(steps=5), seconds=-1).steps == 0
    with pytest.raises(DataError, match="1 queries"):
        steady(tower, TEXTS[:1], [], Augment(), ConsistentSettings(steps=5))


def test_the_report_says_what_mistakes_cost_before_and_after(tiny_bert: Path, pool: Pool) -> None:
    before, after = (build(read(tiny_bert), length=32) for _ in range(2))
    with torch.no_grad():
        after.above.encoder.layer[0].output.dense.weight.mul_(0.5)
    pool = dataclasses.replace(pool, queries=dict(zip(pool.queries, WORDS, strict=True)))
    rows = {row.way: row for row in perturbed(before, after, pool, Augment(("typo", "order", "script")))}
    assert list(rows) == ["clean", "typo"], "ways that change no query are left out"
    assert rows["clean"].queries == len(WORDS)
    assert rows["clean"].before == rows["clean"].clean_before == pytest.approx(pool(before))
    assert rows["clean"].after == pytest.approx(pool(after))
    assert rows["typo"].low <= rows["typo"].after - rows["typo"].before <= rows["typo"].high


def test_uphill_moves_each_text_along_its_gradient() -> None:
    torch.manual_seed(1)
    layer, weight = torch.nn.Identity(), torch.randn(4)
    given = torch.randn(3, 5, 4)
    uphill = Uphill(layer, 0.1)
    with uphill.looking():
        said = layer(given)
        (said @ weight).tanh().sum().backward()
    with uphill.moved():
        moved = layer(given)
    assert float((moved @ weight).tanh().sum()) > float((given @ weight).tanh().sum())
    length = (moved - given).norm(dim=(1, 2)) / given.norm(dim=(1, 2))
    np.testing.assert_allclose(length.numpy(), 0.1, rtol=1e-4)
    assert torch.equal(layer(given), given), "the hook is gone"


@pytest.mark.parametrize("tokens", [10**6, 64])
def test_adversarial_training_runs_with_and_without_gradient_caching(
    tiny_bert: Path, pool: Pool, tmp_path: Path, tokens: int
) -> None:
    settings = dataclasses.replace(FAST, tokens=tokens, adversarial=AdversarialSettings(epsilon=0.05))
    told: dict[str, Any] = {"pool": pool}
    moved = tune(read(tiny_bert), [task()], settings, folder=tmp_path / "a", work=tmp_path / "wa", **told)
    plain = tune(read(tiny_bert), [task()], dataclasses.replace(FAST, tokens=tokens), folder=tmp_path / "b",
                 work=tmp_path / "wb", **told)  # fmt: skip
    assert moved.steps == plain.steps == 12
    losses = [[line["loss"] for line in run.curve if "loss" in line] for run in (moved, plain)]
    assert losses[0] != losses[1]


def test_a_soup_takes_only_what_helps(tiny_bert: Path) -> None:
    tower = build(read(tiny_bert), length=16)
    good = {name: value.clone() for name, value in tower.above.state_dict().items()}
    name = "encoder.layer.0.output.dense.weight"
    up, down, bad = (good | {name: good[name] + shift} for shift in (0.1, -0.1, 5.0))

    def judge(state: Tower) -> float:
        return -float((state.above.state_dict()[name] - good[name]).abs().mean())

    figure, mixed = greedy(tower, [up, down, bad], judge, reached=-0.1)
    assert figure == pytest.approx(0.0, abs=1e-6)
    torch.testing.assert_close(mixed[name], good[name])


@pytest.mark.parametrize("together", ["average", "distil"])
def test_runs_become_one_model(tiny_bert: Path, pool: Pool, tmp_path: Path, together: Any) -> None:
    soup = SoupSettings(checkpoints=2, runs=2, together=together)
    settings = dataclasses.replace(FAST, steps=6, blend=False, soup=soup)
    done = tune_runs(read(tiny_bert), [task()], settings, folder=tmp_path / "m", work=tmp_path / "w", pool=pool)
    tower = build(read(tmp_path / "m"), length=16)
    assert pool(tower) == pytest.approx(done.best, abs=1e-6) or done.best <= done.start
    with pytest.raises(UsageError, match="validation queries"):
        tune_runs(read(tiny_bert), [task()], settings, folder=tmp_path / "n", work=tmp_path / "v")


def test_what_runs_say_together_teaches(tiny_bert: Path) -> None:
    tower, pairs = build(read(tiny_bert), length=16), task().pairs
    said = ensembled(pairs, [tower, tower], 0.5)["teacher"].to_numpy()
    left = tower.encode(pairs["query"].to_pylist(), "query")
    right = tower.encode(pairs["text"].to_pylist(), "passage")
    np.testing.assert_allclose(said, (left * right).sum(1) / 0.5, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ConsistentSettings, {"spoilt": 2.0}),
        (ConsistentSettings, {"batch": 1}),
        (AdversarialSettings, {"epsilon": float("nan")}),
        (SoupSettings, {"runs": 0}),
        (SoupSettings, {"together": "stir"}),
        (RehearseSettings, {"share": 1.0}),
    ],
)
def test_settings_that_cannot_be(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        kind(**wrong)
