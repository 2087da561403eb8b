"""Judged catalogues and an invented shop in; what each stage of search adds to nDCG@10, in five folds by query, out.

    OMP_NUM_THREADS=1 python benchmarks/ablation.py --keep FOLDER [--sets esci150,taobao250,sample] [--write]

FOLDER has a shop for each set (`learn_fold.py` makes those of real data; `sample` is what `mercer demo FOLDER/sample
--products 1500 --no-serve` leaves). Each query is asked once of the open shop; trees are grown on four fifths of the
queries, their number chosen inside these, and rank the fifth. Of clicks, the first half makes the rates, the next three
tenths are learned from, the last fifth says who is tested. Nothing was chosen on what is reported but `penalty` and
`columns` of the trees, by cross-validation inside the training queries of `esci150`'s first fold.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from mercer.cli.learn_ranker_lists import clicked_lists, judged_lists
from mercer.cli.settings import read_settings
from mercer.doors import Doors, open_doors
from mercer.doors.ranked import studied
from mercer.learn.clicked import Looked, Pages, middle
from mercer.learn.pairs import group_of
from mercer.learn.ranker import fit
from mercer.learn.ranker_settings import RankerSettings
from mercer.measure.compare import compare, interval
from mercer.measure.metric import parse, parse_gains
from mercer.quality.exposure import propensity as curve_of
from mercer.rank.trees import Trees
from mercer.records import Request, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.facts import Facts
from mercer.retrieve.rates import Rates
from mercer.search.features import Features
from mercer.shop import Shop
from mercer.understand.understand import UnderstandSettings

sys.path.insert(0, str(Path(__file__).parent))
from learn_fold import FOLDS, fold_of, shop_of
from results import put

GAINS = {"esci150": "3=1,2=.1,1=.01,0=0", "taobao250": "", "sample": "3=1,2=.6667,1=.3333,0=0"}
SEED, DEPTH = 7, 100
RATES, TESTED = 0.5, 0.8
"""Share of the pages that make rates, and from which on pages are tested."""
PAGES = 1500
"""Most pages of the sample shop that are tested."""
Values = dict[str, float]
HEAD = ["| | queries | nDCG@10, 95 % | to the row it stands on | 95 % |", "|---|---|---|---|---|"]


@contextlib.contextmanager
def opened(folder: Path, *, understand: bool = True) -> Iterator[Doors]:
    settings = read_settings(folder)
    if not understand:
        none = UnderstandSettings(prices=False, negated=0.0, free=0.0)
        settings = dataclasses.replace(settings, understand=none)
    rank = dataclasses.replace(settings.rank, rerank=0, ranker="off")
    settings = dataclasses.replace(settings, rank=rank)
    with contextlib.closing(open_doors(folder, settings, writable=False)) as doors:
        yield doors


class Set:
    """One shop: its queries, its truth, and every untrained row."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.shop = Shop(folder) if name == "sample" else shop_of(name, folder)
        live = self.shop.live("index")
        assert live is not None
        self.index = live.version
        self.card = self.shop.card("index", live.version)
        self.checked = self.shop.path("checked", self.card["checked"])
        texts = {row["query_id"]: row["text"] for row in pq.read_table(self.checked / "queries.parquet").to_pylist()}
        gains = parse_gains(GAINS[name]) if GAINS[name] else {1.0: 1.0, 0.0: 0.0}
        self.truth: dict[str, dict[str, float]] = {}
        for row in pq.read_table(self.checked / "judgments.parquet").to_pylist():
            if row["query_id"] in texts:
                self.truth.setdefault(texts[row["query_id"]], {})[row["product"]] = gains[row["grade"]]
        self.metric = parse("nDCG@10")
        self.behaviour = Behaviour.load(self.shop.path("index", live.version) / "behaviour")
        self.rows: dict[str, Values] = {}
        self.own = RankerSettings()

    def measured(self, runs: Mapping[str, Sequence[str]]) -> Values:
        return dict(self.metric(dict(runs), self.truth))

    def untrained(self) -> None:
        with opened(self.folder, understand=False) as doors:
            for system in ("lexical", "dense", "hybrid"):
                runs = {query: asked(doors, query, system, correct=False) for query in self.truth}
                self.rows[system if system != "hybrid" else "hybrid, as typed"] = self.measured(runs)
        with opened(self.folder) as doors:
            runs = {query: asked(doors, query, "hybrid") for query in self.truth}
        self.rows["+ understanding"] = self.measured(runs)

    def folds(self) -> list[list[str]]:
        return [fold_of(list(self.truth), fold) for fold in range(FOLDS)]

    def answers(self, doors: Doors, features: Features) -> dict[str, tuple[list[str], np.ndarray, np.ndarray]]:
        """Query → ids, hybrid scores and features of its answer; nobody asks, at no moment that counts."""
        found = {}
        for query in self.truth:
            known, answer = doors.searching.candidates(Request(query=query))
            matrix = features(known, Request(query=query), answer, moment=0)
            found[query] = answer.ids, answer.scored.scores, matrix
        return found

    def ranked(self, answers: Mapping[str, Any], trees: Trees, queries: Sequence[str]) -> dict[str, list[str]]:
        runs = {}
        for query in queries:
            ids, hybrid, matrix = answers[query]
            order = np.argsort(-(hybrid + trees(matrix)), kind="stable")
            runs[query] = [ids[at] for at in order[:DEPTH]]
        return runs


def asked(doors: Doors, query: str, system: Any, *, correct: bool = True) -> list[str]:
    return [hit.id for hit in doors.search(Request(query=query, k=DEPTH, correct=correct), system=system).hits]


def judged_rows(one: Set, said: list[str]) -> None:
    """The ranker that people's judgments of the other queries teach."""
    with opened(one.folder) as doors:
        features = studied(one.shop, one.card, doors.index, one.behaviour)
        answers = one.answers(doors, features)
        lists = judged_lists(doors, features, one.truth, one.own, {query: query for query in one.truth})
        one.rows["+ ranker, judgments"] = crossed(one, answers, lists, said, "judgments")


def crossed(one: Set, answers: Mapping[str, Any], lists: Sequence[Any], said: list[str], name: str,
            then: Callable[[Trees, Sequence[str]], None] | None = None) -> Values:  # fmt: skip
    """Values of each query by trees that were grown without it."""
    values: Values = {}
    rounds, gained = [], defaultdict(float)
    for tested in one.folds():
        out = {group_of(query) for query in tested} | set(tested)
        grown = fit([each for each in lists if each.group not in out], one.own, seed=SEED)
        trees = grown.trees if grown.rounds else None
        runs = one.ranked(answers, grown.trees, tested) if trees else {q: answers[q][0][:DEPTH] for q in tested}
        values |= {query: value for query, value in one.measured(runs).items() if query in runs}
        rounds.append(grown.rounds)
        for feature, share in grown.importance.items():
            gained[feature] += share / FOLDS
        if then is not None:
            then(grown.trees, tested)
        print(
            f"{one.name} {name} {len(rounds)}: {grown.rounds} trees, {grown.seconds:.0f} s", file=sys.stderr, flush=True
        )
    best = sorted(gained.items(), key=lambda item: -item[1])[:8]
    said.append(
        f"{name}: {', '.join(map(str, rounds))} trees in the five folds, {len(lists):,} lists; gain by feature: "
        + ", ".join(f"`{feature}` {share:.0%}" for feature, share in best) + "."
    )  # fmt: skip
    return {query: values[query] for query in one.truth}


def clicked_rows(one: Set, said: list[str]) -> list[str]:
    """Rankers that clicks of the other queries teach, as they are and corrected; with and without the shopper."""
    import json

    told = json.loads((one.checked / "manifest.json").read_text("utf-8"))
    reader = Pages(one.checked / "events.parquet", one.checked / "queries.parquet")
    pages = reader()
    middle_of, last = middle(pages, RATES), middle(pages, TESTED)
    events = pq.read_table(one.checked / "events.parquet", filters=[("time", "<", middle_of)])
    behaviour = Behaviour.fit(events)
    taught = [page for page in pages if middle_of <= page.time < last]
    later = [page for page in pages if page.time >= last and page.query in one.truth and page.shopper.products]
    drawn = np.random.default_rng(SEED).permutation(len(later))[:PAGES]
    tests = [later[at] for at in sorted(drawn.tolist())]
    wanted = Liked(one)
    personal: dict[str, dict[int, float]] = defaultdict(dict)
    with opened(one.folder) as doors:
        facts = Facts.of(doors.index.products(doors.index.ids()))
        groups = {query: group_of(query) for query in {page.query for page in pages} | set(one.truth)}
        for name, curve in (("naive", ()), ("corrected", curve_of(told))):
            paths = one.checked / "events.parquet", one.checked / "queries.parquet"
            rates = Rates.fit(*paths, propensity=curve, until=middle_of)
            features = Features(doors.index, facts, rates, behaviour)
            answers = one.answers(doors, features)
            lists = clicked_lists(doors, features, taught, one.own, propensity=curve, groups=groups, seed=SEED)
            then = None
            if name == "corrected":
                then = tester(doors, features, tests, wanted, personal)
            one.rows[f"+ ranker, clicks {name}"] = crossed(one, answers, lists, said, f"clicks {name}", then)
    return personal_table(tests, personal)


def tester(doors: Doors, features: Features, tests: Sequence[Looked], wanted: Liked,
           personal: dict[str, dict[int, float]]) -> Callable[[Trees, Sequence[str]], None]:  # fmt: skip
    """Asks what those who searched later would have liked best, with and without knowing who they are."""

    def then(trees: Trees, tested: Sequence[str]) -> None:
        mine = set(tested)
        for number, page in enumerate(tests):
            if page.query not in mine:
                continue
            gains = wanted(page)
            for name, shopper in (("without the shopper", Shopper("")), ("with the shopper", page.shopper)):
                request = Request(query=page.query, shopper=shopper, context={"device": page.device})
                known, answer = doors.searching.candidates(request)
                matrix = features(known, request, answer, moment=page.time)
                places = np.array([wanted.place[id] for id in answer.ids])
                for row, scores in (("hybrid", answer.scored.scores), (name, answer.scored.scores + trees(matrix))):
                    best = places[np.argsort(-scores, kind="stable")[:10]]
                    discount = 1 / np.log2(np.arange(2, 12))
                    ideal = float((np.sort(gains)[::-1][:10] * discount).sum())
                    personal[row][number] = float((gains[best] * discount[: len(best)]).sum()) / ideal

    return then


class Liked:
    """What only the inventor of the shop knows: the chance that a shopper clicks on each product once seen."""

    def __init__(self, one: Set) -> None:
        from mercer.sample import query, shopper, truth

        self.truth = truth.load(one.folder / "raw")
        goods, self._utility, self._grades = self.truth.goods, shopper.utility, query.grades
        self._colours = shopper.colour_numbers(goods, self.truth.world)
        self.place = {id: number for number, id in enumerate(goods.id)}
        drawn = query.draw(self.truth.settings, goods, self.truth.world)
        self._asked = {each.text: each for each in drawn}
        self._who = shoppers_of(one)

    def __call__(self, page: Looked) -> np.ndarray:
        goods, people = self.truth.goods, self.truth.people
        who = np.array(self._who[page.query, page.time, page.products])
        taste = self._utility(people, goods, who, np.arange(len(goods)), colours=self._colours)
        grade = self._grades(self._asked[page.query], goods)
        return np.where(goods.stock > 0, 1 / (1 + np.exp(-(0.9 * taste + 1.2 * grade - 2.6 + 1.1))), 0.0)


def shoppers_of(one: Set) -> dict[Any, int]:
    """(query, time, products) of a page → number of the shopper: pages themselves name nobody."""
    columns = ["type", "shopper", "session", "query_id", "product", "position", "time"]
    table = pq.read_table(one.checked / "events.parquet", columns=columns)
    texts = {row["query_id"]: row["text"] for row in pq.read_table(one.checked / "queries.parquet").to_pylist()}
    found: dict[Any, list[tuple[int, str]]] = defaultdict(list)
    for row in table.to_pylist():
        if row["type"] == "impression" and row["query_id"] in texts and row["shopper"] and row["position"]:
            key = row["session"], texts[row["query_id"]], row["time"], row["shopper"]
            found[key].append((row["position"], row["product"]))
    return {
        (query, time, tuple(product for _, product in sorted(shown))): int(shopper[1:]) - 1
        for (_, query, time, shopper), shown in found.items()
    }


def personal_table(tests: Sequence[Looked], personal: Mapping[str, Mapping[int, float]]) -> list[str]:
    """By query: the mean over its pages."""
    by: dict[str, Values] = {}
    for row, values in personal.items():
        each = defaultdict(list)
        for number, value in values.items():
            each[tests[number].query].append(value)
        by[row] = {query: float(np.mean(found)) for query, found in each.items()}
    names = ("hybrid", "without the shopper", "with the shopper")
    lines = [f"\n{len(tests)} later pages of known shoppers; the gain is the chance of a click once seen.\n", *HEAD]
    for before, name in zip(("", *names), names, strict=False):
        title = name if name == "hybrid" else f"+ ranker, {name}"
        lines.append(row_of(title, by[name], by[before] if before else None))
    return lines


STANDS_ON = {
    "hybrid, as typed": "lexical",
    "+ understanding": "hybrid, as typed",
    "+ ranker, judgments": "+ understanding",
    "+ ranker, clicks naive": "+ understanding",
    "+ ranker, clicks corrected": "+ ranker, clicks naive",
}


def row_of(title: str, values: Values, before: Values | None) -> str:
    mean = interval(list(values.values()), seed=SEED)
    start = f"| {title} | {len(values)} | {mean.value:.4f} [{mean.low:.3f}, {mean.high:.3f}] |"
    if before is None:
        return start + " | |"
    told = compare(values, before, seed=SEED)
    return f"{start} {told.difference:+.4f} ({told.relative or 0:+.1%}) | {told.low:+.4f} … {told.high:+.4f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, default=Path(".tmp/learn"), help="Shops.")
    parser.add_argument("--sets", default="esci150,taobao250,sample")
    parser.add_argument("--write", action="store_true", help="Into RESULTS.md.")
    given = parser.parse_args()
    lines = [f"`benchmarks/ablation.py`, {datetime.now(UTC):%Y-%m-%d}, zero-shot encoders, one thread.\n"]
    for name in given.sets.split(","):
        began, said, more = time.monotonic(), [], []
        one = Set(name, given.keep / name)
        one.untrained()
        judged_rows(one, said)
        if name == "sample":
            more = clicked_rows(one, said)
        rows = [row_of(row, values, one.rows.get(STANDS_ON.get(row, ""))) for row, values in one.rows.items()]
        lines += [f"### {name}\n", *HEAD, *rows, *more, "", *said, f"\n{time.monotonic() - began:.0f} s.\n"]
        print("\n".join(lines), flush=True)
    if given.write:
        put("ablation", "What each stage of search adds", lines)


if __name__ == "__main__":
    main()
