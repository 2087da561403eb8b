"""Estimates hold the known truth at their level, agree with formulas by hand, and refuse what cannot be known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mercer.errors import DataError, SettingsError
from mercer.measure.off_policy import Logged, OffPolicySettings, off_policy
from mercer.sample.simulate import Choices, Policy, Simulator, softmax

WORLD = Simulator.of(shoppers=60, products=8)
LOGGING, NEW = softmax(0.3, WORLD, noise=1.0), softmax(1.0, WORLD, noise=0.5, seed=1)


def judged(log: Choices, policy: Policy, *, model: bool = False) -> Logged:
    shares = policy(log.who, np.zeros((len(log.who), WORLD.liking.shape[1])))
    target = shares[np.arange(len(log.who)), log.product]
    if not model:
        return Logged(log.reward, log.propensity, target)
    wrong = WORLD.chance() * 0.7  # a model that is off by a third
    return Logged(
        log.reward, log.propensity, target, wrong[log.who, log.product], (shares * wrong[log.who]).sum(axis=1)
    )


def test_intervals_hold_the_truth_at_their_level() -> None:
    rng, truth, held = np.random.default_rng(5), WORLD.value(NEW), np.zeros(3)
    errors: dict[str, list[float]] = {"ips": [], "snips": [], "doubly_robust": []}
    for _ in range(300):
        found = off_policy(judged(WORLD.log(LOGGING, 1500, rng), NEW, model=True), OffPolicySettings(level=0.9))
        for place, (name, values) in enumerate(errors.items()):
            estimate = getattr(found, name)
            held[place] += estimate.low <= truth <= estimate.high
            values.append(estimate.value - truth)
    assert (held / 300 > 0.9 - 4 * (0.9 * 0.1 / 300) ** 0.5).all(), held / 300
    assert (held / 300 < 0.98).all(), "an interval that always holds is too wide"
    for values in errors.values():
        assert abs(np.mean(values)) < 4 * np.std(values) / 300**0.5
    assert np.std(errors["doubly_robust"]) < np.std(errors["ips"]), "a model, even a wrong one, takes noise away"


def test_formulas_by_hand() -> None:
    reward, propensity = np.array([1.0, 0, 1, 0] * 20), np.array([0.5, 0.5, 0.25, 0.75] * 20)
    target = np.array([0.5, 0.5, 0.5, 0.5] * 20)
    weight = target / propensity
    found = off_policy(Logged(reward, propensity, target))
    assert found.ips.value == pytest.approx((weight * reward).mean())
    assert found.snips.value == pytest.approx((weight * reward).sum() / weight.sum())
    assert found.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert found.mean_weight == pytest.approx(weight.mean())
    assert found.doubly_robust is None
    same = off_policy(Logged(reward, propensity, propensity))
    assert same.ips.value == same.snips.value == pytest.approx(reward.mean()), "the same policy earns what it earned"
    assert same.effective == len(reward)
    perfect = Logged(reward, propensity, target, predicted=reward, expected=np.full(80, 0.4))
    exact = off_policy(perfect).doubly_robust
    assert exact
    assert exact.value == exact.low == exact.high == pytest.approx(0.4)


def test_rows_of_one_group_do_not_count_as_many() -> None:
    rng = np.random.default_rng(0)
    per = np.repeat(rng.random(100) < 0.3, 20).astype(float)  # twenty rows of each shopper, all alike
    even = np.full(2000, 0.5)
    alone = off_policy(Logged(per, even, even)).ips
    together = off_policy(Logged(per, even, even, group=np.repeat(np.arange(100), 20))).ips
    assert (together.high - together.low) == pytest.approx((alone.high - alone.low) * 20**0.5, rel=0.05)


def refused(match: str, **changed: Any) -> None:
    rows = 400
    rng = np.random.default_rng(1)
    columns = {"reward": rng.random(rows), "propensity": np.full(rows, 0.5), "target": np.full(rows, 0.5)}
    with pytest.raises(DataError, match=match):
        off_policy(Logged(**{**columns, **changed}))


def test_what_cannot_be_known_is_refused() -> None:
    rows = 400
    refused("propensity is 0", propensity=np.append(np.full(rows - 1, 0.5), 0.0))
    refused("propensity is 1.5", propensity=np.append(np.full(rows - 1, 0.5), 1.5))
    refused("target is -1", target=np.append(np.full(rows - 1, 0.5), -1.0))
    refused("not finite", reward=np.append(np.zeros(rows - 1), np.nan))
    refused("reward 400", propensity=np.full(3, 0.5))
    refused("never shown", target=np.full(rows, 0.2))
    refused("mean of 2.000, not 1", target=np.full(rows, 1.0))
    few = np.zeros(rows)
    few[:4] = 1.0
    refused(r"worth 4\.0", propensity=np.full(rows, 0.01), target=few)
    with pytest.raises(DataError, match="1 rows"):
        off_policy(Logged(np.ones(1), np.ones(1), np.ones(1)))
    with pytest.raises(SettingsError, match="level"):
        OffPolicySettings(level=2)


def test_support_that_is_missing_is_seen_in_a_log() -> None:
    """A logging policy that never shows two products cannot tell of a policy that loves them."""
    shares = LOGGING(np.arange(60), np.zeros((60, 8))).copy()
    best = np.argsort(-NEW(np.arange(60), np.zeros((60, 8))), axis=1)[:, :2]
    np.put_along_axis(shares, best, 0.0, axis=1)
    shares /= shares.sum(axis=1, keepdims=True)
    log = WORLD.log(lambda who, _: shares[who], 5000, np.random.default_rng(2))
    with pytest.raises(DataError, match="never shown"):
        off_policy(judged(log, NEW))


def test_sessions_compare_policies_that_see_them() -> None:
    rng = np.random.default_rng(3)
    greedy = softmax(3.0, WORLD)

    def sated(who: Any, clicks: Any) -> Any:
        odds = 3.0 * (WORLD.liking[who] - 0.8 * clicks)
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    even, better, best = (WORLD.sessions(p, 4000, 12, rng).mean() for p in (softmax(0.0, WORLD), greedy, sated))
    assert even < better < best
