"""A search goes on where it ended, never ends below where it began, and stops what is not worth it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from mercer.errors import DataError, ModelError, SettingsError, ShopError
from mercer.learn.search_rate import RateSettings, find_rate
from mercer.learn.search_study import Knob, Report, SearchSettings, search

pytest.importorskip("optuna", reason="optuna is not installed (mercer[tune])")
SPACE = (Knob("x", -3.0, 3.0), Knob("kind", choices=("good", "bad")))
FIRST = [{"x": 2.5, "kind": "bad", "seed": 1}]


def worth(chosen: Mapping[str, Any], report: Report) -> float:
    figure = -((chosen["x"] - 1) ** 2) - (chosen["kind"] == "bad")
    report(1, float(figure))
    return float(figure)


def test_what_was_set_is_tried_first_and_better_is_found(tmp_path: Path) -> None:
    tried: list[float] = []

    def noting(chosen: Mapping[str, Any], report: Report) -> float:
        tried.append(chosen["x"])
        return worth(chosen, report)

    found = search(SPACE, noting, number=20, path=tmp_path / "a.db", name="n", first=FIRST)
    assert tried[0] == 2.5
    assert found.best["kind"] == "good"
    assert abs(found.best["x"] - 1) < 0.8
    assert found.figure == max(found.curve) == found.curve[-1]
    assert found.trials + found.pruned == 20


def test_a_search_goes_on_where_it_ended(tmp_path: Path) -> None:
    given = {"path": tmp_path / "a.db", "name": "n", "first": FIRST}
    first = search(SPACE, worth, number=3, **given)  # type: ignore[arg-type]
    second = search(SPACE, worth, number=3, **given)  # type: ignore[arg-type]
    other = search(SPACE, worth, number=1, path=tmp_path / "a.db", name="other", first=FIRST)
    assert second.trials + second.pruned == 6
    assert second.figure >= first.figure
    assert other.trials == 1


def test_a_killed_trial_is_tried_again(tmp_path: Path) -> None:
    tried: list[float] = []

    def killed(chosen: Mapping[str, Any], _: Report) -> float:
        raise KeyboardInterrupt

    def noting(chosen: Mapping[str, Any], report: Report) -> float:
        tried.append(chosen["x"])
        return worth(chosen, report)

    given = {"path": tmp_path / "a.db", "name": "n", "first": FIRST}
    with pytest.raises(KeyboardInterrupt):
        search(SPACE, killed, number=1, **given)  # type: ignore[arg-type]
    found = search(SPACE, noting, number=1, **given)  # type: ignore[arg-type]
    assert tried == [2.5]
    assert (found.trials, found.failed) == (1, 1)


def test_what_lies_below_the_median_stops(tmp_path: Path) -> None:
    ended: list[float] = []

    def stepping(chosen: Mapping[str, Any], report: Report) -> float:
        for step in range(1, 5):
            report(step, -abs(chosen["x"]))
        ended.append(chosen["x"])
        return -abs(chosen["x"])

    settings = SearchSettings(started=2)
    found = search(SPACE, stepping, number=12, path=tmp_path / "a.db", name="n", first=FIRST, settings=settings)
    assert found.pruned > 0
    assert len(ended) == found.trials == 12 - found.pruned


def test_settings_outside_of_the_space_begin_at_its_edge(tmp_path: Path) -> None:
    first = [{"x": 99.0, "kind": "unheard of"}, {"x": 0.5}]
    tried: list[tuple[float, str]] = []

    def noting(chosen: Mapping[str, Any], report: Report) -> float:
        tried.append((chosen["x"], chosen["kind"]))
        return worth(chosen, report)

    search(SPACE, noting, number=2, path=tmp_path / "a.db", name="n", first=first)
    assert tried[0] == (3.0, "good")
    assert tried[1][0] == 0.5


def test_settings_that_break_training_do_not_end_the_search(tmp_path: Path) -> None:
    def broken(chosen: Mapping[str, Any], report: Report) -> float:
        if chosen["kind"] == "bad":
            raise ModelError("the loss became nan", cure="set a smaller lr")
        return worth(chosen, report)

    found = search(SPACE, broken, number=6, path=tmp_path / "a.db", name="n", first=FIRST)
    assert found.pruned > 0
    assert found.best["kind"] == "good"


def test_a_damaged_study_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(ShopError, match="is damaged"):
        search(SPACE, worth, number=1, path=tmp_path / "a.db", name="n", first=FIRST)


def test_the_rate_finder_finds_a_rate_that_learns_and_puts_weights_back() -> None:
    torch.manual_seed(3)
    module, wanted = torch.nn.Linear(4, 1), torch.tensor([[1.0, -2.0, 0.5, 3.0]])
    given = torch.randn(64, 4)
    before = module.weight.detach().clone()

    def loss(_: int) -> torch.Tensor:
        return ((module(given) - given @ wanted.T) ** 2).mean()

    found = find_rate(module, loss, cast=contextlib.nullcontext, settings=RateSettings(low=1e-5, high=10, steps=60))
    assert torch.equal(module.weight, before)
    assert 1e-3 < found.suggested < 5
    assert len(found.rates) == len(found.losses) <= 60


def test_a_loss_that_never_falls_is_told() -> None:
    module = torch.nn.Linear(2, 1)
    with pytest.raises(DataError, match="fell at no rate"):
        find_rate(module, lambda _: module.weight.sum() * 0 + 1, cast=contextlib.nullcontext)
    with pytest.raises(SettingsError):
        RateSettings(low=1.0, high=0.1)
