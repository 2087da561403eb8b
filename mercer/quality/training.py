"""A training table and what its columns are in; findings, a gate and the inflated and honest figures out."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mercer.errors import DataError, GateBlocked, NotFoundError
from mercer.quality import finding, gate
from mercer.quality.check import registry
from mercer.quality.conceal import concealed
from mercer.quality.gate import Gate
from mercer.quality.profile import name_of, tables_hash
from mercer.quality.quarantine import REMOVING
from mercer.quality.roles import TRAINING, Roles, TrainingInputs
from mercer.quality.run import QualitySettings
from mercer.quality.secret import salt_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CheckedTraining", "check_training"]


@dataclass(frozen=True, slots=True)
class CheckedTraining:
    """What was found in a training table and decided."""

    findings: pa.Table
    """`finding.schema`; row_id is the place in the table as given, -1 for a whole column."""
    gate: Gate
    figures: Mapping[str, float] = field(default_factory=dict)
    """AUCs of a small model: inflated_auc beside honest_auc (X01), with_ids_auc beside exchanged_auc (X06)."""
    out: frozenset[int] = frozenset()
    """row_ids that must not be learned from."""

    def require(self) -> None:
        """Stand in the way of a blocked table.

        Raises:
            GateBlocked: naming what is wrong, with the inflated and the honest figure.
        """
        if not self.gate.blocked:
            return
        told = self.reasons()
        raise GateBlocked(
            f"the training table is blocked: {'; '.join(told)}",
            cure="take these inputs out and build the table again, or set the check's limits in [quality]",
        )

    def reasons(self) -> list[str]:
        """One sentence for each thing that blocks."""
        told = []
        for row in self.findings.to_pylist():
            if row["action"] != "block" or row["row_id"] != finding.FILE:
                continue
            words = registry()[row["check_id"]].problems[row["problem"]].english
            evidence = json.loads(row["evidence"])
            told.append(f"{row['check_id']} {row['field']}: {words}" + _side_by_side(evidence))
        return told or [f"{self.gate.decided_by.requirement} ({self.gate.decided_by.unqualified:,} rows do not)"]


PAIRS = (("inflated_auc", "honest_auc"), ("with_ids_auc", "exchanged_auc"))
"""A figure that is too good, and what it is worth."""


def _side_by_side(evidence: Mapping[str, float]) -> str:
    for high, low in PAIRS:
        if high in evidence:
            return f" ({high} {evidence[high]:.3f}, {low} {evidence[low]:.3f})"
    return ""


def check_training(
    table: pa.Table,
    *,
    label: str,
    inputs: Sequence[str],
    split: str | None = None,
    time: str | None = None,
    groups: Sequence[str] = (),
    ids: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
    lineage: Mapping[str, str] | None = None,
    log: pa.Table | None = None,
    trusted: Iterable[str] | None = None,
    settings: QualitySettings | None = None,
    now: int | None = None,
) -> CheckedTraining:
    """Check what a model is about to learn from.

    Args:
        table: one row an example; a row_id of its own is replaced.
        label, inputs, split, time, groups, ids, known, lineage: what the columns are, see `Roles`.
        log: the same examples as they were served: ids and inputs as the running shop saw them (X05).
        trusted: hashes of the rows of trusted data, which the lineage's hashes must be among (X12).
        settings: thresholds, actions and ceilings.
        now: UTC milliseconds; the clock's where None.

    Raises:
        NotFoundError: a column that is not in the table.
        SettingsError: roles that cannot be.
        DataError: an empty table.
        MissingExtra: scikit-learn is not installed.
    """
    import pyarrow as pa

    roles = Roles(label, tuple(inputs), split, time, tuple(groups), tuple(ids), known or {}, lineage or {})
    for name in roles.columns:
        if name not in table.column_names:
            raise NotFoundError(f"the training table has no column {name!r}", cure=f"it has {table.column_names}")
    if not table.num_rows:
        raise DataError("the training table has no rows", cure="build it again")
    settings = settings or QualitySettings()
    bare = table.drop_columns(["row_id"]) if "row_id" in table.column_names else table
    numbered = bare.add_column(0, "row_id", pa.array(np.arange(table.num_rows)))
    tables = {TRAINING: numbered} | ({f"{TRAINING}.log": log} if log is not None else {})
    if trusted is not None:
        tables[f"{TRAINING}.trusted"] = pa.table({"hash": pa.array(sorted(trusted), pa.string())})
    moment = int(clock.time() * 1000) if now is None else now
    found = concealed(_find(TrainingInputs(tables, moment, roles), settings), salt=salt_of(settings))
    findings = _stamped(found, tables, settings)
    out = _out(findings)
    verdict = gate.decide(findings, rows={TRAINING: table.num_rows}, out={TRAINING: len(out)}, settings=settings)
    return CheckedTraining(findings, verdict, _figures(findings), out)


def _find(inputs: TrainingInputs, settings: QualitySettings) -> pa.Table:
    pieces = []
    for declared in registry().values():
        if TRAINING in declared.families and declared.id not in settings.disable:
            chosen = settings.of(declared)
            pieces += [finding.to_rows(declared, one, one.rows, settings=chosen) for one in declared(inputs, chosen)]
    return finding.to_table(pieces)


def _stamped(findings: pa.Table, tables: Mapping[str, pa.Table], settings: QualitySettings) -> pa.Table:
    import pyarrow as pa

    dataset = tables_hash(tables)
    stamps = {"dataset_hash": dataset, "run_id": name_of(dataset, settings.to_text()), "engine": "local"}
    for name, value in stamps.items():
        place = findings.schema.get_field_index(name)
        findings = findings.set_column(place, name, pa.array([value] * findings.num_rows, pa.string()))
    return findings.cast(finding.schema())


def _out(findings: pa.Table) -> frozenset[int]:
    rows = zip(findings["row_id"].to_pylist(), findings["action"].to_pylist(), strict=True)
    return frozenset(row_id for row_id, action in rows if action in REMOVING and row_id != finding.FILE)


def _figures(findings: pa.Table) -> dict[str, float]:
    """Every AUC in the evidence, the first finding of a check first."""
    found: dict[str, float] = {}
    for text in findings["evidence"].to_pylist():
        for name, value in json.loads(text).items():
            if name.endswith("_auc") and isinstance(value, float):
                found.setdefault(name, value)
    return found
