"""What keeps a version near the one before: the buffer, distillation, L2 and EWC, each on a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from mercer.encode.model import read
from mercer.learn.pairs.pair import rows_of, to_pairs
from mercer.learn.rehearse import buffer, keeper
from mercer.learn.robust_settings import RehearseSettings
from mercer.learn.step import Task
from mercer.learn.tower import Tower, build

PAIRS = to_pairs((f"q{at // 2}", str(at), f"text {at}", float(at % 2), 1.0, f"q{at // 2}", None, "judgments", "")
                 for at in range(24))  # fmt: skip
OFF = {"share": 0.0, "distil": 0.0}


def losses(tower: Tower, settings: RehearseSettings) -> list[float]:
    task = Task("rehearsed", PAIRS, ("contrastive",), 1.0, 2)
    made = keeper(PAIRS, [task], settings, passages=8, temperature=0.05, margin=10.0, seed=3)(tower)

    def said() -> list[float]:
        return [float(one(tower, 0).detach()) for one in made]

    before = said()
    with torch.no_grad():
        tower.above.encoder.layer[0].output.dense.weight[::2] += 0.05
    return [*before, *said()]


@pytest.mark.parametrize(
    "settings", [RehearseSettings(), RehearseSettings(**OFF, l2=2.0), RehearseSettings(**OFF, ewc=1.0)]
)
def test_staying_costs_nothing_and_moving_does(tiny_bert: Path, settings: RehearseSettings) -> None:
    before, after = losses(build(read(tiny_bert), length=16, dropout=0.0).eval(), settings)
    assert before == pytest.approx(0, abs=1e-5)
    assert after > 1e-6


def test_l2_is_half_the_squared_distance(tiny_bert: Path) -> None:
    _, after = losses(build(read(tiny_bert), length=16), RehearseSettings(**OFF, l2=2.0))
    assert after == pytest.approx(16 * 64 * 0.05**2, rel=1e-3)


def test_nothing_is_held_where_all_is_off(tiny_bert: Path) -> None:
    assert losses(build(read(tiny_bert), length=16), RehearseSettings(**OFF)) == []


def test_the_buffer_keeps_whole_queries_and_the_same_ones() -> None:
    settings = RehearseSettings(most=8)
    kept = buffer(PAIRS, settings, seed=1)
    queries = kept["query"].to_pylist()
    assert len(kept) == 8
    assert all(queries.count(query) == 2 for query in queries)
    fewer = rows_of(PAIRS, (row for row in range(24) if PAIRS["query"][row].as_py() in set(queries) | {"q0", "q5"}))
    assert buffer(fewer, settings, seed=1)["query"].to_pylist() == queries, "what else there is does not matter"
    assert set(buffer(PAIRS, settings, seed=2)["query"].to_pylist()) != set(queries)
