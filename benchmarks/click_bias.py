"""Pages of an old ranking with clicks that hang on position in; what correcting them gains on true relevance, out.

    OMP_NUM_THREADS=1 python benchmarks/click_bias.py SHOP [--write]

SHOP is what `mercer demo SHOP --no-serve` leaves. An old shop shows the 24 most popular of each query's 60 best
products, most popular first; shoppers, drawn by how often they come, click as the invented shop has them click: what
they like, once seen, and a place is seen with the chance `position ** -0.7` (`mercer.sample.click`). Trees are grown
from these clicks alone, in five folds by query: each click counting alike (naive), or by 1 / the chance of its place,
as check E12's model estimates it from other pages of the same shop (corrected). What is shown, clicked and learned from
is the same for both. Relevance is the mean chance of a click once seen, over shoppers, of every product of the answer;
features of behaviour are left out, since another log made them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mercer.doors.ranked import studied
from mercer.learn.ranker import RankList, fit
from mercer.learn.ranker_settings import RankerSettings
from mercer.measure.compare import compare, interval
from mercer.quality.position_bias import Shown
from mercer.quality.position_bias import fit as fit_curve
from mercer.rank.feature import FEATURES
from mercer.sample import query as queries
from mercer.sample import shopper as shoppers
from mercer.sample import truth
from mercer.sample.click import click, propensity

sys.path.insert(0, str(Path(__file__).parent))
from ablation import Set, opened
from learn_fold import FOLDS, fold_of
from results import put

BEST, WIDTH, VIEWS, ASKED = 60, 24, 40, 200
"""Products that the old shop chooses from and shows, pages a query, and shoppers that relevance is the mean over."""
SEED = 7
CLIP = 10.0
Values = dict[str, float]


class Old:
    """The old shop: pages, clicks, and what only its inventor knows."""

    def __init__(self, one: Set) -> None:
        self.truth = truth.load(one.folder / "raw")
        goods, world = self.truth.goods, self.truth.world
        self.place = {id: number for number, id in enumerate(goods.id)}
        self.asked = {each.text: each for each in queries.draw(self.truth.settings, goods, world)}
        self.colours = shoppers.colour_numbers(goods, world)
        self.rng = np.random.default_rng(SEED)

    def attraction(self, query: str, ids: Sequence[str], who: np.ndarray) -> np.ndarray:
        """(shoppers, products) chance of a click once seen."""
        goods, people = self.truth.goods, self.truth.people
        what = np.array([self.place[id] for id in ids])
        taste = shoppers.utility(people, goods, who[:, None], what[None, :], colours=self.colours)
        grade = queries.grades(self.asked[query], goods)[what]
        return 1 / (1 + np.exp(-(0.9 * taste + 1.2 * grade - 2.6 + 1.1)))

    def drawn(self, many: int) -> np.ndarray:
        return self.rng.choice(len(self.truth.people), many, p=self.truth.people.activity)

    def pages(self, query: str, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Places in the answer that are shown, and (views, shown) clicks."""
        fame = np.array([self.truth.goods.popularity[self.place[id]] for id in ids[:BEST]])
        shown = np.argsort(-fame, kind="stable")[:WIDTH]
        chances = self.attraction(query, [ids[at] for at in shown], self.drawn(VIEWS))
        return shown, click(chances, self.rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shop", type=Path)
    parser.add_argument("--write", action="store_true", help="Into RESULTS.md.")
    given = parser.parse_args()
    began = time.monotonic()
    one = Set("sample", given.shop)
    one.own = RankerSettings(folds=3)
    old = Old(one)
    with opened(given.shop) as doors:
        answers = one.answers(doors, studied(one.shop, one.card, doors.index, one.behaviour))
    behaviour = [at for at, feature in enumerate(FEATURES) if feature.signal in ("behaviour", "context")]
    known = [query for query in one.truth if query in old.asked and len(answers[query][0]) > 10]
    seen, wanted = {}, {}
    for query in known:
        ids, _, matrix = answers[query]
        matrix[:, behaviour] = np.nan
        seen[query] = old.pages(query, ids)
        wanted[query] = old.attraction(query, ids, old.drawn(ASKED)).mean(axis=0)
    estimated = curve(old, answers, known)
    ways = {"naive": np.ones(WIDTH), "corrected": estimated}
    values: dict[str, Values] = {"hybrid": {query: ndcg(answers[query][1], wanted[query]) for query in known}}
    values["old shop"] = {query: ndcg(shelved(seen[query][0], len(wanted[query])), wanted[query]) for query in known}
    for name, chances in ways.items():
        values[name] = ranked(one, known, answers, seen, wanted, chances, name)
    clicks = sum(int(found.sum()) for _, found in seen.values())
    lines = [
        f"`benchmarks/click_bias.py`, {datetime.now(UTC):%Y-%m-%d}: {len(known)} queries, {VIEWS} pages of {WIDTH} "
        f"products each, {clicks:,} clicks. Chance of a look at places 1, 2, 4, 8, 16, estimated: "
        + ", ".join(f"{estimated[place]:.2f}" for place in (0, 1, 3, 7, 15))
        + "; true: "
        + ", ".join(f"{propensity(WIDTH)[place]:.2f}" for place in (0, 1, 3, 7, 15))
        + ".\n",
        "| ranking | nDCG@10 by true relevance, 95 % | to naive | 95 % |",
        "|---|---|---|---|",
    ]  # fmt: skip
    for name, found in values.items():
        mean, told = interval(list(found.values()), seed=SEED), compare(found, values["naive"], seed=SEED)
        apart = f"{told.difference:+.4f} ({told.relative or 0:+.1%}) | {told.low:+.4f} … {told.high:+.4f}"
        title = name if name in ("hybrid", "old shop") else f"trees, clicks {name}"
        lines.append(
            f"| {title} | {mean.value:.4f} [{mean.low:.3f}, {mean.high:.3f}] | {apart if name != 'naive' else ' | '} |"
        )
    lines.append(f"\n{time.monotonic() - began:.0f} s.\n")
    print("\n".join(lines), flush=True)
    if given.write:
        put("click-bias", "Clicks that hang on position", lines)


def curve(old: Old, answers: dict[str, tuple[list[str], np.ndarray, np.ndarray]], known: Sequence[str]) -> np.ndarray:
    """What E12's model says of positions, from other pages on which each product has stood in several places."""
    thing, position, clicked = [], [], []
    for number, query in enumerate(known):
        ids = answers[query][0]
        fame = np.array([old.truth.goods.popularity[old.place[id]] for id in ids[:BEST]])
        for _ in range(6):
            noise = old.rng.gumbel(0, 1.0, len(fame))
            shown = np.argsort(-(np.log(fame) + noise), kind="stable")[:WIDTH]
            found = click(old.attraction(query, [ids[at] for at in shown], old.drawn(1)), old.rng)[0]
            thing += (number * 1000 + shown).tolist()
            position += range(len(shown))
            clicked += found.tolist()
    shown_ = Shown(np.array(thing), np.array(position), np.array(clicked, dtype=bool))
    return fit_curve(shown_, WIDTH).propensity


def ranked(one: Set, known: Sequence[str], answers: dict[str, tuple[list[str], np.ndarray, np.ndarray]],
           seen: dict[str, tuple[np.ndarray, np.ndarray]], wanted: dict[str, np.ndarray], chances: np.ndarray,
           name: str) -> Values:  # fmt: skip
    """nDCG@10 of each query by trees that its own clicks did not teach."""
    lists: list[RankList] = []
    for query in known:
        shown, clicks = seen[query]
        _, hybrid, matrix = answers[query]
        by = np.minimum(CLIP, 1 / chances[: len(shown)])
        for place in np.flatnonzero(clicks.any(axis=0)).tolist():  # all clicks on one product are one heavier list
            gains = np.zeros(len(shown))
            gains[place] = 1.0
            weight = float(clicks[:, place].sum() * by[place])
            lists.append(RankList(query, matrix[shown], hybrid[shown], gains, weight))
    values: Values = {}
    for fold in range(FOLDS):
        tested = set(fold_of(list(known), fold))
        grown = fit([each for each in lists if each.group not in tested], one.own, seed=SEED)
        for query in tested:
            _, hybrid, matrix = answers[query]
            added = grown.trees(matrix) if grown.rounds else 0.0
            values[query] = ndcg(hybrid + added, wanted[query])
        print(
            f"{name} {fold}: {grown.rounds} trees on {grown.lists:,} lists, {grown.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return {query: values[query] for query in known}


def shelved(shown: np.ndarray, many: int) -> np.ndarray:
    scores = np.full(many, -np.inf)
    scores[shown] = -np.arange(len(shown))
    return scores


def ndcg(scores: np.ndarray, gains: np.ndarray) -> float:
    discount = 1 / np.log2(np.arange(2, 12))
    best = np.sort(gains)[::-1][:10]
    mine = gains[np.argsort(-scores, kind="stable")[:10]]
    return float((mine * discount[: len(mine)]).sum() / (best * discount[: len(best)]).sum())


if __name__ == "__main__":
    main()
