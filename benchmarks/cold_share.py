"""A shop with purchases in; the share of home pages of products that nobody has bought yet, and its cost, out.

    OMP_NUM_THREADS=1 nice python benchmarks/cold_share.py SHOP [--days 28] [--shoppers 400] [--write]

SHOP is a copy of an indexed shop such as one made from Online Retail. Behaviour is learnt from what lies before the
last --days days; a product that was first bought later is cold then. For shoppers of both sides, drawn by a fixed seed,
the first ten of home are asked for as the door gives them and with a floor for new products (`fresh` of
`[recommend.diversity]`): the share of places that cold products have, and the share of pages with one bought later (a
hit), with paired intervals. What few cold products get bought is told, too: a fair chance is their share of what is
bought, not of the catalogue.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercer.cli.settings import read_settings
from mercer.doors import open_doors
from mercer.measure.compare import interval
from mercer.rank.diverse import DiverseSettings
from mercer.recommend import Recommend, RecommendSettings
from mercer.records import Request, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.history import DAY

sys.path.insert(0, str(Path(__file__).parent))
from results import put

FLOORS = (0.0, 0.1, 0.2, 0.3)


def main() -> None:
    """Split by time, ask, print."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("shop", type=Path)
    given.add_argument("--days", type=float, default=28)
    given.add_argument("--shoppers", type=int, default=400)
    given.add_argument("--write", action="store_true", help="write the section into RESULTS.md")
    told = given.parse_args()
    doors = open_doors(told.shop, read_settings(told.shop), writable=False)
    checked = doors.shop.path("checked", doors.shop.card("index", doors.version)["checked"])
    events = pq.read_table(checked / "events.parquet")
    cut = pc.max(events["time"]).as_py() - int(told.days * DAY)
    before = events.filter(pc.less_equal(events["time"], cut))
    products = doors.index.products(doors.index.ids())
    behaviour = Behaviour.fit(before, products=products)
    early = set(before["product"].to_pylist())
    later: dict[str, set[str]] = {}
    rows = events.filter(pc.and_(pc.greater(events["time"], cut), pc.equal(events["type"], "purchase")))
    for shopper, product in zip(rows["shopper"].to_pylist(), rows["product"].to_pylist(), strict=True):
        if shopper and product in doors.index.columns.row:
            later.setdefault(shopper, set()).add(product)
    both = sorted(set(later) & set(before["shopper"].to_pylist()))
    chosen = [both[at] for at in np.random.default_rng(7).permutation(len(both))[: told.shoppers]]
    cold = {product.id for product in products} - early
    bought = [product in cold for shopper in chosen for product in later[shopper]]
    hits: dict[float, np.ndarray] = {}
    lines = ["| floor for new products | places of cold products | pages with one bought later | to none (95 %) |",
             "|---|---|---|---|"]  # fmt: skip
    for floor in FLOORS:
        settings = RecommendSettings(diversity=DiverseSettings(fresh=floor))
        door = Recommend(doors.index, behaviour, settings=settings, clock=lambda: cut / 1000, seed=7)
        pages = {one: [hit.id for hit in door(Request("home", shopper=Shopper(one), k=10)).hits] for one in chosen}
        share = np.mean([id in cold for page in pages.values() for id in page])
        hits[floor] = np.array([float(bool(set(page) & later[one])) for one, page in pages.items()])
        lost = interval(hits[floor] - hits[0.0], seed=7)
        said = f"{lost.value:+.3f} ({lost.low:+.3f} to {lost.high:+.3f})" if floor else ""
        lines.append(f"| {floor:g} | {share:.1%} | {hits[floor].mean():.3f} | {said} |")
    lines += ["", f"{len(chosen)} shoppers; {len(cold):,} of {len(products):,} products are cold at the cut, and "
              f"{np.mean(bought):.1%} of what these shoppers bought later."]  # fmt: skip
    doors.close()
    print("\n".join(lines))
    if told.write:
        put("cold_share", "Recommendation: the share of products that nobody has bought yet", lines)


if __name__ == "__main__":
    main()
