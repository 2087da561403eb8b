"""Intervals hold the truth as often as they say; p values are uniform when nothing differs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mercer.errors import RequestError, SettingsError
from mercer.measure.compare import Resampling, compare, holm, interval, randomisation

QUICK = Resampling(samples=600, swaps=400)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_interval_covers_the_true_mean(method: str) -> None:
    rng, how = np.random.default_rng(7), Resampling(samples=600, method=method)  # type: ignore[arg-type]
    held = 0
    for seed in range(300):
        spread = interval(rng.beta(0.6, 1.2, size=60), seed=seed, how=how)  # skewed, as nDCG is
        held += spread.low <= 1 / 3 <= spread.high
    assert 0.90 <= held / 300 <= 0.985


def test_bca_is_what_scipy_gives() -> None:
    values = np.random.default_rng(3).beta(0.5, 2.0, size=40)
    ours = interval(values, seed=1, how=Resampling(samples=20_000))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", vectorized=True, rng=np.random.default_rng(1)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)
    plain = interval(values, seed=1, how=Resampling(samples=20_000, method="percentile"))
    assert ours.low > plain.low, "a skewed mean shifts the interval"


def test_p_values_are_uniform_when_nothing_differs() -> None:
    rng = np.random.default_rng(11)
    p = [randomisation(rng.normal(size=40), seed=seed, swaps=400) for seed in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_p_value_is_what_scipy_gives() -> None:
    differences = np.random.default_rng(5).normal(0.3, 1.0, size=10)
    exact = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert randomisation(differences, seed=0) == pytest.approx(exact)
    many = np.random.default_rng(5).normal(0.2, 1.0, size=50)
    assert randomisation(many, seed=0) == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.02)


def test_a_real_difference_is_found() -> None:
    rng = np.random.default_rng(2)
    worse = {f"q{row}": float(value) for row, value in enumerate(rng.uniform(0, 0.8, 100))}
    better = {query: value + 0.1 for query, value in worse.items()}
    found = compare(better, worse, seed=1, how=QUICK)
    assert found.difference == pytest.approx(0.1)
    assert found.low <= found.difference <= found.high
    assert found.relative == pytest.approx(0.1 / np.mean(list(worse.values())))
    assert (found.p, found.n) == (pytest.approx(1 / 401), 100)


def test_the_same_system_twice_does_not_differ() -> None:
    values = {"a": 0.5, "b": 0.1}
    same = compare(values, values, seed=1, how=QUICK)
    assert (same.difference, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    assert compare({"a": 0.0}, {"a": 0.0}, seed=1, how=QUICK).relative is None


def test_other_side_other_sign_and_same_p() -> None:
    rng = np.random.default_rng(4)
    one = {str(row): float(value) for row, value in enumerate(rng.uniform(size=30))}
    two = {str(row): float(value) for row, value in enumerate(rng.uniform(size=30))}
    forth, back = compare(one, two, seed=3, how=QUICK), compare(two, one, seed=3, how=QUICK)
    assert forth.difference == pytest.approx(-back.difference)
    assert forth.p == back.p


def test_seed_decides_and_order_does_not() -> None:
    values = {str(row): value for row, value in enumerate(np.random.default_rng(1).uniform(size=20).tolist())}
    zero = dict.fromkeys(values, 0.3)
    turned = dict(reversed(values.items()))
    assert compare(values, zero, seed=1, how=QUICK) == compare(turned, zero, seed=1, how=QUICK)
    assert compare(values, zero, seed=1, how=QUICK) != compare(values, zero, seed=2, how=QUICK)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 9))
def test_interval_is_in_order_and_within_the_values(values: list[float], seed: int) -> None:
    spread = interval(values, seed=seed, how=Resampling(samples=100))
    assert min(values) - 1e-12 <= spread.low <= spread.high <= max(values) + 1e-12


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p: list[float]) -> None:
    corrected = holm(p)
    assert all(a <= b <= 1 for a, b in zip(p, corrected, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()
    assert min(corrected) == pytest.approx(min(1.0, min(p) * len(p)))


def test_refused() -> None:
    with pytest.raises(RequestError, match="one system only"):
        compare({"a": 1.0}, {"b": 1.0}, seed=0)
    with pytest.raises(RequestError):
        interval([], seed=0)
    with pytest.raises(RequestError, match="not finite"):
        interval([1.0, float("nan")], seed=0)
    for wrong in ({"samples": 1}, {"level": 1.0}, {"method": "normal"}):
        with pytest.raises(SettingsError):
            Resampling(**wrong)  # type: ignore[arg-type]
