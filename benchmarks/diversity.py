"""A shop with judged queries in; what each spread of the first ten costs in nDCG@10 and brings in variety, out.

    OMP_NUM_THREADS=1 nice python benchmarks/diversity.py esci150=SHOP taobao250=SHOP [--plot FILE.png] [--write]

SHOP is a copy of a checked and indexed shop whose [data] has queries and judgments. Queries are split in two halves by
a fixed seed: the curve over all weights is of the first; the second, which chose nothing, has the weights that a rule
fixed beforehand takes from the curve (the largest that costs at most .005 nDCG@10 there) with paired intervals.
"meaning" is mmr by cosine; the others are by category and brand. Variety is measured in two ways: by kinds a page
(distinct category paths and brands among the first ten), and by unlikeness (mean of 1 - cosine over the pairs of the
first ten, of the index's vectors; "meaning" spreads over just that, the others do not).
Coverage is the share of the catalogue that is on some first page. Where the shop has events, floors are measured too.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from mercer.cli.settings import read_settings
from mercer.doors import Doors, open_doors
from mercer.measure.compare import interval
from mercer.measure.metric import parse
from mercer.rank.diverse import DiverseSettings
from mercer.rank.rules import Rules
from mercer.records import Product, Request
from mercer.search import Search

sys.path.insert(0, str(Path(__file__).parent))
from results import put

GAINS = {"esci150": {3.0: 1.0, 2.0: 0.1, 1.0: 0.01, 0.0: 0.0}}
WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
FLOORS = (0.1, 0.2, 0.3, 0.5)
COST = 0.005
"""nDCG@10 that a weight may cost on the first half."""
MEASURES = ("nDCG@10", "categories", "brands", "unlikeness", "tail")


class Judged:
    """One shop's queries, truth and doors."""

    def __init__(self, name: str, folder: Path) -> None:
        import pyarrow.parquet as pq

        self.name = name
        self.doors: Doors = open_doors(folder, read_settings(folder), writable=False)
        source = self.doors.shop.path("checked", self.doors.shop.card("index", self.doors.version)["checked"])
        self.truth: dict[str, dict[str, float]] = {}
        for row in pq.read_table(source / "judgments.parquet").to_pylist():
            self.truth.setdefault(row["query_id"], {})[row["product"]] = row["grade"]
        rows = pq.read_table(source / "queries.parquet").to_pylist()
        self.queries = {row["query_id"]: row["text"] for row in rows if row["query_id"] in self.truth}
        self.metric = parse("nDCG@10", gains=GAINS.get(name))
        self.products: dict[str, Product] = {}
        self.head = self.doors.searching.otherwise(
            ranking=dataclasses.replace(self.doors.searching.ranking, diversity=DiverseSettings(tail=0.1))
        )._rank.spread.head  # type: ignore[union-attr]  # tail is on
        ids = sorted(self.queries)
        random.Random(11).shuffle(ids)
        self.halves = (ids[::2], ids[1::2])

    def asked(self, settings: DiverseSettings, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Each measure query by query; and under "shown" the products of all first pages."""
        ranking = dataclasses.replace(self.doors.searching.ranking, diversity=settings)
        search: Search = self.doors.searching.otherwise(ranking=ranking)
        pages = {id: search(Request(query=self.queries[id], k=10), rules=Rules()).hits for id in ids}
        scored = self.metric({id: [hit.id for hit in hits] for id, hits in pages.items()}, self.truth)
        found: dict[str, list[float]] = {name: [] for name in MEASURES}
        for id in ids:
            products = [hit.product for hit in pages[id]]
            found["nDCG@10"].append(scored[id])
            found["categories"].append(len({product.category for product in products if product.category}))
            found["brands"].append(len({product.brand for product in products if product.brand}))
            found["unlikeness"].append(self._unlike([product.id for product in products]))
            found["tail"].append(float(np.mean([product.id not in self.head for product in products] or [0])))
        shown = np.array(sorted({hit.id for hits in pages.values() for hit in hits}))
        return {**{name: np.array(values) for name, values in found.items()}, "shown": shown}

    def _unlike(self, ids: list[str]) -> float:
        vectors = self.doors.index.vectors(ids)
        if len(vectors) < 2:
            return 0.0
        upper = np.triu_indices(len(vectors), 1)
        return float(1 - (vectors @ vectors.T)[upper].mean())

    def coverage(self, found: Mapping[str, np.ndarray]) -> float:
        return len(found["shown"]) / self.doors.index.count()


def tried(*, has_kinds: bool, has_events: bool) -> list[tuple[str, DiverseSettings]]:
    """What is compared with the order as it is: nothing by category and brand where a shop has neither."""
    ways = [(f"mmr {weight:g}", DiverseSettings("mmr", weight)) for weight in WEIGHTS]
    ways += [(f"xquad {weight:g}", DiverseSettings("xquad", weight)) for weight in WEIGHTS]
    ways = ways if has_kinds else []
    ways += [(f"meaning {weight:g}", DiverseSettings("mmr", weight, by=("meaning",))) for weight in WEIGHTS]
    floors = [(f"tail ≥ {share:g}", DiverseSettings(tail=share)) for share in FLOORS]
    return ways + (floors if has_events else [])


def row(name: str, label: str, judged: Judged, found: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    def change(measure: str) -> str:
        how = interval(found[measure] - base[measure], seed=7)
        return f"{how.value:+.4f} ({how.low:+.4f} … {how.high:+.4f})" if how.low != how.high else f"{how.value:+.4f}"

    cells = [f"{found['nDCG@10'].mean():.4f}", change("nDCG@10")]
    for measure in ("categories", "brands", "unlikeness"):
        cells += [f"{found[measure].mean():.3f}", change(measure)]
    cells.append(f"{judged.coverage(found):.2%}")
    if judged.head:
        cells.append(f"{found['tail'].mean():.1%}")
    return f"| {name} | {label} | " + " | ".join(cells) + (" |" if judged.head else " | - |")


HEAD = [
    "| shop | order | nDCG@10 | to as it is, 95 % | categories | to as it is | brands | to as it is | unlikeness | "
    "to as it is | coverage | tail |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
]


def measure(
    judged: Judged, only: Sequence[str] = ()
) -> tuple[list[str], list[str], dict[str, list[tuple[float, float, float]]]]:
    """Rows of the curve, rows of the half that chose nothing, and points to draw."""
    curve, kept, points = [], [], dict[str, list[tuple[float, float, float]]]()
    choosing, reporting = judged.halves
    base = judged.asked(DiverseSettings(), choosing)
    curve.append(row(judged.name, "as it is", judged, base, base))
    chosen: dict[str, tuple[str, DiverseSettings]] = {}
    for label, settings in tried(
        has_kinds=base["categories"].any() or base["brands"].any(), has_events=bool(judged.head)
    ):
        if only and label.split()[0] not in only:
            continue
        found = judged.asked(settings, choosing)
        curve.append(row(judged.name, label, judged, found, base))
        cost = float((base["nDCG@10"] - found["nDCG@10"]).mean())
        way = label.split()[0]
        points.setdefault(way, [(0.0, base["nDCG@10"].mean(), base["unlikeness"].mean())])
        points[way].append((settings.weight, found["nDCG@10"].mean(), found["unlikeness"].mean()))
        if cost <= COST:
            chosen[way] = (label, settings)
        print(judged.name, label, f"{cost:+.4f}", file=sys.stderr, flush=True)
    after = judged.asked(DiverseSettings(), reporting)
    kept.append(row(judged.name, "as it is", judged, after, after))
    for label, settings in chosen.values():
        kept.append(row(judged.name, label, judged, judged.asked(settings, reporting), after))
    return curve, kept, points


def draw(every: Mapping[str, Mapping[str, list[tuple[float, float, float]]]], path: Path) -> None:
    """Relevance against variety, a panel a shop."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(every), figsize=(5 * len(every), 4), squeeze=False, layout="constrained")
    for panel, (name, ways) in zip(panels[0], every.items(), strict=True):
        for way, points in ways.items():
            panel.plot([one[2] for one in points], [one[1] for one in points], marker="o", label=way)
        panel.set(title=name, xlabel="unlikeness of the first ten (1 - cosine)", ylabel="nDCG@10")
        panel.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--only", nargs="+", default=(), help="mmr, xquad, meaning or tail")
    parser.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    given = parser.parse_args()
    curves, kept, drawn = list[str](), list[str](), {}
    sizes = []
    for shop in given.shops:
        name, _, folder = shop.partition("=")
        judged = Judged(name, Path(folder))
        sizes.append(f"{name}: {len(judged.halves[0])} and {len(judged.halves[1])} queries")
        rows, held, drawn[name] = measure(judged, given.only)
        curves, kept = curves + rows, kept + held
        judged.doors.close()
    lines = [
        f"`benchmarks/diversity.py`, {datetime.now(UTC):%Y-%m-%d}; {'; '.join(sizes)}. "
        f"{(__doc__ or '')[(__doc__ or '').index('Queries are split') :].strip()}",
        "",
        "The half that chose nothing, at the largest weight that cost at most .005 on the other:",
        "",
        *HEAD,
        *kept,
        "",
        "The curve, on the half that chose:",
        "",
        *HEAD,
        *curves,
        "",
    ]
    print("\n".join(lines))
    if given.plot:
        draw(drawn, given.plot)
    if given.write:
        put("diversity", "Diversity: what it costs and brings", lines)


if __name__ == "__main__":
    main()
