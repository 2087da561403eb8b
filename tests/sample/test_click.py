"""The click model keeps its word: position bias is exactly the recorded propensity."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from mercer.records import ACTIONS
from mercer.sample import SampleSettings, Summary, catalogue, event, query, shopper, truth
from mercer.sample.click import click, propensity
from mercer.sample.taxonomy import taxonomy


def test_examination_alone_is_the_propensity_and_reads_from_the_top() -> None:
    seen = click(np.ones((40_000, 6)), np.random.default_rng(1))
    assert np.allclose(seen.mean(0), propensity(6), atol=0.01)
    assert (np.diff(seen.astype(int), axis=1) <= 0).all()


def test_click_rate_over_attraction_is_the_recorded_curve() -> None:
    settings = SampleSettings(products=600, shoppers=300, events=60_000, queries=80)
    world = taxonomy()
    goods = catalogue.draw(settings, world)
    people, asked = shopper.draw(settings, world), query.draw(settings, goods, world)
    log = event.draw(settings, world, goods, people, asked)
    shown, clicked = (log["type"] == ACTIONS.index(name) for name in ("impression", "click"))
    rates, curve = [], propensity(6)
    for position in range(1, 7):
        here = log["position"] == position
        expected = curve[position - 1] * log["attraction"][shown & here]
        deviation = np.sqrt((expected * (1 - expected)).sum())
        assert abs((clicked & here).sum() - expected.sum()) < 4 * deviation
        rates.append((clicked & here).sum() / (shown & here).sum())
    assert all(np.diff(rates) < 0)


def test_the_curve_is_recorded(clean: tuple[Path, Summary]) -> None:
    known = truth.load(clean[0])
    assert np.allclose(known.propensity[:3], propensity(3))
    assert set(known.impressions["scene"].to_pylist()) == {"search", "home", "similar"}
    assert known.impressions.num_rows == clean[1].actions["impression"]


def test_what_is_bought_next_often_goes_with_what_was_bought() -> None:
    settings = SampleSettings(products=600, shoppers=300, events=60_000, queries=80)
    world = taxonomy()
    goods = catalogue.draw(settings, world)
    people, asked = shopper.draw(settings, world), query.draw(settings, goods, world)
    log = event.draw(settings, world, goods, people, asked)
    order = np.lexsort((log["time"], log["who"]))
    bought = order[log["type"][order] == ACTIONS.index("purchase")]
    follows = (log["who"][bought][1:] == log["who"][bought][:-1]) & (
        log["visit"][bought][1:] != log["visit"][bought][:-1]
    )
    leaf = goods.leaf[log["product"][bought]]
    complements = world.complements()
    related = np.array([after in complements[before] for before, after in pairwise(leaf)])
    chance = np.mean([np.isin(leaf, complements[before]).mean() for before in leaf[:-1][follows]])
    assert related[follows].mean() > 3 * chance
    share = np.sort(np.bincount(log["product"]))[::-1]
    assert share[: len(share) // 10].sum() > 0.25 * share.sum()
