"""Simulated weeks with injected surges: how many are found, how soon, and how many alarms are false.

    python benchmarks/opinion_surges.py [--seeds 10] [--first 100] [--json]

Every seed is a shop of 20 series over 10 weeks: hour of day and day of week of their own, over-dispersed counts (a
negative binomial), rates of 3 to 60 documents an hour, slow drift of the level. Six weeks are history; in the last
four, surges of 1.5 to 5 times over 1 to 24 hours are put in. Clean copies, without surges, give the false alarms.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict

import numpy as np

from mercer.opinion.surges import surges
from mercer.opinion.surprise import SurgeSettings, surprise

HISTORY, TESTED, SERIES = 6 * 168, 4 * 168, 20
RATIOS, LENGTHS = (1.5, 2.0, 3.0, 5.0), (1, 3, 6, 12, 24)
EACH = 14
"""Surges of a shop: every series has at most one a week."""


def shop(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clean counts (hours, series) and the true mean of each."""
    rng = np.random.default_rng(seed)
    hours = np.arange(HISTORY + TESTED)
    rate = np.exp(rng.uniform(np.log(3), np.log(60), SERIES))
    peak, second = rng.uniform(9, 22, SERIES), rng.uniform(0.2, 0.8, SERIES)
    day = 1 + second * np.cos((hours[:, None] % 24 - peak) * np.pi / 12)
    week = np.exp(rng.normal(0, 0.25, (7, SERIES)))[(hours // 24) % 7]
    drift = np.exp(np.cumsum(rng.normal(0, 0.004, (len(hours), SERIES)), 0))
    mean = rate * day * week * drift
    spread = rng.uniform(1.1, 2.0, SERIES)  # variance by mean
    size = mean / (spread - 1)
    return rng.negative_binomial(size, size / (size + mean)).astype(float), mean


def inject(clean: np.ndarray, mean: np.ndarray, seed: int) -> tuple[np.ndarray, list[tuple[int, int, int, float]]]:
    """Counts with surges, and (start, hours, series, times) of each."""
    rng = np.random.default_rng([seed, 1])
    found, counts = [], clean.copy()
    for place in rng.permutation(4 * SERIES)[: EACH * 4]:
        series, week = place % SERIES, place // SERIES
        ratio, length = float(rng.choice(RATIOS)), int(rng.choice(LENGTHS))
        start = HISTORY + week * 168 + int(rng.integers(24, 168 - 30))
        more = mean[start : start + length, series] * (ratio - 1)
        counts[start : start + length, series] += rng.poisson(more)
        found.append((start, length, int(series), ratio))
    return counts, found


def gaussian(counts: np.ndarray, *, window: int, threshold: float) -> list[tuple[int, int, int]]:
    """NAB's windowed Gaussian: the hour against mean and deviation of the hours before it, (raised, ended, series)."""
    from scipy.stats import norm

    found = []
    for series in range(counts.shape[1]):
        total, square = (np.concatenate([[0], np.cumsum(counts[:, series] ** power)]) for power in (1, 2))
        at = np.arange(HISTORY, len(counts))
        mean = (total[at] - total[at - window]) / window
        deviation = np.sqrt(np.maximum((square[at] - square[at - window]) / window - mean**2, 1e-6))
        beyond = -norm.logsf((counts[at, series] - mean) / deviation) / np.log(10) >= threshold
        found += [
            (int(hour), int(hour) + 1, series)
            for hour, hit, last in zip(at, beyond, [False, *beyond], strict=False)
            if hit and not last
        ]
    return found


def ours(counts: np.ndarray, settings: SurgeSettings) -> list[tuple[int, int, int]]:
    return [
        (one.raised, one.ended, one.series)
        for one in surges(surprise(counts, settings), settings)
        if one.raised >= HISTORY
    ]


def nab(alarms: list[tuple[int, int, int]], truth: list[tuple[int, int, int, float]]) -> float:
    """Numenta's score, standard profile (Lavin and Ahmad 2015): early is best, 100 is perfect, 0 says nothing."""
    score, used = 0.0, set()
    for start, length, series, _ in truth:
        window = max(length, 3)
        hits = [hour for hour, _, where in alarms if where == series and start <= hour < start + window + 2]
        used |= {(hour, series) for hour in hits}
        score += 2 / (1 + np.exp(5 * ((min(hits) - start + 1) / window - 1))) - 1 if hits else -1.0
    score -= 0.11 * sum((hour, where) not in used for hour, _, where in alarms)
    best = len(truth) * (2 / (1 + np.exp(5 * (1 / 9 - 1))) - 1)
    return float(100 * (score + len(truth)) / (best + len(truth)))


def measured(seeds: range, settings: SurgeSettings, detector: str, threshold: float = 5.0) -> dict[str, object]:
    """Figures of a detector, with a 95 % interval over seeds."""
    values, parts, delays = defaultdict(list), defaultdict(list), []
    for seed in seeds:
        clean, mean = shop(seed)
        counts, truth = inject(clean, mean, seed)
        run = (
            (lambda given: ours(given, settings))
            if detector == "mercer"
            else (lambda given: gaussian(given, window=168, threshold=threshold))
        )
        false, alarms = run(clean), run(counts)
        values["false alarms a week"].append(len(false) / (TESTED / 168))
        values["NAB"].append(nab(alarms, truth))
        for start, length, series, ratio in truth:
            hits = [hour for hour, ended, where in alarms if where == series and start <= hour <= start + length]
            expected = mean[start : start + length, series].sum()
            in_time = bool(hits) and min(hits) < start + length
            parts[f"{ratio:g}x"].append(in_time)
            parts[f"{ratio:g}x {length}h"].append(in_time)
            if ratio >= 2:
                parts[">=2x"].append(in_time)
                parts[f">=2x, {'under' if expected < 20 else 'over'} 20 documents usual"].append(in_time)
                delays += [min(hits) - start + 1] if in_time else []
    rng = np.random.default_rng(1)
    told: dict[str, object] = {}
    for name, found in values.items():
        means = [np.mean(rng.choice(found, len(found))) for _ in range(2000)]
        told[name] = [round(float(one), 3) for one in (np.mean(found), *np.quantile(means, [0.025, 0.975]))]
    told["found before it ends"] = {name: f"{np.mean(hits):.3f} of {len(hits)}" for name, hits in sorted(parts.items())}
    told["hours to alarm, >=2x (median, p90)"] = (
        [float(np.median(delays)), float(np.quantile(delays, 0.9))] if delays else []
    )
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--false-alarms", type=float, default=SurgeSettings().false_alarms)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    settings = SurgeSettings(false_alarms=given.false_alarms)
    thresholds = (3.0, 5.0, 8.0)
    told = {"seeds": [given.first, given.first + given.seeds - 1], "mercer": measured(seeds, settings, "mercer")} | {
        f"windowed Gaussian, 1e-{at:g}": measured(seeds, settings, "gaussian", at) for at in thresholds
    }
    print(json.dumps(told, indent=1))
