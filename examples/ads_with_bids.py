"""Advertisements with bids in; who gets each place, what they pay, and what another auction would have earned, out.

python examples/ads_with_bids.py [--auctions 20000 --seed 7]

Each page has one place. An ad's bid is what its owner gives for a click, so a look is worth bid × click rate, and rates
have to be learnt: with chance .2 the place is drawn by Thompson's chance to be the best (`mercer.recommend.explore`),
otherwise it goes to the highest expected worth. The winner of an auction pays what it needed to win, by rates (a
generalised second price). Every choice is logged with its chance, so `mercer.measure.off_policy` can judge another
auction from the log: the highest bid, whatever its rate. Ads are invented and their true rates known: both are told.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.measure.off_policy import Logged, off_policy
from mercer.recommend.explore import thompson

EXPLORE = 0.2
"""Chance that a page explores."""
EVEN = 0.5
"""Share of exploring that all ads have evenly: its cost buys what the log can tell of other auctions."""
LEARN = 200
"""Auctions between two looks at the counts."""
PRIOR = (1.0, 19.0)
"""Clicks and looks without one that every ad is thought to have had."""


@dataclass(slots=True)
class Ads:
    """The candidates, and what is known of them."""

    bid: NDArray[np.float64]
    truth: NDArray[np.float64]
    """Click rates, which the auction does not see."""
    shown: NDArray[np.int64]
    clicked: NDArray[np.int64]

    def rates(self) -> NDArray[np.float64]:
        """Click rates as far as they are known."""
        return (PRIOR[0] + self.clicked) / (sum(PRIOR) + self.shown)

    def winner(self) -> tuple[int, float]:
        """The highest expected worth of a look, and the price of a click: what it needed to beat the second."""
        rates = self.rates()
        first, second = np.argsort(-self.bid * rates)[:2]
        return int(first), float(self.bid[second] * rates[second] / rates[first])


def run(ads: Ads, auctions: int, rng: np.random.Generator) -> tuple[Logged, float]:
    """Hold auctions; the log of all of them as the highest bid would be judged by it, and what they have earned."""
    highest = int(ads.bid.argmax())
    rows, earned = [], 0.0
    for auction in range(auctions):
        if auction % LEARN == 0:
            drawn = thompson(ads.shown, ads.clicked, even=EVEN)
            best, price = ads.winner()
            chances = EXPLORE * drawn
            chances[best] += 1 - EXPLORE
        ad = int(rng.choice(len(chances), p=chances / chances.sum()))
        click = rng.random() < ads.truth[ad]
        ads.shown[ad] += 1
        ads.clicked[ad] += click
        earned += click * (min(price, ads.bid[ad]) if ad == best else ads.bid[ad] * 0.5)  # explored looks at half price
        rows.append((click * ads.bid[ad], chances[ad], float(ad == highest)))
    worth, chance, target = np.array(rows).T
    return Logged(worth, chance, target), earned / auctions


def main() -> None:
    """Sell the places, then ask the log what another auction would have brought."""
    told = argparse.ArgumentParser()
    told.add_argument("--auctions", type=int, default=20_000)
    told.add_argument("--seed", type=int, default=7)
    given = told.parse_args()
    rng = np.random.default_rng(given.seed)
    truth, bid = rng.beta(2, 30, 12), rng.lognormal(0, 0.5, 12)
    ads = Ads(bid, truth, np.zeros(12, np.int64), np.zeros(12, np.int64))
    logged, earned = run(ads, given.auctions, rng)
    best, price = ads.winner()
    print(f"ad {best} wins at the end: bid {bid[best]:.2f}, {price:.2f} a click")
    print(f"its look is worth {(bid * truth)[best]:.4f} in truth, that of the best ad {(bid * truth).max():.4f}")
    print(f"click rate {ads.rates()[best]:.3f}, true {truth[best]:.3f}; earned {earned:.4f} a page")
    highest = int(bid.argmax())
    judged = off_policy(logged)
    said = judged.snips
    print(
        f"worth of a look, as logged: {judged.logged:.4f}; worth {judged.effective:.0f} rows of the other auction's own"
    )
    print(
        f"the highest bid always: {said.value:.4f} ({said.low:.4f} to {said.high:.4f}) by the log, "
        f"{bid[highest] * truth[highest]:.4f} in truth"
    )


if __name__ == "__main__":
    main()
