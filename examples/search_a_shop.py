"""A shop's folder and a query in; the best products, why each is there, and what they cost out.

python examples/search_a_shop.py shop "steel bottle" 10..200
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from mercer.doors import open_doors
from mercer.records import Filter, Request


def main(folder: str, query: str, prices: str = "..") -> None:
    """Search the live index, filtered by price, and print each hit with its ledger."""
    low, _, high = prices.partition("..")
    price = Filter("price", low=float(low or 0), high=float(high or "inf"))
    with contextlib.closing(open_doors(Path(folder), writable=False)) as doors:
        page = doors.search(Request(query=query, filters=(price,), facets=("brand",), k=5))
    for place, hit in enumerate(page.hits, start=1):
        print(f"{place}. {hit.product.title}  {hit.product.price} {hit.product.currency}  ({hit.reason})")
        print("   " + " + ".join(f"{line.signal} {line.part:.3f}" for line in hit.ledger) + f" = {hit.score:.3f}")
    print(f"{page.total} in all; brands: {dict(page.facets['brand'])}")


if __name__ == "__main__":
    main(*sys.argv[1:])
