"""Judgments and two run files in; their metrics with intervals, and whether the second is better, out.

python examples/measure_your_ranking.py judgments.qrels before.tsv after.tsv
A run file has a line "query<TAB>product" for each product, best first.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from mercer.measure.board import Board
from mercer.measure.metric import parse_all
from mercer.quality.read import read


def run_file(path: str) -> dict[str, list[str]]:
    """Query → products, best first."""
    ranked: defaultdict[str, list[str]] = defaultdict(list)
    for line in Path(path).read_text("utf-8").splitlines():
        query, product = line.split("\t")
        ranked[query].append(product)
    return ranked


def main(judgments: str, before: str, after: str) -> None:
    """Measure both over the same judgments and print the board; before is the baseline."""
    truth: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in read("judgments", Path(judgments)).table.to_pylist():
        truth[row["query_id"]][row["product"]] = row["grade"]
    metrics = parse_all(["nDCG@10", "Recall@100", "MRR@10"])
    runs = {"before": run_file(before), "after": run_file(after)}
    values = {name: {metric.name: metric(run, truth) for metric in metrics} for name, run in runs.items()}
    print(Board.of("search", values, seed=7).text())


if __name__ == "__main__":
    main(*sys.argv[1:])
