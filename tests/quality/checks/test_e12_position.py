"""E12 measures the position bias that clicks were drawn with, and says where positions are missing."""

import json

import numpy as np
import pytest

from mercer.quality.check import registry
from mercer.quality.position_bias import Shown, fit
from mercer.quality.run import QualitySettings, check

NOW = 1_750_000_000_000


def log(eta, *, pages=900, positions=6, seed=3, placed=True):
    """Pages of products in any order, clicked under position ** -eta times the product's own appeal."""
    rng = np.random.default_rng(seed)
    appeal = rng.beta(2, 3, 60)
    events = []
    for page in range(pages):
        for place, product in enumerate(rng.permutation(60)[:positions].tolist()):
            seen = {"session": f"v{page}", "shopper": f"s{page % 90}", "product": f"p{product}", "query_id": "q1"}
            seen |= {"time": NOW - 86_400_000 + page * 50_000, "position": place + 1 if placed else None}
            events.append({**seen, "type": "impression"})
            if rng.random() < (place + 1) ** -eta * appeal[product]:
                events.append({**seen, "type": "click", "time": seen["time"] + 4000})
    return events


@pytest.mark.parametrize("eta", [0.5, 1.0, 2.0])
def test_the_curve_is_recovered(raw_of, eta):
    checked = check({"events": raw_of("events", log(eta))}, now=NOW)
    findings = checked.findings.to_pylist()
    (found,) = [row for row in findings if row["check_id"] == "E12"]
    assert (found["row_id"], found["problem"], found["action"]) == (-1, "position_bias", "down")
    assert checked.manifest["propensity"] == json.loads(found["evidence"])
    curve = np.array(json.loads(found["evidence"])["curve"])
    assert np.abs(curve - np.arange(1, 7) ** -eta).mean() < 0.05


def test_it_does_not_change_the_gate(raw_of):
    alone = QualitySettings(disable=tuple(id for id in registry() if id != "E12"))
    assert check({"events": raw_of("events", log(1.0))}, alone, now=NOW).gate.status == "pass"


def test_clicks_without_bias_have_no_curve(found_in):
    assert found_in({"events": log(0.0)}, "E12") == []


def test_impressions_without_positions(found_in):
    assert found_in({"events": log(1.0, placed=False)}, "E12") == [("events", -1, "position", "no_position")]


def test_a_few_impressions_say_nothing(found_in):
    assert found_in({"events": log(1.0, pages=100)}, "E12") == []


def test_relevance_first_is_no_bias():
    """One thing always first and liked: the curve comes from things that stood at several positions."""
    rng = np.random.default_rng(2)
    place = np.tile(np.arange(4), 5000)
    thing = np.where(place == 0, 0, rng.integers(1, 40, len(place)))
    appeal = np.append(0.9, rng.beta(2, 5, 39))
    swapped = rng.random(len(place)) < 0.1
    thing = np.where(swapped, rng.integers(0, 40, len(place)), thing)
    looked = rng.random(len(place)) < np.array([1, 0.6, 0.4, 0.3])[place]
    curve = fit(Shown(thing, place, looked & (rng.random(len(place)) < appeal[thing])), 4)
    assert np.abs(curve.propensity - [1, 0.6, 0.4, 0.3]).max() < 0.08
