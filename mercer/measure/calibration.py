"""Scores and whether each was right in; a probability for every score, and how far to trust it, out."""

from __future__ import annotations

import io
import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mercer.errors import DataError, RequestError, SettingsError

__all__ = ["Calibration", "CalibrationSettings", "Reliability", "auc", "calibrate", "crossed", "plot", "reliability"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """How scores become probabilities."""

    method: Literal["logistic", "isotonic"] = "logistic"
    """logistic is a temperature and a shift (Platt 1999), which few answers are enough for; isotonic is steps."""
    bins: int = 10
    """Bins of equal numbers of answers in the reliability plot and in the calibration error."""
    folds: int = 5
    """Parts by query: each part's probabilities come from the others."""
    kept: float = 0.95
    """Share of answers that were right which must not be told to be nothing; sets the limit of their cosine."""

    def __post_init__(self) -> None:
        if self.method not in ("logistic", "isotonic"):
            raise SettingsError(f"method is {self.method!r}", cure="give logistic or isotonic")
        for name, low, high in (("bins", 2, 1000), ("folds", 2, 100), ("kept", 0.5, 1.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value}", cure=f"give a number from {low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Call it with a score; straight lines between `scores`, level beyond them."""

    scores: tuple[float, ...]
    chances: tuple[float, ...]
    """Probability of being right at each of `scores`, rising."""

    def __call__(self, scores: ArrayLike) -> Floats:
        return np.interp(np.asarray(scores, np.float64), self.scores, self.chances)

    def json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well probabilities keep what they say."""

    said: tuple[float, ...]
    right: tuple[float, ...]
    """Mean probability and share of right answers in each bin."""
    sizes: tuple[int, ...]
    ece: float
    """Expected calibration error: mean distance of both, by size (Naeini et al. 2015)."""
    brier: float
    """Mean squared distance of a probability from 0 or 1."""

    def json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)


DEFAULTS = CalibrationSettings()


def calibrate(scores: ArrayLike, right: ArrayLike, *, settings: CalibrationSettings = DEFAULTS) -> Calibration:
    """Fit probabilities.

    Args:
        scores: (n,), the higher the likelier.
        right: (n,) 0 or 1.
        settings: see there.

    Raises:
        DataError: fewer than ten answers, or all of them right, or none.
    """
    said, wanted = _both(scores, right)
    if len(said) < 10 or len(set(wanted.tolist())) < 2:
        told = f"{len(said)} answers, {int(wanted.sum())} of them right"
        raise DataError(f"{told}: too few to calibrate", cure="judge at least ten queries, some answered wrongly")
    if settings.method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(said, wanted)
        places, chances = fitted.X_thresholds_, fitted.y_thresholds_
    else:
        slope, shift = _logistic(said, wanted)
        room = 0.5 * float(said.max() - said.min()) or 1.0
        places = np.linspace(min(0.0, said.min() - room), said.max() + room, 65)
        chances = 1 / (1 + np.exp(-np.clip(slope * places + shift, -500, 500)))
    return Calibration(tuple(map(float, places)), tuple(map(float, chances)))


def crossed(
    scores: ArrayLike, right: ArrayLike, groups: Sequence[Hashable], *, seed: int,
    settings: CalibrationSettings = DEFAULTS,
) -> Floats:  # fmt: skip
    """(n,) probabilities of which none comes from a fit that saw its group.

    Raises:
        DataError: a part has nothing to fit on.
    """
    said, wanted = _both(scores, right)
    names = sorted(set(groups), key=repr)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[at]: number % settings.folds for number, at in enumerate(order.tolist())}
    part, found = np.array([fold[group] for group in groups]), np.empty(len(said))
    for number in range(min(settings.folds, len(names))):
        mine = part == number
        found[mine] = calibrate(said[~mine], wanted[~mine], settings=settings)(said[mine])
    return found


def reliability(chances: ArrayLike, right: ArrayLike, *, bins: int = DEFAULTS.bins) -> Reliability:
    """Compare probabilities with what came true, in bins of equal numbers."""
    said, wanted = _both(chances, right)
    parts = [part for part in np.array_split(np.argsort(said, kind="stable"), bins) if len(part)]
    means = [float(said[part].mean()) for part in parts]
    shares = [float(wanted[part].mean()) for part in parts]
    sizes = [len(part) for part in parts]
    apart = sum(size * abs(mean - share) for size, mean, share in zip(sizes, means, shares, strict=True))
    brier = float(((said - wanted) ** 2).mean())
    return Reliability(tuple(means), tuple(shares), tuple(sizes), apart / max(1, len(said)), brier)


def plot(found: Reliability) -> str:
    """An ``<svg>``: share of right answers by probability; on the line both are the same."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer"}):
        figure = Figure(figsize=(4, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
        axes.plot(found.said, found.right, "o-", color="#16425b")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="share right")
        axes.set_title(f"ECE {found.ece:.3f}, Brier {found.brier:.3f}", fontsize=10, loc="left")
        axes.grid(alpha=0.3)
        figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _logistic(said: Floats, wanted: Floats) -> tuple[float, float]:
    """Slope not below 0 and shift of the likeliest logistic curve, targets drawn in as Platt did."""
    from scipy.optimize import minimize

    yes = float(wanted.sum())
    low, high = 1 / (len(wanted) - yes + 2), (yes + 1) / (yes + 2)
    target = np.where(wanted > 0, high, low)
    scale = float(said.std()) or 1.0

    def cost(both: Floats) -> tuple[float, Floats]:
        odds = both[0] * said / scale + both[1]
        apart = 1 / (1 + np.exp(-np.clip(odds, -500, 500))) - target
        return float((np.logaddexp(0, odds) - target * odds).mean()), np.array(
            [(apart * said / scale).mean(), apart.mean()]
        )

    found = minimize(cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, 1e4), (-1e4, 1e4)])
    return float(found.x[0]) / scale, float(found.x[1])


def _both(scores: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    said, wanted = np.asarray(scores, np.float64), np.asarray(right, np.float64)
    if said.shape != wanted.shape or said.ndim != 1:
        raise RequestError(f"{said.shape} scores, {wanted.shape} answers", cure="give one of each for every answer")
    if not np.isfinite(said).all() or not set(wanted.tolist()) <= {0.0, 1.0}:
        raise RequestError("a score is not finite, or an answer neither 0 nor 1", cure="leave it out")
    return said, wanted


def auc(inside: ArrayLike, outside: ArrayLike) -> float:
    """Share of pairs in which the first is higher; NaN where one is empty."""
    left, other = np.asarray(inside, np.float64), np.asarray(outside, np.float64)
    if not (left.size and other.size):
        return math.nan
    return float(np.mean((left[:, None] > other) + 0.5 * (left[:, None] == other)))
