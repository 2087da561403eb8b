"""A judged shop in; how well trees rank unseen queries by how many judgments they saw, chosen or by chance, out.

    OMP_NUM_THREADS=1 python benchmarks/few_active.py SHOP --keep FOLDER [--seeds 5] [--gains 3=1,2=.1,1=.01,0=0]

SHOP is checked and indexed (esci150). Five folds by query; in each, pairs of the training queries are judged in eight
rounds, `mercer.learn.active` choosing what comes next from what is judged so far, as `mercer labels SHOP suggest` does.
What is learned is LambdaMART on top of the hybrid score with the product's settings, but 60 trees always (no rounds of
cross-validation); candidates that nobody judged yet count as wrong, as they do there. nDCG@10 over whole answers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.learn.active import ActiveSettings, choose, relevant
from mercer.learn.ranker import RankList, _grown, _levels, _scale
from mercer.learn.ranker_settings import RankerSettings
from mercer.measure.compare import compare, interval
from mercer.measure.split import folds
from mercer.rank.feature import NAMES

WAYS = ("random", "uncertainty", "disagreement", "diverse")
STEPS = 8
"""Rounds of judging until every pair is judged."""
SHOWN = (1, 2, 3, 4, 6)
"""Rounds after which trees are grown: 12.5, 25, 37.5, 50 and 75 % of the judgments."""
TREES, DEEP, SLOPE = 60, 10, 5.0
RANKINGS = tuple(NAMES.index(name) for name in ("words_place", "meaning_place", "hybrid_place"))
Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hybrid finds for one query."""

    query: str
    features: Real
    hybrid: Real
    gains: Real
    """NaN where nobody ever judged."""
    ideal: Real
    """Gains of all judged products, falling, those not found included."""
    vectors: NDArray[np.float32]


def answers_of(folder: Path, gains: str, keep: Path) -> list[Answer]:
    """Candidates of every judged query with the features that serving would see, kept for the next call."""
    path = keep / "answers.npz"
    if not path.exists():
        keep.mkdir(parents=True, exist_ok=True)
        np.savez(path, **_asked(folder, gains))
    with np.load(path, allow_pickle=False) as file:
        names = [str(name) for name in file["queries"]]
        parts = ("features", "hybrid", "gains", "ideal", "vectors")
        return [Answer(name, *(file[f"{part}.{at}"] for part in parts)) for at, name in enumerate(names)]


def _asked(folder: Path, gains: str) -> dict[str, Any]:
    from mercer.cli.labels_suggest import checked_rows
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.ranked import studied
    from mercer.measure.metric import parse_gains
    from mercer.records import Request
    from mercer.retrieve.behaviour import Behaviour
    from mercer.shop import Shop

    shop, worth = Shop(folder), parse_gains(gains)
    texts = {row["query_id"]: row["text"] for row in checked_rows(shop, "queries", ["query_id", "text"])}
    truth: dict[str, dict[str, float]] = {}
    for row in checked_rows(shop, "judgments", ["query_id", "product", "grade"]):
        truth.setdefault(row["query_id"], {})[row["product"]] = worth[row["grade"]]
    found: dict[str, Any] = {"queries": np.array([query for query in truth if query in texts])}
    timeless = [NAMES.index(name) for name in ("hour", "weekday")]
    with contextlib.closing(open_doors(folder, read_settings(folder), writable=False)) as doors:
        behaviour = Behaviour.load(shop.path("index", doors.version) / "behaviour")
        features = studied(shop, shop.card("index", doors.version), doors.index, behaviour)
        for at, query in enumerate(found["queries"]):
            request, judged = Request(query=texts[query]), truth[str(query)]
            known, answer = doors.searching.candidates(request)
            rows = [row for row, id in enumerate(answer.ids) if id in judged or row < RankerSettings().depth]
            matrix = features(known, request, answer)[rows]
            matrix[:, timeless] = np.nan
            ids = [answer.ids[row] for row in rows]
            found |= {
                f"features.{at}": matrix,
                f"hybrid.{at}": answer.scored.scores[rows],
                f"gains.{at}": np.array([judged.get(id, np.nan) for id in ids]),
                f"ideal.{at}": np.array(sorted(judged.values(), reverse=True)),
                f"vectors.{at}": doors.index.vectors(ids),
            }
    return found


class Pool:
    """The pairs of some queries that can be judged, and which are."""

    def __init__(self, answers: Sequence[Answer], seed: int) -> None:
        self.answers, self.seed = answers, seed
        self.rows = [(at, row) for at, one in enumerate(answers) for row in np.flatnonzero(~np.isnan(one.gains))]
        places = np.array([answers[at].features[row][list(RANKINGS)] for at, row in self.rows])
        places = np.nan_to_num(2.0**places - 1, nan=1000.0)
        self.features = np.exp(-places / SLOPE)
        self.worth = 1 / np.log2(2 + places[:, 2])
        self.vectors = np.array([answers[at].vectors[row] for at, row in self.rows])
        self.gains = np.array([answers[at].gains[row] for at, row in self.rows])
        self.judged: list[int] = []

    def judge(self, number: int, way: str) -> None:
        """Have `number` more pairs judged."""
        done = set(self.judged)
        left = [at for at in range(len(self.rows)) if at not in done]
        settings = ActiveSettings(how=way, seed=self.seed * 100 + len(self.judged) % 97)  # type: ignore[arg-type]
        right = (self.gains[self.judged] >= 0.5).tolist()
        chances, other = relevant(self.features, self.judged, right, view=1, least=settings.least)
        chosen = choose(
            number,
            settings,
            chances=chances[left],
            other=other[left],
            vectors=self.vectors[left],
            groups=[self.answers[self.rows[at][0]].query for at in left],
            worth=self.worth[left],
        )
        self.judged += [left[at] for at in chosen]

    def lists(self) -> list[RankList]:
        """What is judged so far, as trees are grown on it."""
        gains = [np.zeros(len(one.hybrid)) for one in self.answers]
        touched = {self.rows[at][0] for at in self.judged}
        for at in self.judged:
            query, row = self.rows[at]
            gains[query][row] = self.gains[at]
        pairs = ((self.answers[at], gains[at]) for at in sorted(touched))
        told = [RankList(one.query, one.features, one.hybrid, mine) for one, mine in pairs]
        return [one for one in told if np.ptp(one.gains) > 0]


def ranked(lists: Sequence[RankList], tested: Sequence[Answer], seed: int) -> dict[str, float]:
    """nDCG@10 of each tested query by trees grown on the lists; by the hybrid score where there are none."""
    if not lists:
        return {one.query: ndcg(one, one.hybrid) for one in tested}
    scale = _scale(lists)
    booster = _grown(lists, _levels(lists), scale, RankerSettings(), seed=seed, rounds=TREES)
    return {one.query: ndcg(one, scale * one.hybrid + booster.predict(one.features, num_threads=1)) for one in tested}


def ndcg(answer: Answer, scores: Real) -> float:
    """Of one query; what nobody judged has no gain."""
    best = np.argsort(-scores, kind="stable")[:DEEP]
    discount = 1 / np.log2(np.arange(2, DEEP + 2))
    got, ideal = np.nan_to_num(answer.gains)[best], answer.ideal[:DEEP]
    return float((got * discount[: len(got)]).sum() / max((ideal * discount[: len(ideal)]).sum(), 1e-12))


def measured(answers: Sequence[Answer], seeds: int) -> dict[str, dict[str, float]]:
    """ "way share" → query → mean nDCG@10 over seeds; "hybrid" and "all" too."""
    sums: dict[str, dict[str, list[float]]] = {}

    def note(name: str, values: dict[str, float]) -> None:
        for query, value in values.items():
            sums.setdefault(name, {}).setdefault(query, []).append(value)

    for seed in range(1, seeds + 1):
        for split in folds([one.query for one in answers], k=5, seed=7):
            inside, outside = ([answers[at] for at in rows] for rows in (split.train, split.test))
            note("hybrid", ranked([], outside, seed))
            for way in WAYS:
                pool = Pool(inside, seed)
                for step in range(1, STEPS + 1):
                    if step > max(SHOWN) and way != WAYS[0]:
                        break
                    pool.judge(round(len(pool.rows) * step / STEPS) - len(pool.judged), way)
                    if step in SHOWN:
                        note(f"{way} {step / STEPS:g}", ranked(pool.lists(), outside, seed))
                if way == WAYS[0]:
                    note("all", ranked(pool.lists(), outside, seed))
            print(f"seed {seed}", file=sys.stderr, flush=True)
    return {name: {query: float(np.mean(values)) for query, values in one.items()} for name, one in sums.items()}


def told(values: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Rows: mean and interval, the difference to all judgments and, of equal number, to chance."""
    rows = []
    for name, mine in values.items():
        spread, full = interval(list(mine.values()), seed=7), compare(mine, values["all"], seed=7)
        row = {"name": name, "nDCG@10": spread.value, "low": spread.low, "high": spread.high}
        row |= {"less_all": full.difference, "less_all_low": full.low, "less_all_high": full.high}
        way, _, share = name.partition(" ")
        if share and way != "random":
            chance = compare(mine, values[f"random {share}"], seed=7)
            row |= {"over_chance": chance.difference, "chance_low": chance.low, "chance_high": chance.high}
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shop", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--gains", default="3=1,2=.1,1=.01,0=0")
    given = parser.parse_args()
    rows = told(measured(answers_of(given.shop, given.gains, given.keep), given.seeds))
    (given.keep / "few_active.json").write_text(json.dumps(rows, indent=1), "utf-8")
    for row in rows:
        line = f"{row['name']:20} {row['nDCG@10']:.4f} [{row['low']:.3f}, {row['high']:.3f}]"
        line += f"  less all {row['less_all']:+.4f} [{row['less_all_low']:+.4f}, {row['less_all_high']:+.4f}]"
        if "over_chance" in row:
            line += f"  over chance {row['over_chance']:+.4f} [{row['chance_low']:+.4f}, {row['chance_high']:+.4f}]"
        print(line)


if __name__ == "__main__":
    main()
