"""What one policy showed, with which chance, and what came of it in; what another policy would have earned, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import DataError, SettingsError

__all__ = ["Estimate", "Logged", "OffPolicy", "OffPolicySettings", "off_policy"]

Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OffPolicySettings:
    """When an estimate is given at all, and how sure its interval is."""

    level: float = 0.95
    """Share of intervals that hold the truth."""
    least: float = 30.0
    """Effective rows below which nothing is estimated: the interval would not hold."""
    lost: float = 0.05
    """Share of what the new policy shows that the log may never have shown."""

    def __post_init__(self) -> None:
        for name, low, high in (("level", 0.5, 0.9999), ("least", 2, 1e9), ("lost", 0, 1)):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure=f"give a number from {low} to {high:g}")


@dataclass(frozen=True, slots=True)
class Logged:
    """One row a choice that was made; all columns have shape (rows,)."""

    reward: Real
    """Such as 1 for a click."""
    propensity: Real
    """Chance with which the logging policy chose what it chose, above 0."""
    target: Real
    """Chance with which the policy to be judged would have chosen the same."""
    predicted: Real | None = None
    """A model's reward of what was chosen, fitted on other rows; doubly robust needs it, and `expected`."""
    expected: Real | None = None
    """The model's mean reward over all that the policy to be judged might choose there."""
    group: NDArray[np.int64] | None = None
    """Number of the shopper or page: rows of one are not independent, and stay together in the interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean reward a choice, with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """Estimates and what they stand on."""

    ips: Estimate
    """Inverse propensity: unbiased, and wild where weights are large (Horvitz and Thompson 1952)."""
    snips: Estimate
    """Self-normalised: a little biased, calmer (Swaminathan and Joachims 2015)."""
    doubly_robust: Estimate | None
    """Right if either the model or the propensities are (Dudík et al. 2011)."""
    logged: float
    """Mean reward of what was really shown."""
    rows: int
    effective: float
    """(Σ weight)² / Σ weight²: rows of the new policy's own that would be worth as much (Kish)."""
    mean_weight: float
    """1 where propensities are right and everything the new policy shows was shown: less is support that is missing."""
    largest_weight: float
    top_share: float
    """Share of all weight that a hundredth of the rows has."""

    def json(self) -> dict[str, Any]:
        """Plain numbers and tables."""
        return asdict(self)


def off_policy(logged: Logged, settings: OffPolicySettings | None = None) -> OffPolicy:
    """Judge a policy by what another one logged.

    Intervals are Student's t at the effective number of rows, since a few heavy rows vary as a few rows do, with the
    skew of the rows (or groups) taken out.

    Raises:
        DataError: a column that cannot be, too few effective rows, or support that is missing; with what was seen.
    """
    settings = settings or OffPolicySettings()
    _checked(logged)
    weight = logged.target / logged.propensity
    effective = float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300))
    _supported(weight, effective, settings)
    robust = None
    if logged.predicted is not None and logged.expected is not None:
        robust = _mean(logged.expected + weight * (logged.reward - logged.predicted), logged, effective, settings)
    heaviest = np.sort(weight)[-max(1, len(weight) // 100) :]
    return OffPolicy(
        ips=_mean(weight * logged.reward, logged, effective, settings),
        snips=_normalised(weight, logged, effective, settings),
        doubly_robust=robust,
        logged=float(logged.reward.mean()),
        rows=len(weight),
        effective=effective,
        mean_weight=float(weight.mean()),
        largest_weight=float(weight.max()),
        top_share=float(heaviest.sum() / max(weight.sum(), 1e-300)),
    )


def _checked(logged: Logged) -> None:
    columns: Mapping[str, Any] = {name: getattr(logged, name) for name in Logged.__slots__}
    rows = len(logged.reward)
    if rows < 2:
        raise DataError(f"the log has {rows} rows", cure="log more choices with their propensities")
    for name, column in columns.items():
        if column is None:
            continue
        if len(column) != rows:
            raise DataError(f"{name} has {len(column)} rows, reward {rows}", cure="give one number a choice")
        if not np.isfinite(column).all():
            raise DataError(f"{name} is not finite in row {int(np.argmin(np.isfinite(column)))}", cure="mend the log")
    wrong = np.flatnonzero((logged.propensity <= 0) | (logged.propensity > 1))
    if len(wrong):
        raise DataError(
            f"propensity is {logged.propensity[wrong[0]]:g} in row {wrong[0]}, and in {len(wrong)} in all",
            cure="log the chance of what was chosen when it is chosen: above 0, at most 1",
        )
    wrong = np.flatnonzero((logged.target < 0) | (logged.target > 1))
    if len(wrong):
        raise DataError(f"target is {logged.target[wrong[0]]:g} in row {wrong[0]}", cure="give a chance from 0 to 1")


def _supported(weight: Real, effective: float, settings: OffPolicySettings) -> None:
    """The mean weight is the share of the new policy that the log could have shown: 1 but for chance."""
    mean, error = float(weight.mean()), float(weight.std(ddof=1) / np.sqrt(len(weight)))
    if mean + 3 * error < 1 - settings.lost:
        raise DataError(
            f"the log covers {mean:.1%} (± {3 * error:.1%}) of what the policy would show; the rest was never shown",
            cure="explore: let the logging policy show everything now and then, or judge a policy nearer to it",
        )
    if mean - 4 * error > 1 + settings.lost:
        raise DataError(
            f"weights have a mean of {mean:.3f}, not 1 (± {4 * error:.3f})",
            cure="the propensities are not those the choices were made with, or target counts something else",
        )
    if effective < settings.least:
        raise DataError(
            f"{len(weight)} rows are worth {effective:.1f} of the policy's own, below {settings.least:g}",
            cure="log more, explore more, or judge a policy nearer to the one that logged",
        )


def _mean(values: Real, logged: Logged, effective: float, settings: OffPolicySettings) -> Estimate:
    return _interval(float(values.mean()), _sums(values - values.mean(), logged), effective, settings)


def _normalised(weight: Real, logged: Logged, effective: float, settings: OffPolicySettings) -> Estimate:
    """The ratio of two sums, with the delta method's error."""
    value = float((weight * logged.reward).sum() / weight.sum())
    return _interval(value, _sums(weight * (logged.reward - value) / weight.mean(), logged), effective, settings)


def _sums(apart: Real, logged: Logged) -> Real:
    """How far each independent piece pulls the mean: rows of one group add up first."""
    if logged.group is None:
        return apart / len(apart)
    return np.bincount(np.unique(logged.group, return_inverse=True)[1], weights=apart) / len(apart)


def _interval(value: float, pulls: Real, effective: float, settings: OffPolicySettings) -> Estimate:
    """Student's t with the skew taken out by a cubic (Hall 1992): clicks are rare, so that means lean to one side."""
    from scipy.stats import t

    count = len(pulls)
    error = float(np.sqrt((pulls**2).sum() * count / max(1, count - 1)))
    if error <= 0:
        return Estimate(value, value, value)
    lean = float((pulls**3).sum() / (pulls**2).sum() ** 1.5)  # the skew of one piece by the root of their number
    ends = t.ppf([0.5 + settings.level / 2, 0.5 - settings.level / 2], max(1.0, effective - 1))
    if abs(lean) > 1e-6:
        ends = 3 / lean * (np.cbrt(1 + lean * (ends - lean / 6)) - 1)
    low, high = (value - error * float(end) for end in ends)
    return Estimate(value, low, high)
