"""A training table in; rows that do not say where they come from out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.roles import TRAINING, TrainingInputs

__all__ = ["lineage"]

ASKED = ("source", "time", "hash")


@check(
    "X12",
    families=(TRAINING,),
    tier="global",
    severity="critical",
    problems={
        "no_lineage": Problem("rows do not say where they come from", "数据行缺少来源信息", "warn"),
        "origin_missing": Problem(
            "the row's source, time or hash is missing", "该行缺少来源、时间或哈希", "quarantine"
        ),
        "not_trusted": Problem("the row comes from none of the trusted rows", "该行不来自可信数据", "quarantine"),
    },
    english="every row of a training table says where it comes from",
    chinese="训练表每一行都有来源",
)
def lineage(inputs: Inputs[Any], _settings: CheckSettings) -> Iterator[Found]:
    """Lineage (`Roles.lineage`): source, time and hash of each row, and licence where it is named.

    Where ``training.trusted`` (hash) tells the hashes of trusted rows, a row of another hash comes from elsewhere, or
    from quarantine.
    """
    if not isinstance(inputs, TrainingInputs):
        return
    told = inputs.roles.lineage
    lacking = [name for name in ASKED if name not in told]
    if told and lacking:
        yield Found(_whole(", ".join(lacking)), TRAINING, "", "no_lineage")
    for kind, column in sorted(told.items()):
        values = inputs.table[column].to_pylist()
        absent = [row for row, value in enumerate(values) if value is None or not str(value).strip()]
        yield Found(_rows(absent, kind), TRAINING, column, "origin_missing")
    if "hash" in told and f"{TRAINING}.trusted" in inputs:
        known = set(inputs[f"{TRAINING}.trusted"]["hash"].to_pylist())
        values = inputs.table[told["hash"]].to_pylist()
        foreign = [row for row, value in enumerate(values) if value and value not in known]
        yield Found(_rows(foreign, "hash"), TRAINING, told["hash"], "not_trusted")


def _rows(rows: list[int], kind: str) -> Any:
    import pyarrow as pa

    return pa.table({"row_id": pa.array(np.array(rows, dtype=np.int64)), "lineage": pa.array([kind] * len(rows))})


def _whole(lacking: str) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist([{"row_id": FILE, "lacking": lacking}])
