"""A training table in; user and item ids among the model's inputs, and what the model owes to them, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import SettingsError
from mercer.quality import leak, probe
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.identifier import Identifier, identifiers
from mercer.quality.one_feature import Targets, folds_of
from mercer.quality.probe import Sheet
from mercer.quality.roles import TRAINING, TrainingInputs

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Memory", "memory"]


@dataclass(frozen=True)
class Memory(CheckSettings):
    """Which ids a model may read, and what it may owe to them."""

    gap: float = 0.02
    """AUC lost when the ids of tested rows are exchanged (0 to 0.5), from which the model has learned them by heart."""
    declared: tuple[str, ...] = ()
    """Inputs that may be ids, because the model is meant to know them (embeddings of users)."""
    fewest: int = 200
    """Rows below which the gap is noise."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not 0 <= self.gap <= 0.5:
            raise SettingsError(f"gap is {self.gap}", cure="give an AUC difference between 0 and 0.5")


@check(
    "X06",
    families=(TRAINING,),
    tier="global",
    severity="high",
    problems={
        "id_learned": Problem("the model learns ids by heart", "模型靠记住编号取得成绩", "block"),
        "id_idle": Problem("an id is among the inputs", "输入中含有编号", "warn"),
    },
    settings=Memory,
    english="a model is not given ids of users and items to learn by heart",
    chinese="不把用户和商品编号交给模型死记",
)
def memory(inputs: Inputs[Any], settings: Memory) -> Iterator[Found]:
    """Ids in the inputs, with four AUCs of a small model: with ids, ids exchanged, on new ids, and without ids.

    What gives the label away (X01) is taken out first, so that it does not hide the difference.
    """
    if not isinstance(inputs, TrainingInputs) or inputs.table.num_rows < settings.fewest:
        return
    roles, table = inputs.roles, probe.sample(inputs.table)
    sheet = probe.sheet_of(table, [name for name in roles.inputs if name != roles.label], exact=roles.ids)
    found = [one for one in identifiers(table, sheet, roles) if one.column not in settings.declared]
    if not found:
        return
    targets = Targets.of(table[roles.label])
    figures = _figures(_unleaked(sheet, table, targets, roles.label), found, targets)
    problem = "id_learned" if figures["with_ids_auc"] - figures["exchanged_auc"] >= settings.gap else "id_idle"
    yield Found(_table(found, figures), TRAINING, "", problem)


def _unleaked(sheet: Sheet, table: pa.Table, targets: Targets, label: str) -> Sheet:
    folds = folds_of(len(targets))
    columns = [one.column for one in leak.of_columns(table, list(sheet.codes), targets, folds, least=0.95)]
    leaks = leak.of_texts(sheet, table[label].to_pylist(), targets, folds, least=0.95, coverage=0.2)
    return sheet.without(columns, [(one.column, one.slot) for one in leaks if one.slot is not None])


def _figures(sheet: Sheet, found: Sequence[Identifier], targets: Targets) -> dict[str, float]:
    """AUCs: rows by chance with ids, with the ids of tested rows exchanged, on ids never seen, and without ids."""
    chance = probe.by_chance(len(targets))
    blind = sheet.without(
        [one.column for one in found if one.slot is None],
        [(one.column, one.slot) for one in found if one.slot is not None],
    )
    known, exchanged = blind, blind
    new = []
    for number, one in enumerate(found):
        _, codes = np.unique([word or "" for word in one.words], return_inverse=True)
        swapped = np.random.default_rng(number).permutation(int(codes.max()) + 1)[codes]
        known = known.with_codes(f"id {number}", codes)
        exchanged = exchanged.with_codes(f"id {number}", swapped)
        new.append(probe.by_value(codes))
    return {
        "with_ids_auc": probe.performance(known, targets.classes, chance),
        "exchanged_auc": probe.performance(known, targets.classes, chance, asked=exchanged),
        "new_ids_auc": min(probe.performance(known, targets.classes, splits) for splits in new),
        "without_ids_auc": probe.performance(blind, targets.classes, chance),
    }


def _table(found: Sequence[Identifier], figures: dict[str, float]) -> pa.Table:
    import pyarrow as pa

    rows = [
        {"row_id": FILE, "field": one.column, "where": str(one.slot) if one.slot else "the whole column"}
        | {"distinct": one.distinct, **figures}
        | {"suggestion": f"leave ids out of {one.column}, or declare it in [quality.X06]"}
        for one in found
    ]
    return pa.Table.from_pylist(rows)
