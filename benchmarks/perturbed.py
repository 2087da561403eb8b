"""Judged queries with one mistake each in; what it costs nDCG@10, without and with spelling correction, out.

    OMP_NUM_THREADS=1 nice python benchmarks/perturbed.py esci150 taobao250 [--write] [--choose] [--cache FOLDER]

Every query is spoilt in each way, by three seeds: `--choose` takes seeds 1-3 and one half of the queries, for choosing
settings; without it seeds 11-13 and the other half, which is what is reported. The corrector has learned from the
products alone, not from any query. How mistakes are made, and what the corrector shares with that: `spoil.py`.
"Corrected" is what the live door asks: normalised, then spelling. Every product is scored, by the live settings of
ranking. Out of domain are the other set's queries: none of them is answered here, so their row says how many of them
the corrector bends to this shop's words, and how well the best hit's score tells them from clean ones.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mercer.encode import Encoder, load
from mercer.encode.cache import VectorCache
from mercer.encode.source import default_cache
from mercer.measure.compare import interval
from mercer.measure.metric import parse
from mercer.quality.read import read as read_table
from mercer.rank.hybrid import Background, HybridSettings, hybrid
from mercer.records import Product
from mercer.retrieve.analyze import grams, words
from mercer.retrieve.bm25 import K1, B, Statistics
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.text import TextSettings, lexical_grams, lexical_words, passage
from mercer.understand.normalise import normalise
from mercer.understand.spelling import Spelling
from mercer.understand.understand import Understand, UnderstandSettings

sys.path.insert(0, str(Path(__file__).parent))
from base import ESCI, SHARED, TREC
from results import put
from spoil import OTHERS, TYPOS

SETS = {"esci150": ("minilm", "products.jsonl.gz"), "taobao250": ("e5", "products.jsonl")}
GAINS = {3.0: 1.0, 2.0: 0.1, 1.0: 0.01, 0.0: 0.0}


class Words:
    """BM25 over all products at once, as `retrieve.bm25` has it."""

    def __init__(self, tokens: Sequence[Sequence[str]], of_query: Callable[[str], list[str]]) -> None:
        self.statistics, self.of_query, self.size = Statistics(), of_query, len(tokens)
        held: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for row, own in enumerate(tokens):
            self.statistics.add(own)
            for token, count in Counter(own).items():
                held[token].append((row, count))
        mean = self.statistics.length / self.statistics.products
        norm = K1 * (1 - B + B * np.array([len(own) for own in tokens]) / mean)
        self.held: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for token, pairs in held.items():
            rows, counts = np.array(pairs).T
            weight = self.statistics.idf(token) * counts * (K1 + 1) / (counts + norm[rows])
            self.held[token] = (rows, weight.astype(np.float32))

    def __call__(self, query: str) -> tuple[np.ndarray, float]:
        scores, tokens = np.zeros(self.size), self.of_query(query)
        for token in tokens:
            if token in self.held:
                rows, weight = self.held[token]
                scores[rows] += weight
        return scores, self.statistics.attainable(tokens)


def queries(source: Path) -> dict[str, str]:
    return dict(line.split("\t") for line in (source / "queries.tsv").read_text("utf-8").splitlines())


class Judged:
    """One set: its products, queries and truth, and every arm over them."""

    def __init__(self, name: str, folder: Path) -> None:
        source = SHARED / "search" / name
        mapping = {"mapping": ESCI} if name == "esci150" else {}
        rows = read_table("products", source / SETS[name][1], **mapping).table.to_pylist()
        self.products = [Product.from_row(row) for row in rows]
        self.ids = [product.id for product in self.products]
        self.truth: dict[str, dict[str, float]] = {}
        for row in read_table("judgments", source / "qrels.tsv", mapping=TREC).table.to_pylist():
            self.truth.setdefault(row["query_id"], {})[row["product"]] = row["grade"]
        self.queries = {id: text for id, text in queries(source).items() if id in self.truth}
        self.metric = parse("nDCG@10", gains=GAINS if name == "esci150" else None)
        settings = TextSettings()
        self.words = Words([lexical_words(product, settings) for product in self.products], words)
        self.grams = Words([lexical_grams(product) for product in self.products], grams)
        self.encoder: Encoder = load(SETS[name][0])
        self.vectors = VectorCache(folder).encode(self.encoder, [passage(product) for product in self.products])
        self.sample = self.vectors[:: max(1, len(self.products) // 512)][:512]
        reads = UnderstandSettings(prices=False, negated=0.0, free=0.0)
        self.understand = Understand(settings=reads, spelling=Spelling.build(self.products, {}))
        self.settings, self.weight = HybridSettings(), IndexSettings().grams
        self._known: dict[tuple[str, bool], list[str]] = {}
        self.score: dict[str, float] = {}
        """Of a text's best hit."""

    def ask(self, texts: Sequence[str]) -> None:
        """Work out the first ten of each text, by both arms and by words alone."""
        new = [text for text in dict.fromkeys(texts) if (text, True) not in self._known]
        vectors = self.encoder(new, side="query") if new else []
        for text, vector in zip(new, vectors, strict=True):
            (by_words, top), (by_grams, top_grams) = self.words(text), self.grams(text)
            lexical = by_words + self.weight * by_grams
            both = hybrid(
                lexical,
                (self.vectors @ vector).astype(float),
                attainable=top + self.weight * top_grams,
                background=Background.of(self.sample @ vector),
                settings=self.settings,
            ).scores
            self.score[text] = float(both.max())
            self._known[text, True], self._known[text, False] = self._first(both), self._first(by_words)

    def mended(self, text: str) -> str:
        """As the live door asks it, but for prices and negation, which these sets' mistakes do not touch."""
        return self.understand(text).words

    def _first(self, scores: np.ndarray) -> list[str]:
        order = np.argsort(-scores, kind="stable")[:10]
        return [self.ids[row] for row in order if scores[row] > 0]

    def measure(self, asked: Mapping[str, str], *, both: bool = True) -> dict[str, float]:
        return dict(self.metric({id: self._known[text, both] for id, text in asked.items()}, self.truth))


def table(name: str, folder: Path, seeds: Sequence[int], half: int) -> list[str]:
    judged = Judged(name, folder)
    chosen = sorted(judged.queries)
    random.Random(5).shuffle(chosen)
    clean = {id: judged.queries[id] for id in chosen[half::2]}
    mended = {id: judged.mended(text) for id, text in clean.items()}
    changed = [f"{text} → {mended[id]}" for id, text in clean.items() if mended[id] != normalise(text)]
    judged.ask([*clean.values(), *mended.values()])
    base, words_base = judged.measure(clean), judged.measure(clean, both=False)
    ways = {**TYPOS[name], **OTHERS[name]}
    every: dict[str, list[dict[str, np.ndarray]]] = {way: [] for way in ways}
    for way, spoil in ways.items():
        for seed in seeds:
            typed = {id: spoil(text, random.Random(f"{seed} {way} {id}")) for id, text in clean.items()}
            right = {id: judged.mended(text) for id, text in typed.items()}
            judged.ask([*typed.values(), *right.values()])
            runs = {"typed": judged.measure(typed), "right": judged.measure(right)}
            runs["words"] = judged.measure(typed, both=False)
            every[way].append({kind: np.array([run[id] for id in clean]) for kind, run in runs.items()})
        print(name, way, file=sys.stderr, flush=True)
    start, words_start = np.array([base[id] for id in clean]), np.array([words_base[id] for id in clean])
    said = judged.measure(mended)
    after = np.array([said[id] for id in clean])
    lines = [row("clean", start, start, after, words_start, words_start)]
    means = {
        way: {kind: np.mean([one[kind] for one in runs], axis=0) for kind in runs[0]} for way, runs in every.items()
    }
    one_typo = {
        kind: np.mean([means[way][kind] for way in TYPOS[name]], axis=0) for kind in ("typed", "right", "words")
    }
    for way, mean in (("**one typo**", one_typo), *means.items()):
        lines.append(row(way, start, mean["typed"], mean["right"], words_start, mean["words"]))
    lines.append(
        f"\n{name}: {len(clean)} queries, seeds {', '.join(map(str, seeds))}, {len(judged.products):,} products. Clean "
        f"queries that are changed: {len(changed)}{': ' if changed else ''}{'; '.join(changed)}.\n"
    )
    return [*lines, *outside(judged, [*clean.values()], name)]


def outside(judged: Judged, clean: Sequence[str], name: str) -> list[str]:
    """What becomes of the other sets' queries, of which this shop sells nothing, or only by accident."""
    others = [text for other in SETS if other != name for text in queries(SHARED / "search" / other).values()]
    mended = [judged.mended(text) for text in others]
    judged.ask([*others, *mended])
    inside, out = np.array([judged.score[text] for text in clean]), np.array([judged.score[text] for text in mended])
    told = float(np.mean((inside[:, None] > out) + 0.5 * (inside[:, None] == out)))
    bent = sum(normalise(before) != after for before, after in zip(others, mended, strict=True))
    return [
        f"Out of domain: of {len(others)} queries of another shop {bent} are changed; their best hit scores "
        f"{np.median(out):.3f} in the median, that of clean queries {np.median(inside):.3f}, and a clean query's is "
        f"the higher one in {told:.1%} of pairs.\n"
    ]


def row(way: str, clean: np.ndarray, typed: np.ndarray, right: np.ndarray, words_clean: np.ndarray,
        words_typed: np.ndarray) -> str:  # fmt: skip
    def share(now: np.ndarray, before: np.ndarray) -> str:
        return f"{(now.mean() - before.mean()) / before.mean():+.1%}"

    lost, won = interval(right - clean, seed=7), interval(right - typed, seed=7)
    return (
        f"| {way} | {typed.mean():.4f} | {share(typed, clean)} | {right.mean():.4f} | {share(right, clean)} | "
        f"{lost.low:+.4f} … {lost.high:+.4f} | {won.low:+.4f} … {won.high:+.4f} | {words_typed.mean():.4f} | "
        f"{share(words_typed, words_clean)} |"
    )


HEAD = [
    "| mistake | as typed | to clean | corrected | to clean | corrected − clean, 95 % | corrected − as typed, 95 % | "
    "words alone, as typed | to clean |",
    "|---|---|---|---|---|---|---|---|---|",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=list(SETS))
    parser.add_argument("--choose", action="store_true", help="Seeds 1-3 on the half that settings are chosen on.")
    parser.add_argument("--seeds", type=int, nargs="+", help="Other seeds than these.")
    parser.add_argument("--cache", type=Path, default=default_cache() / "bench", help="Folder of known vectors.")
    parser.add_argument("--write", action="store_true", help="Into RESULTS.md.")
    options = parser.parse_args()
    seeds, half = ((1, 2, 3), 0) if options.choose else ((11, 12, 13), 1)
    seeds = tuple(options.seeds or seeds)
    said = [
        f"`benchmarks/perturbed.py`, {datetime.now(UTC):%Y-%m-%d}, nDCG@10 of the hybrid door, zero-shot encoders.\n"
    ]
    for name in options.sets:
        lines = table(name, options.cache, seeds, half)
        said += [f"### {name}\n", *HEAD, *lines]
        print("\n".join([*HEAD, *lines]), flush=True)
    if options.write:
        put("perturbed", "Mistyped queries", said)


if __name__ == "__main__":
    main()
