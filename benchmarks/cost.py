"""A number of events in; seconds and megabytes that each check needs a million rows out."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import base as bases
from benchmarks.dirty_cell import find, tables_of
from mercer.quality.check import registry

__all__ = ["enlarged", "report"]

PRODUCTS = 10
"""Events to one product, as in the issue's 20 M events to 200 k items (there 100; less makes products weigh more)."""


def enlarged(table: pa.Table, rows: int, names: tuple[str, ...]) -> pa.Table:
    """The table over and over until it has `rows`, each time with other names in its id columns."""
    pieces, have, turn = [], 0, 0
    while have < rows:
        piece = table.slice(0, rows - have)
        for name in names:
            at = piece.schema.get_field_index(name)
            renamed = pc.binary_join_element_wise(piece[name], pa.scalar(f".{turn}"), "")
            piece = piece.set_column(at, piece.schema.field(at), renamed)
        pieces.append(piece)
        have, turn = have + len(piece), turn + 1
    whole = pa.concat_tables(pieces)
    return whole.set_column(0, "row_id", pa.array(np.arange(len(whole)))).combine_chunks()


def peak() -> int:
    """The most memory of this process since `rest`, bytes; Linux only."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    assert found, "no VmHWM: this is not Linux"
    return int(found[1]) * 1024


def rest() -> None:
    """Forget the peak so far."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5", "utf-8")


def report(events: int, checks: Iterable[str], today: str) -> str:
    """Time and memory of each check on the invented shop made larger; each alone, reading and writing not counted."""
    base = bases.load("sample", quick=True)
    tables = tables_of(base)
    own = {
        "products": ("id",),
        "events": ("event_id", "shopper", "session", "product"),
        "reviews": ("id", "product", "shopper"),
    }
    for family, names in own.items():
        tables[family] = enlarged(tables[family], events if family == "events" else events // PRODUCTS, names)
    lines = ["| check | tier | rows | seconds | s / 1 M rows | MB | MB / 1 M rows |", "|---|---|---|---|---|---|---|"]
    total = 0.0
    for check in list(checks) or list(registry()):
        rows = sum(len(tables[family]) for family in registry()[check].families if family in tables)
        if not rows:
            continue
        rest()
        before, started = peak(), time.perf_counter()
        find(base, tables, [check])
        seconds, grown = time.perf_counter() - started, (peak() - before) / 2**20
        total += seconds
        million = 1e6 / rows
        lines.append(
            f"| {check} | {registry()[check].tier} | {rows:,} | {seconds:.2f} | {seconds * million:.2f} | "
            f"{grown:.0f} | {grown * million:.0f} |"
        )
    head = (
        f"## cost: seconds and memory of each check\n\n{today}, {events:,} events and {events // PRODUCTS:,} products "
        f"and reviews of the invented shop, each check alone on 2 shared cores; all together {total:.1f} s. A million "
        "rows is worked out from these; below a second it is mostly the start."
    )
    return "\n\n".join([head, "\n".join(lines)])
