"""A shop's reviews in; a model that tells a rating from (shopper's history, product), and its honest AUC, out.

python examples/rating_regression.py work [--products 1000 --steps 300 --model minilm]

The textbook recipe writes "User 12 recommends item 7 with rating 4" and asks for the 4. Here the label is passed to
the loss and never written into the input, no id is in it, history ends before the review, and the newest reviews are
tested. Both ways are shown side by side, and `check_training` blocks the first. See docs/en/leakage.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mercer.encode.choose import EncodeSettings
from mercer.encode.head import open_judge
from mercer.encode.source import default_cache, resolve
from mercer.learn.classify import tune_classifier
from mercer.learn.feature import histories, product_text
from mercer.learn.lists import Examples
from mercer.learn.settings import LearnSettings
from mercer.measure.classify import auc
from mercer.measure.split import by_time
from mercer.quality.read import read
from mercer.quality.training import check_training
from mercer.records import Product
from mercer.sample.generate import generate
from mercer.sample.settings import SampleSettings

GOOD = 4.0
"""Stars from which a review recommends."""


def main(words: Sequence[str] = ()) -> dict[str, float]:
    """Make a shop, check both kinds of training table, train on the honest one, and compare on newer reviews."""
    options = _options(words)
    work = Path(options.folder)
    settings = SampleSettings(
        products=options.products, shoppers=max(30, options.products // 2), events=40 * options.products, images=0
    )
    made = generate(work / "raw", settings)
    rows = sorted(read("reviews", made.files["reviews"]).table.to_pylist(), key=lambda row: row["time"])
    products = {row["id"]: Product.from_row(row) for row in read("products", made.files["products"]).table.to_pylist()}
    rows = [row for row in rows if row["product"] in products and row["rating"] is not None]
    split = by_time([row["time"] for row in rows], test=0.2)
    first, second = histories(rows, products), [product_text(products[row["product"]]) for row in rows]

    checks(rows, first, second, split.train)
    train, test = (_picked(rows, first, second, part) for part in (split.train, split.test))
    cut = int(0.9 * len(train))
    tuned = tune_classifier(
        resolve(options.model, cache=default_cache(), timeout=5.0),
        _slice(train, 0, cut),
        LearnSettings(batch=16, steps=options.steps, length=160, evaluations=4, valid=0.1),
        folder=work / "model",
        work=work / "training",
        kind="rating",
        valid=_slice(train, cut, len(train)),
        tick=lambda step, steps, _: print(f"\rstep {step} of {steps}", end="", file=sys.stderr),
    )
    print(f"\n{tuned.steps} steps, {tuned.seconds:.0f} s", file=sys.stderr)
    judge = open_judge(work / "model", settings=EncodeSettings(engine="torch"))
    said = judge(test.first, test.second)[:, 0]
    wanted = np.asarray(test.targets)
    figures = {"model": auc(wanted >= GOOD, said), **baselines(rows, split.train, split.test)}
    for name, value in figures.items():
        print(f"{name:24} AUC {value:.3f}")
    print(f"{'model':24} RMSE {float(np.sqrt(np.mean((said - wanted) ** 2))):.3f}, {len(wanted)} newer reviews")
    return figures


def checks(rows: Sequence[Mapping[str, Any]], first: Sequence[str], second: Sequence[str], train: Any) -> None:
    """What Mercer says of the textbook's table, and of this one."""
    told = [rows[at] for at in train]
    label = pa.array([float(row["rating"] >= GOOD) for row in told])
    textbook = [f"User {row['shopper']} recommends item {row['product']} with rating {row['rating']:g}" for row in told]
    honest = [f"{first[at]} -> {second[at]}" for at in train]
    for name, texts in (("of the textbook", textbook), ("made here", honest)):
        checked = check_training(pa.table({"text": texts, "good": label}), label="good", inputs=["text"])
        print(f"training table {name}: gate {checked.gate.status}")
        for reason in checked.reasons() if checked.gate.status == "block" else ():
            print(f"  {reason}")


def baselines(rows: Sequence[Mapping[str, Any]], train: Any, test: Any) -> dict[str, float]:
    """AUC of what needs no model: the product's and the shopper's mean rating so far, shrunk to the mean of all."""
    wanted = np.array([rows[at]["rating"] >= GOOD for at in test])
    found = {"chance": 0.5}
    for name in ("product", "shopper"):
        found[f"mean of the {name}"] = auc(wanted, _means(rows, name, train, test))
    return found


def _means(rows: Sequence[Mapping[str, Any]], name: str, train: Any, test: Any, shrink: float = 5.0) -> NDArray[Any]:
    middle = float(np.mean([rows[at]["rating"] for at in train]))
    sums: dict[str, list[float]] = {}
    for at in train:
        sums.setdefault(rows[at][name], []).append(rows[at]["rating"])
    return np.array(
        [(sum(known := sums.get(rows[at][name], [])) + shrink * middle) / (len(known) + shrink) for at in test]
    )


def _picked(rows: Any, first: Sequence[str], second: Sequence[str], part: Any) -> Examples:
    """Labels are passed beside the texts; nothing of them stands in a text."""
    shown = [first[at] or "nothing yet" for at in part]
    return Examples(shown, [rows[at]["rating"] for at in part], [second[at] for at in part])


def _slice(examples: Examples, low: int, high: int) -> Examples:
    second = examples.second[low:high] if examples.second is not None else None
    return Examples(examples.first[low:high], examples.targets[low:high], second)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--model", default="e5")
    return parser.parse_args(words)


if __name__ == "__main__":
    main(sys.argv[1:])
