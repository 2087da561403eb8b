"""Tables and findings whose action is fix in; repaired tables out, the originals untouched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mercer.quality.finding import FILE

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["repair"]


def repair(tables: Mapping[str, pa.Table], findings: pa.Table) -> dict[str, pa.Table]:
    """Apply every fix.

    A fix of one row puts its `suggestion` in its `field`. A fix of a whole file has evidence ``multiply`` and
    ``divide`` (whole numbers) for every value of the field.
    """
    import pyarrow.compute as pc

    fixes = findings.filter(pc.equal(findings["action"], "fix"))
    repaired = dict(tables)
    for family, field in sorted(set(zip(*(fixes[name].to_pylist() for name in ("family", "field")), strict=True))):
        if family in repaired and field in repaired[family].column_names:
            mine = fixes.filter(pc.and_(pc.equal(fixes["family"], family), pc.equal(fixes["field"], field)))
            repaired[family] = _repair_column(repaired[family], field, mine)
    return repaired


def _repair_column(table: pa.Table, field: str, fixes: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table[field].combine_chunks() if table.num_rows else table[field]
    whole = fixes.filter(pc.equal(fixes["row_id"], FILE))
    for evidence in whole["evidence"].to_pylist():
        column = _scale(column, json.loads(evidence))
    single = fixes.filter(pc.not_equal(fixes["row_id"], FILE))
    where = pc.index_in(table["row_id"], value_set=single["row_id"].combine_chunks())
    values = pc.take(single["suggestion"].combine_chunks().cast(column.type), where.combine_chunks())
    if single.num_rows:
        column = pc.if_else(pc.is_valid(where), values, column)
    index = table.schema.get_field_index(field)
    return table.set_column(
        index, table.schema.field(index), pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    )


def _scale(column: Any, evidence: Mapping[str, Any]) -> Any:
    import pyarrow.compute as pc

    return pc.divide(pc.multiply(column, int(evidence.get("multiply", 1))), int(evidence.get("divide", 1)))
