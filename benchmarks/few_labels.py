"""Labelled texts in; what each way of learning from few of them is worth, and what all of them give, out.

    python benchmarks/few_labels.py curve --keep FOLDER [--ways frozen,tfidf,both,self] [--shots 1,5,10,50]
    python benchmarks/few_labels.py full --keep FOLDER
    python benchmarks/few_labels.py reviews --keep FOLDER

curve: banking77, its own test set. full: a tenth of its training set is put aside; how much a tuned encoder counts
beside the head over frozen vectors and n-grams is chosen there, the test set is looked at once. reviews: 32 labels (16
a class) of online_shopping_10_cats without copies, 3,000 others tested, 3,000 more without their labels. Vectors
stay in FOLDER.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mercer.cli.measure_classify import labelled_texts, measure_ways
from mercer.encode import EncodeSettings, load
from mercer.encode.cache import VectorCache
from mercer.encode.source import default_cache, resolve
from mercer.learn.few_ways import WAYS, Case, Seen, drawn, right
from mercer.measure.compare import compare, interval

DATA = Path(__file__).parents[2] / "shared" / "data"
BANKING = DATA / "support" / "banking77"
REVIEWS = DATA / "opinion" / "online_shopping_10_cats" / "reviews.csv.gz"
SEED, TESTED, SHOTS = 7, 3000, 16
MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)


def curve(keep: Path, ways: Sequence[str], shots: Sequence[int], seeds: int) -> list[dict[str, Any]]:
    """Accuracy on banking77's test set by texts a class."""
    learned, tested = (labelled_texts(BANKING / f"{name}.csv", "text", "category") for name in ("train", "test"))
    return measure_ways(learned, tested, ways=ways, shots=shots, seeds=seeds, source="minilm", cache=keep, seed=SEED)


def full(keep: Path) -> dict[str, Any]:
    """All of banking77's training texts but a tenth, which the mix is chosen by."""
    learned, tested = (labelled_texts(BANKING / f"{name}.csv", "text", "category") for name in ("train", "test"))
    order = np.random.default_rng(77).permutation(len(learned[0]))
    aside, inside = order[: len(order) // 10], order[len(order) // 10 :]
    valid, texts = ([learned[0][row] for row in rows] for rows in (aside, inside))
    said, labels = ([learned[1][row] for row in rows] for rows in (aside, inside))
    encoder, cache = load("minilm", texts=["a"]), VectorCache(keep)
    seen = Seen(encoder, [*learned[0], *tested[0]], lambda held: cache.encode(encoder, held, side="query"))
    model = resolve("minilm", cache=default_cache(), timeout=5.0)
    case = Case(texts, labels, [], SEED, seen, model)
    asked = [*valid, *tested[0]]
    found = {way: WAYS[way](case, asked) for way in ("frozen", "both", "tuned")}
    names, many = found["both"][0], len(valid)
    mixed = {share: share * found["tuned"][1] + (1 - share) * found["both"][1] for share in MIXES}
    by = {share: float(right((names, one[:many]), said)[0].mean()) for share, one in mixed.items()}
    best = max(by, key=lambda share: by[share])
    found["mixed"] = (names, mixed[best])
    hits = {way: right((one[0], one[1][many:]), tested[1])[0] for way, one in found.items()}
    return {"valid_by_share_of_tuned": by, "chosen": best, "rows": told(hits)}


def reviews(keep: Path, seeds: int) -> dict[str, Any]:
    """Sentiment of Chinese reviews with 32 labels; copies of a review are one."""
    with gzip.open(REVIEWS, "rt", encoding="utf-8-sig") as handle:
        rows = {row["review"].strip(): row["label"] for row in csv.DictReader(handle) if row["review"].strip()}
    texts = sorted(rows)
    random.Random(SEED).shuffle(texts)
    order = np.random.default_rng(SEED).permutation(len(texts))
    tested, free = order[:TESTED], order[TESTED : 3 * TESTED]
    encoder, cache = load("e5", texts=texts[:100], settings=EncodeSettings(max_length=64)), VectorCache(keep)
    used = [texts[row] for row in (*tested, *free)]
    seen = Seen(encoder, used, lambda held: cache.encode(encoder, held))
    hits: dict[str, list[Any]] = {}
    for number in range(seeds):
        chosen = free[drawn([rows[texts[row]] for row in free], SHOTS, seed=SEED + number)]
        rest = [texts[row] for row in np.setdiff1d(free, chosen)[:TESTED]]
        case = Case([texts[row] for row in chosen], [rows[texts[row]] for row in chosen], rest, SEED + number, seen)
        for way in ("frozen", "tfidf", "both", "self"):
            answers = [rows[texts[row]] for row in tested]
            hits.setdefault(way, []).append(right(WAYS[way](case, [texts[row] for row in tested]), answers)[0])
    return {"labels": 2 * SHOTS, "draws": seeds, "rows": told({way: np.mean(one, axis=0) for way, one in hits.items()})}


def told(hits: dict[str, Any]) -> list[dict[str, Any]]:
    """Accuracy with its interval, and the difference to the first way."""
    first, rows = next(iter(hits)), []
    each = {way: {str(at): float(hit) for at, hit in enumerate(one)} for way, one in hits.items()}
    for way, mine in each.items():
        spread, gain = interval(list(mine.values()), seed=SEED), compare(mine, each[first], seed=SEED)
        row = {"way": way, "accuracy": spread.value, "low": spread.low, "high": spread.high}
        rows.append(row | {"gain": gain.difference, "gain_low": gain.low, "gain_high": gain.high, "p": gain.p})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("curve", "full", "reviews"))
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--ways", default="frozen,tfidf,both,self")
    parser.add_argument("--shots", default="1,5,10,50")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    began = time.process_time()
    if given.part == "curve":
        shots = [int(one) for one in given.shots.split(",")]
        found: Any = {"rows": curve(given.keep, given.ways.split(","), shots, given.seeds)}
    else:
        found = full(given.keep) if given.part == "full" else reviews(given.keep, given.seeds)
    found["cpu_seconds"] = round(time.process_time() - began, 1)
    given.keep.mkdir(parents=True, exist_ok=True)
    (given.keep / f"few_{given.part}.json").write_text(json.dumps(found, indent=1), "utf-8")
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
