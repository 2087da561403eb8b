"""Checked products and what was found in them in; the ids of near copies that the index does without out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.records import Product

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["copies", "left_out"]

CHECK = "C03"
CANONICAL = "canonical: "
"""How a suggestion of that check begins; the id of the product to keep follows."""


def copies(source: Path, products: Mapping[str, Product]) -> frozenset[str]:
    """Ids of `products` that a checked version calls copies of another that stays.

    Args:
        source: folder of the checked version.
        products: id → product, as it would be indexed.
    """
    import pyarrow.parquet as pq

    findings, served = source / "findings.parquet", source / "served.parquet"
    if not findings.exists() or not products:
        return frozenset()
    rows = pq.read_table(source / "products.parquet", columns=["row_id", "id"])
    found = pq.read_table(findings, columns=["check_id", "row_id", "action", "suggestion"])
    return left_out(products, rows, found, pq.read_table(served) if served.exists() else None)


def left_out(
    products: Mapping[str, Product], rows: pa.Table, findings: pa.Table, served: pa.Table | None = None
) -> frozenset[str]:
    """Ids of near copies; of a group whose canonical product is not there, the first row stays.

    A copy that can be bought stays beside one that cannot. An earlier row that serves in the place of today's is judged
    by nothing that was found in today's.

    Args:
        products: id → product.
        rows: row_id i64 and id of the trusted products.
        findings: check_id, row_id, action and suggestion; what the shop lets pass, or takes out, counts for nothing.
        served: as `last_good.Served.notes` has it.
    """
    import pyarrow.compute as pc

    id_of = dict(zip(rows["row_id"].to_pylist(), rows["id"].to_pylist(), strict=True))
    for note in served.to_pylist() if served is not None else ():
        if note["kind"] == "last_good":
            id_of.pop(note["row_id"], None)
    mine = findings.filter(pc.and_(pc.equal(findings["check_id"], CHECK), pc.equal(findings["action"], "warn")))
    groups: dict[str, list[str]] = {}
    for row_id, said in sorted(zip(mine["row_id"].to_pylist(), mine["suggestion"].to_pylist(), strict=True)):
        id = id_of.get(row_id)
        if id is not None and id in products and said and said.startswith(CANONICAL):
            groups.setdefault(said.removeprefix(CANONICAL), []).append(id)
    gone: set[str] = set()
    for canonical, ids in groups.items():
        first, *rest = [canonical, *ids] if canonical in products else ids
        gone |= {id for id in rest if id != first and _same(products[first], products[id])}
    return frozenset(gone)


def _same(kept: Product, copy: Product) -> bool:
    """Whether a copy can be done without: the kept one can be bought if it can, and more than a title says it is one.

    Titles alone prove little: in a catalogue made from events, 26 of 138 such "copies" were sold on one bill with the
    product they were taken for (benchmarks/RESULTS.md, rows read by hand). Then only another case of the id is one.
    """
    if copy.in_stock and not kept.in_stock:
        return False
    told = copy.description or copy.bullets or copy.brand or copy.attributes
    return bool(told) or kept.id.casefold() == copy.id.casefold()
