"""Probabilities that keep what they say: on made answers whose chances are known."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.errors import DataError, RequestError, SettingsError
from mercer.measure.calibration import CalibrationSettings, auc, calibrate, crossed, plot, reliability


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    """Scores of 800 answers, right with a chance that a logistic curve of the score gives."""
    rng = np.random.default_rng(5)
    scores = rng.normal(0.5, 0.3, 800)
    return scores, (rng.random(800) < 1 / (1 + np.exp(-(6 * scores - 3.5)))).astype(float)


@pytest.mark.parametrize("method", ["logistic", "isotonic"])
def test_crossed_probabilities_are_calibrated_where_scores_are_not(answers, method) -> None:
    if method == "isotonic":
        pytest.importorskip("sklearn")
    scores, right = answers
    how = CalibrationSettings(method=method)
    chances = crossed(scores, right, list(range(len(scores))), seed=3, settings=how)
    own, raw = reliability(chances, right), reliability(np.clip(scores, 0, 1), right)
    assert own.ece < 0.07 < raw.ece + 0.05
    assert own.brier < raw.brier
    fitted = calibrate(scores, right, settings=how)
    rising = fitted(np.linspace(-1, 2, 50))
    assert (np.diff(rising) >= -1e-12).all()
    assert 0 <= rising[0] <= rising[-1] <= 1


def test_the_curve_is_found_again(answers) -> None:
    scores, right = answers
    assert calibrate(scores, right)([0.5])[0] == pytest.approx(1 / (1 + np.exp(0.5)), abs=0.06)


def test_calibration_error_by_hand() -> None:
    found = reliability([0.2, 0.2, 0.8, 0.8], [0, 1, 1, 1], bins=2)
    assert found.ece == pytest.approx((abs(0.2 - 0.5) + abs(0.8 - 1.0)) / 2)
    assert found.sizes == (2, 2)
    assert "<svg" in plot(found)
    assert auc([0.9, 0.5], [0.5, 0.1]) == pytest.approx((1 + 1 + 0.5 + 1) / 4)


def test_what_cannot_be_calibrated() -> None:
    with pytest.raises(DataError, match="12 answers, 12 of them right"):
        calibrate(np.arange(12.0), np.ones(12))
    with pytest.raises(RequestError, match="finite"):
        reliability([float("nan")], [1])
    with pytest.raises(RequestError, match="scores"):
        calibrate([1.0, 2.0], [1])
    with pytest.raises(SettingsError, match="bins is 1"):
        CalibrationSettings(bins=1)
