"""How often off-policy intervals hold the truth, on a simulator that knows it and on ZOZOTOWN's log, as one table.

python benchmarks/off_policy.py --repetitions 1000
python benchmarks/off_policy.py --obp FOLDER      # obp/dataset/obd of the unpacked package obp 0.4.1
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from mercer.errors import DataError
from mercer.measure.off_policy import Logged, off_policy
from mercer.sample.simulate import Policy, Simulator, softmax

CAMPAIGNS = ("all", "men", "women")


def judged(world: Simulator, log, policy: Policy, model) -> Logged:  # type: ignore[no-untyped-def]
    shares = policy(log.who, np.zeros((len(log.who), world.liking.shape[1])))
    target = shares[np.arange(len(log.who)), log.product]
    expected = (shares * model[log.who]).sum(axis=1)
    return Logged(log.reward, log.propensity, target, model[log.who, log.product], expected)


def simulated(repetitions: int) -> None:
    world = Simulator.of(shoppers=200, products=20)
    logging = softmax(0.3, world, noise=1.0)
    model = np.full_like(world.liking, float(world.chance().mean()))  # knows nothing but the mean
    print(f"{repetitions} repetitions of 20 products; intervals at 95 %, ± is two standard errors of the share\n")
    shares = "IPS holds | SNIPS holds | DR holds | IPS width | SNIPS | DR"
    print(f"| policy judged | choices | worth | truth | {shares} | refused |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, policy in (
        ("near", softmax(0.6, world, noise=0.8)),
        ("far", softmax(1.0, world, noise=0.3)),
        ("very far", softmax(2.0, world)),
    ):
        truth = world.value(policy)
        for rows in (1000, 10_000):
            rng = np.random.default_rng([rows, 2])
            held, wide, worth, refused = np.zeros(3), np.zeros(3), 0.0, 0
            for _ in range(repetitions):
                try:
                    found = off_policy(judged(world, world.log(logging, rows, rng), policy, model))
                except DataError:
                    refused += 1
                    continue
                three = [found.ips, found.snips, found.doubly_robust]
                held += [one.low <= truth <= one.high for one in three if one]
                wide += [one.high - one.low for one in three if one]
                worth += found.effective
            done = max(1, repetitions - refused)
            share = held / done
            error = 2 * np.sqrt(share * (1 - share) / done)
            cells = [f"{s:.1%} ± {e:.1%}" for s, e in zip(share, error, strict=True)]
            widths = [f"{one:.4f}" for one in wide / done]
            line = [name, f"{rows:,}", f"{worth / done:,.0f}", f"{truth:.4f}", *cells, *widths, str(refused)]
            print("| " + " | ".join(line) + " |")


def zozotown(folder: Path) -> None:
    """The evenly random policy's clicks, estimated from the log of the bandit, and as they really were."""
    print("\n| campaign | estimate from | IPS | SNIPS | really | holds | worth | mean weight |")
    print("|---|---|---|---|---|---|---|---|")
    for campaign in CAMPAIGNS:
        random, bandit = (_read(folder / policy / campaign / f"{campaign}.csv") for policy in ("random", "bts"))
        items = len({row[0] for row in random} | {row[0] for row in bandit})
        truth = np.array([row[2] for row in random])
        reward, propensity = (np.array([row[at] for row in bandit], dtype=np.float64) for at in (2, 3))
        try:
            found = off_policy(Logged(reward, propensity, np.full(len(reward), 1 / items)))
        except DataError as error:
            why = f"refused: {error.problem}"
            print(f"| {campaign} | {len(bandit):,} of the bandit | {why} | | {truth.mean():.5f} | | | |")
            continue
        wide = 1.96 * truth.std() / len(truth) ** 0.5
        apart = abs(found.snips.value - truth.mean())
        both = apart <= ((found.snips.high - found.snips.value) ** 2 + wide**2) ** 0.5
        ips, snips = (f"{one.value:.5f} ({one.low:.5f} to {one.high:.5f})" for one in (found.ips, found.snips))
        print(
            f"| {campaign} | {len(bandit):,} of the bandit | {ips} | {snips} | {truth.mean():.5f} ± {wide:.5f} | "
            f"{'yes' if both else 'no'} | {found.effective:,.0f} | {found.mean_weight:.3f} |"
        )


def _read(path: Path) -> list[tuple[str, str, float, float]]:
    with path.open(encoding="utf-8") as file:
        return [
            (row["item_id"], row["position"], float(row["click"]), float(row["propensity_score"]))
            for row in csv.DictReader(file)
        ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--obp", type=Path)
    given = parser.parse_args()
    simulated(given.repetitions)
    if given.obp:
        zozotown(given.obp)
