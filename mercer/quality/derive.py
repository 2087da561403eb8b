"""A file of events in; a catalogue worked out from it, every field marked as derived, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.errors import FormatError
from mercer.quality import schema
from mercer.quality.mapping import guess
from mercer.quality.read import Raw, read

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["catalogue", "catalogue_mapping"]

TEXTS = ("title", "description", "brand", "category", "currency", "image", "url")
"""Fields of which the value seen most often is taken."""


def catalogue_mapping(path: Path, events: Mapping[str, str]) -> dict[str, str]:
    """Guess [map.products] for a catalogue derived from the events file at `path`.

    The code and the price are those of the events; a column of descriptions serves as the title.
    """
    used = set(events.values())
    found = {choice.column: choice.raw for choice in guess("products", path).choices if choice.raw not in used}
    if "title" not in found and "description" in found:
        found["title"] = found.pop("description")
    taken = {"id": events.get("product", ""), "price": events.get("price", "")}
    chosen = {column: found[column] for column in TEXTS if column in found}
    return {column: raw for column, raw in (taken | chosen).items() if raw}


def catalogue(
    events: Raw,
    *,
    mapping: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    tick: Callable[[int], None] | None = None,
) -> Raw:
    """Derive the products of `events`: each code, its most frequent title, its last price above 0.

    Titles and prices of purchases, views and the like go before those of refunds; ties go to the first in code-point
    order, so the result does not depend on the order of rows. A code without any title keeps a null title (check C01
    sees it) unless no column holds titles: then the code is the title. `derived` names every field that is filled.

    Args:
        events: as `read` gave them.
        mapping: [map.products], columns of the *events* file; guessed where None.
        timezone: as for `read`.
        tick: as for `read`.

    Raises:
        FormatError: the events name no product.
    """
    used = dict(mapping) if mapping else catalogue_mapping(events.path, events.mapping)
    if "id" not in used or events.table["product"].null_count == len(events.table):
        raise FormatError(
            f"{events.path} names no product, so no catalogue can be derived",
            cure="give --products FILE, or set product in [map.events]",
        )
    seen = _seen(events, used, timezone=timezone, tick=tick)
    table = _aggregate(seen, events.table, titled="title" in used)
    return Raw(
        family="products",
        path=events.path,
        encoding=events.encoding,
        format="derived",
        table=table,
        malformed=events.malformed.slice(0, 0),
        uncast=events.uncast.slice(0, 0),
        unmapped=(),
        mapping=used,
        rows=table.num_rows,
    )


def _seen(events: Raw, mapping: Mapping[str, str], *, timezone: str, tick: Callable[[int], None] | None) -> pa.Table:
    """The rows of the events' files as if they were products; what the shop's own log adds names no title."""
    import pyarrow as pa

    files = [(part.source, part.first) for part in events.parts if not part.live] or [(events.path, 0)]
    tables = [
        read("products", path, mapping=mapping, timezone=timezone, first=first, tick=tick).table
        for path, first in files
    ]
    return pa.concat_tables(tables)


def _aggregate(seen: pa.Table, events: pa.Table, *, titled: bool) -> pa.Table:
    import duckdb
    import pyarrow as pa

    fields = [name for name in TEXTS if seen[name].null_count < len(seen)]
    with duckdb.connect() as connection:
        connection.register("seen", seen.select(["row_id", "id", "price", *fields]))
        connection.register("events", events.select(["row_id", "type", "time"]))
        connection.execute(SOLD)
        found = connection.sql("select distinct id from sold order by id").to_arrow_table()
        for name, query in (*((name, _frequent(name)) for name in fields), ("price", LAST_PRICE)):
            connection.register("found", found)
            connection.register("part", connection.sql(query).to_arrow_table())
            found = connection.sql(
                f"select found.*, part.{name} from found left join part using (id) order by id"  # noqa: S608  # our names
            ).to_arrow_table()
    if not titled:
        found = found.append_column("title", found["id"])
    count = found.num_rows
    wanted = schema.SCHEMAS["products"]
    columns = {
        name: found[name] if name in found.column_names else pa.nulls(count, wanted.field(name).type)
        for name in wanted.names
    }
    columns["row_id"] = pa.array(range(count), pa.int64())
    columns["derived"] = _derived(found)
    return pa.table(columns).cast(wanted)


SOLD = """create temp table sold as
select seen.*, events.time as moment, coalesce(events.type = 'refund', false) as back
from seen join events using (row_id) where id is not null"""

LAST_PRICE = """select id, price from sold where price > 0 and isfinite(price)
qualify row_number() over (partition by id order by back, moment desc nulls last, row_id desc) = 1"""


def _frequent(name: str) -> str:
    return f"""select id, {name} from sold where {name} is not null group by id, {name}
qualify row_number() over (partition by id order by
    count(*) filter (where not back) desc, count(*) desc, {name}) = 1"""  # noqa: S608  # our names


def _derived(found: pa.Table) -> pa.Array:
    """JSON list of the fields that are filled, row by row."""
    import json

    import pyarrow as pa

    names = [name for name in ("id", "title", *TEXTS[1:], "price") if name in found.column_names]
    filled = zip(*(found[name].is_valid().to_pylist() for name in names), strict=True)
    return pa.array([json.dumps([n for n, here in zip(names, row, strict=True) if here]) for row in filled])
