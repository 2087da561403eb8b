"""``mercer check SHOP --training FILE --label COLUMN``: a training table in; what leaks in it, and a gate, out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import console, print_json
from mercer.errors import FormatError, NotFoundError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.run import QualitySettings
    from mercer.quality.training import CheckedTraining

__all__ = ["Told", "check_table"]

COLOURS = {"pass": "green", "warn": "yellow", "block": "red"}


@dataclass(frozen=True, slots=True)
class Told:
    """Options of the command about a training table."""

    label: str | None
    inputs: Sequence[str]
    split: str | None
    time: str | None
    groups: Sequence[str]
    ids: Sequence[str]


def check_table(path: Path, told: Told, settings: QualitySettings, *, as_json: bool) -> None:
    """Check a training table (Parquet, CSV or JSON lines), print what was found, and stand in the way of a leak.

    Inputs are all columns without a role where none are named.

    Raises:
        UsageError: no label.
        NotFoundError, FormatError: no such file or column, or no table.
        GateBlocked: with the inflated and the honest figure.
    """
    from mercer.quality.training import check_training

    if told.label is None:
        raise UsageError(f"--training {path} without a label", cure="name the column to be learned with --label")
    table = _table(path)
    roles = {told.label, told.split, told.time, *told.groups, *told.ids, "row_id"}
    inputs = list(told.inputs) or [name for name in table.column_names if name not in roles]
    checked = check_training(
        table,
        label=told.label,
        inputs=inputs,
        split=told.split,
        time=told.time,
        groups=told.groups,
        ids=told.ids,
        settings=settings,
    )
    if as_json:
        print_json(_as_json(checked))
    else:
        _print(checked, table.num_rows)
    checked.require()


def _table(path: Path) -> pa.Table:
    import pyarrow as pa

    if not path.is_file():
        raise NotFoundError(f"{path} is no file", cure="give a Parquet, CSV or JSON lines file")
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            return pq.read_table(path)
        if ".json" in path.name:
            from pyarrow import json as reader

            return reader.read_json(path)
        from pyarrow import csv

        return csv.read_csv(path)
    except pa.ArrowInvalid as error:
        raise FormatError(f"{path}: {error}", cure="export the table again as Parquet") from error


def _as_json(checked: CheckedTraining) -> dict[str, Any]:
    listed = [
        {**{name: row[name] for name in ("check_id", "field", "problem", "action", "suggestion")}, **_evidence(row)}
        for row in checked.findings.slice(0, 1000).to_pylist()
    ]
    return {"gate": checked.gate.to_json(), "figures": dict(checked.figures), "problems": listed}


def _evidence(row: dict[str, Any]) -> dict[str, Any]:
    return {"row_id": row["row_id"], "evidence": json.loads(row["evidence"])}


def _print(checked: CheckedTraining, rows: int) -> None:
    from rich.table import Table

    from mercer.quality.check import registry

    console.print(f"{rows:,} rows", highlight=False)
    counts: dict[tuple[str, str, str, str], int] = {}
    for row in checked.findings.select(["check_id", "field", "problem", "action", "row_id"]).to_pylist():
        key = (row["check_id"], row["field"], row["problem"], row["action"])
        counts[key] = counts.get(key, 0) + (row["row_id"] >= 0)
    if counts:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("check", "column", "found", "action"):
            table.add_column(name)
        table.add_column("rows", justify="right")
        for (id, field, problem, action), count in counts.items():
            words = registry()[id].problems[problem].english
            table.add_row(id, field, words, action, f"{count:,}" if count else "column")
        console.print(table)
    for name, value in checked.figures.items():
        console.print(f"{name.replace('_', ' '):20} {value:.3f}", highlight=False)
    colour = COLOURS[checked.gate.status]
    console.print(f"gate    [bold {colour}]{checked.gate.status}[/]", highlight=False)
