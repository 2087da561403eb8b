"""A name in; the data that benchmarks hurt, as Mercer's reader gives it, out.

`sample` is the invented shop without dirt (seed 23, which nobody develops on); the others are real files in
../shared/data, dirt of their own included. A missing file gives an error that names it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from mercer.quality.derive import catalogue
from mercer.quality.read import Raw, read
from mercer.sample.generate import FILES, generate
from mercer.sample.settings import SampleSettings

__all__ = ["BASES", "DAY", "SHARED", "Base", "load", "raws_of"]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
DAY = 86_400_000
Base = Mapping[str, Raw]
ESCI = {
    "id": "asin",
    "title": "title",
    "description": "description",
    "bullets": "bullet_points",
    "brand": "brand",
    "category": "category",
    "price": "price",
    "rating": "rating",
    "rating_count": "rating_count",
    "attributes": "color + is_book",
}
TREC = {"query_id": "column_1", "product": "column_3", "grade": "column_4"}
RETAIL = {
    "type": "=purchase|refund",
    "shopper": "CustomerID",
    "session": "InvoiceNo",
    "product": "StockCode",
    "quantity": "Quantity",
    "price": "UnitPrice",
    "time": "InvoiceDate",
    "place": "Country",
}


def _sample(*, quick: bool) -> Base:
    size = {"products": 1000, "shoppers": 400, "events": 20_000, "queries": 120} if quick else {}
    folder = Path(tempfile.mkdtemp(prefix="mercer-sample-"))
    generate(folder, SampleSettings(seed=23, image_size=32, images=200, **size))
    return {family: read(family, folder / name) for family, name in FILES.items()}


def _esci(*, quick: bool) -> Base:  # noqa: ARG001  # small as it is
    folder = _folder("search/esci150")
    return {
        "products": read("products", folder / "products.jsonl.gz", mapping=ESCI),
        "queries": read("queries", folder / "queries.tsv", mapping={"query_id": "column_1", "text": "column_2"}),
        "judgments": read("judgments", folder / "qrels.tsv", mapping=TREC),
    }


def _litemall(*, quick: bool) -> Base:  # noqa: ARG001
    folder = _folder("shop/litemall")
    return {family: read(family, folder / f"{family}.jsonl") for family in ("products", "reviews", "faq")}


def _retail(*, quick: bool) -> Base:
    events = read("events", _folder("shop/online_retail") / "online_retail.csv.gz", mapping=RETAIL)
    products = catalogue(events, mapping={"id": "StockCode", "price": "UnitPrice", "title": "Description"})
    return {"products": products, "events": _first(events, 60_000) if quick else events}


def _shopping(*, quick: bool) -> Base:
    path = _folder("opinion/online_shopping_10_cats") / "reviews.csv.gz"
    reviews = read("reviews", path, mapping={"text": "review", "rating": "label"})
    return {"reviews": _every(reviews, 6) if quick else reviews}


BASES: Mapping[str, Callable[..., Base]] = {
    "sample": _sample,
    "esci150": _esci,
    "litemall": _litemall,
    "online_retail": _retail,
    "online_shopping": _shopping,
}


@cache
def load(name: str, *, quick: bool = False) -> Base:
    """One base by its name; `quick` takes less of the large ones."""
    return BASES[name](quick=quick)


def raws_of(base: Base, tables: Mapping[str, pa.Table]) -> dict[str, Raw]:
    """What the reader would have given for `tables` (families, and their malformed and uncast rows)."""
    raws = {}
    for family, raw in base.items():
        changes: dict[str, Any] = {"table": tables.get(family, raw.table)}
        for side in ("malformed", "uncast"):
            if f"{family}.{side}" in tables:
                changes[side] = pa.concat_tables([getattr(raw, side), tables[f"{family}.{side}"]])
        raws[family] = replace(raw, **changes)
    return raws


def now_of(base: Base) -> int:
    """A day after the last time of a base: the moment at which it is checked, so that runs repeat."""
    import pyarrow.compute as pc

    times = [pc.max(base[family].table["time"]).as_py() for family in ("events", "reviews") if family in base]
    return max((time for time in times if time is not None), default=1_750_000_000_000) + DAY


def _folder(name: str) -> Path:
    if not (SHARED / name).is_dir():
        raise FileNotFoundError(f"{SHARED / name} is not there: real data lies beside the repository")
    return SHARED / name


def _first(raw: Raw, rows: int) -> Raw:
    return _part(raw, raw.table.slice(0, rows))


def _every(raw: Raw, step: int) -> Raw:
    return _part(raw, raw.table.take(pa.array(range(0, len(raw.table), step))))


def _part(raw: Raw, table: pa.Table) -> Raw:
    import pyarrow.compute as pc

    sides = {
        side: getattr(raw, side).filter(
            pc.is_in(getattr(raw, side)["row_id"], value_set=pa.concat_arrays(table["row_id"].chunks))
        )
        for side in ("malformed", "uncast")
    }
    return replace(raw, table=table.combine_chunks(), rows=len(table), **sides)
