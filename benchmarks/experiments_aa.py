"""Simulated shoppers in; how often experiments raise a false alarm, and how soon they find a real effect, out.

    python benchmarks/experiments_aa.py [--runs 1000] [--json FILE]

Every visit of `mercer.sample.simulate` is one shopper, put into an arm by the hash that serving uses. Arms of A/A
answer by one policy; of A/B the second one is surer of what is liked. Each experiment is looked at 40 times.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from mercer.sample.click import propensity
from mercer.sample.simulate import Policy, Simulator, softmax
from mercer.watch.experiment import Arm, Experiment
from mercer.watch.interleave import credit, draft
from mercer.watch.outcome import RATIO_P, sample_ratio
from mercer.watch.sequential import between, mean

Real = NDArray[np.float64]

SHOPPERS = 4000
LOOKS = tuple(range(100, SHOPPERS + 1, 100))
PLACES = 8
EFFECT = 0.6, 1.5
"""Sharpness of the two policies."""


def wilson(hits: int, runs: int) -> tuple[float, float, float]:
    """A share with its 95 % interval (Clopper and Pearson: exact)."""
    low = float(beta.ppf(0.025, hits, runs - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, runs - hits)) if hits < runs else 1.0
    return hits / runs, low, high


def arms(run: int) -> NDArray[np.bool_]:
    """Which of the shoppers of a run are in the second arm."""
    even = Experiment(f"run-{run}", (Arm("a"), Arm("b")))
    return np.array([even.assign(f"s{number}") is even.arms[1] for number in range(SHOPPERS)], bool)


def visits(world: Simulator, policies: tuple[Policy, Policy], second: NDArray[np.bool_], seed: int) -> Real:
    """Whether each shopper clicked."""
    rng = np.random.default_rng(seed)
    found = [world.log(policy, SHOPPERS, rng).reward for policy in policies]
    return np.where(second, found[1], found[0])


def split(world: Simulator, policies: tuple[Policy, Policy], runs: int) -> dict[str, Any]:
    """Experiments of two arms: how many ever say that they differ, and when."""
    sure, naive, once, ratio, held = 0, 0, 0, 0, 0
    when: list[int] = []
    true = world.value(policies[1]) - world.value(policies[0])
    for run in range(runs):
        second = arms(run)
        clicked = visits(world, policies, second, run)
        first, covered = 0, True
        was_naive = False
        for look in LOOKS:
            ours, theirs = clicked[:look][second[:look]], clicked[:look][~second[:look]]
            seen = between(ours, theirs)
            first = first or (look if seen.sure else 0)
            covered = covered and seen.low <= true <= seen.high
            spread = np.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs))
            fixed = abs(ours.mean() - theirs.mean()) > 1.96 * spread
            was_naive = was_naive or fixed
        sure, naive, once, held = sure + bool(first), naive + was_naive, once + fixed, held + covered
        ratio += sample_ratio([int((~second).sum()), int(second.sum())], [1, 1]) < RATIO_P
        when += [first] if first else []
    return {
        "difference": true,
        "says they differ": wilson(sure, runs),
        "interval holds the truth at every look": wilson(held, runs),
        "one-look interval, looked at 40 times": wilson(naive, runs),
        "one-look interval, at the end": wilson(once, runs),
        "sample-ratio alarm": wilson(ratio, runs),
        "median shoppers until sure": float(np.median(when)) if when else None,
    }


def interleaved(world: Simulator, policies: tuple[Policy, Policy], runs: int, shoppers: int) -> dict[str, Any]:
    """The same policies as rankings in one list, read from the top and left once (`mercer.sample.click`)."""
    everyone = np.arange(len(world.liking))
    orders = [np.argsort(-policy(everyone, np.zeros_like(world.liking)), axis=1)[:, :PLACES] for policy in policies]
    chance, look = world.chance(), propensity(PLACES)
    sure, when = 0, list[int]()
    for run in range(runs):
        rng = np.random.default_rng(run)
        who = rng.choice(len(everyone), shoppers, p=world.activity)
        won = np.zeros(shoppers)
        for place, one in enumerate(who):
            ids, teams = draft(orders[0][one].tolist(), orders[1][one].tolist(), PLACES, seed=f"{run}/{place}")
            clicked = (rng.random(PLACES) < chance[one, ids]) & (look >= rng.random())
            won[place] = credit(teams, (np.flatnonzero(clicked) + 1).tolist())
        first = next((look_ for look_ in LOOKS if look_ <= shoppers and mean(won[:look_]).sure), 0)
        sure, when = sure + bool(first), when + ([first] if first else [])
    return {
        "says they differ": wilson(sure, runs),
        "median shoppers until sure": float(np.median(when)) if when else None,
    }


def lost(runs: int) -> dict[str, Any]:
    """A share of the second arm's shoppers is lost: how often the sample-ratio check says so."""
    found = {}
    for share in (0.02, 0.05, 0.1):
        hits = 0
        for run in range(runs):
            second = arms(run)
            gone = second & (np.random.default_rng(run).random(SHOPPERS) < share)
            hits += sample_ratio([int((~second).sum()), int((second & ~gone).sum())], [1, 1]) < RATIO_P
        found[f"{share:.0%} lost"] = wilson(hits, runs)
    return found


def main() -> None:
    """Print every figure; write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    began, world = time.process_time(), Simulator.of(shoppers=200, products=20)
    same = softmax(EFFECT[0], world)
    better = softmax(EFFECT[1], world)
    noisy = softmax(3.0, world, noise=1.5, seed=1), softmax(3.0, world, noise=0.5, seed=2)
    few = max(given.runs // 5, 20)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "A/A": lambda: split(world, (same, same), given.runs),
        "A/B": lambda: split(world, (same, better), few),
        "interleaved, a ranker with itself": lambda: interleaved(world, (noisy[0], noisy[0]), few, 2000),
        "interleaved, one ranker better": lambda: interleaved(world, noisy, few, 2000),
        "sample ratio": lambda: lost(few),
    }
    figures: dict[str, Any] = {
        "runs": given.runs,
        "runs of other parts": few,
        "shoppers": SHOPPERS,
        "looks": len(LOOKS),
    }
    for name, part in parts.items():
        figures[name] = part()
        print(name)
        for what, value in figures[name].items():
            said = "{:.4f} [{:.4f}, {:.4f}]".format(*value) if isinstance(value, tuple) else value
            print(f"  {what:42} {said}", flush=True)
    figures["cpu seconds"] = round(time.process_time() - began, 1)
    print(f"{figures['cpu seconds']} CPU seconds")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1), "utf-8")


if __name__ == "__main__":
    main()
