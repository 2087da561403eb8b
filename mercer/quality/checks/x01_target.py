"""A training table in; inputs that hold or derive what is to be learned, with the inflated and the honest AUC, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import SettingsError
from mercer.quality import leak, probe
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.identifier import identifiers
from mercer.quality.leak import Leak
from mercer.quality.one_feature import Targets, codes_of, folds_of
from mercer.quality.roles import TRAINING, TrainingInputs

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Target", "target"]


@dataclass(frozen=True)
class Target(CheckSettings):
    """When an input knows too much."""

    area: float = 0.95
    """AUC of one input alone (0.5 to 1) from which it gives the label away."""
    pair_area: float = 0.995
    """AUC of two inputs together (0.5 to 1); higher, as honest inputs may be strong together."""
    coverage: float = 0.2
    """Share of rows (0 to 1) that must have a place in the text before its words are tried against the label."""
    allowed: tuple[str, ...] = ()
    """Inputs that may know it, because the owner has looked."""
    fewest: int = 100
    """Rows below which nothing can be said."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("area", "pair_area"):
            if not 0.5 < getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give an AUC between 0.5 and 1")
        if not 0 < self.coverage <= 1:
            raise SettingsError(f"coverage is {self.coverage}", cure="give a share of rows between 0 and 1")


@check(
    "X01",
    families=(TRAINING,),
    tier="global",
    severity="critical",
    problems={
        "label_is_input": Problem("the label is an input", "标签本身就是输入", "block"),
        "label_in_text": Problem("the text holds the label", "文本中含有标签", "block"),
        "label_in_column": Problem("an input alone tells the label", "单个输入即可得出标签", "block"),
        "label_in_pair": Problem("two inputs together tell the label", "两个输入合起来即可得出标签", "block"),
        "label_mean": Problem("an input is the mean of the labels", "输入是标签的均值", "block"),
    },
    settings=Target,
    english="no input of a training table holds or derives the label",
    chinese="训练表的输入不含标签，也不能推出标签",
)
def target(inputs: Inputs[Any], settings: Target) -> Iterator[Found]:
    """Leaks of the label into the inputs, each with the AUC of that input alone.

    Beside it stand the AUC of a small model with all inputs as given (rows by chance) and of the same model without
    what leaks and without ids, on later rows (new ids where there is no time): what will be seen in use.
    """
    if not isinstance(inputs, TrainingInputs) or inputs.table.num_rows < settings.fewest:
        return
    roles = inputs.roles
    table = probe.sample(inputs.table)
    targets = Targets.of(table[roles.label])
    found = list(_leaks(inputs, table, targets, settings))
    if not found:
        return
    figures = _figures(inputs, table, targets, found)
    yield Found(_table(found, figures), TRAINING, "", "label_in_column")


def _leaks(inputs: TrainingInputs, table: pa.Table, targets: Targets, settings: Target) -> Iterator[Leak]:
    roles, folds = inputs.roles, folds_of(len(targets))
    names = [name for name in roles.inputs if name != roles.label and name not in settings.allowed]
    if roles.label in roles.inputs:
        yield Leak(roles.label, "label_is_input", 1.0, "it is the label")
    sheet = probe.sheet_of(table, names)
    plain = list(sheet.codes)
    alone = [*leak.of_columns(table, plain, targets, folds, least=settings.area)]
    yield from alone
    label = table[roles.label].to_pylist()
    yield from leak.of_texts(sheet, label, targets, folds, least=settings.area, coverage=settings.coverage)
    rest = [name for name in plain if name not in {one.column for one in alone}]
    whole = inputs.table
    groups = list(dict.fromkeys([*roles.ids, *roles.groups, *_categories(whole, rest)]))
    averaged = [*leak.means(whole, rest, groups, _numbers(whole[roles.label]), inputs.training_rows())]
    yield from averaged
    rest = [name for name in rest if name not in {one.column for one in averaged}]
    yield from leak.of_pairs(table, rest, targets, folds, least=settings.pair_area)


def _categories(table: pa.Table, names: list[str]) -> list[str]:
    import pyarrow as pa

    return [name for name in names if not pa.types.is_floating(table[name].type)]


def _numbers(label: pa.ChunkedArray) -> NDArray[np.float64]:
    """The label as a number, or as whether it is the last of its classes."""
    import pyarrow as pa

    if pa.types.is_integer(label.type) or pa.types.is_floating(label.type) or pa.types.is_boolean(label.type):
        return np.asarray(label.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)
    codes, count = codes_of(label)
    return np.where(codes < 0, np.nan, (codes == count - 1).astype(np.float64))


def _figures(inputs: TrainingInputs, table: pa.Table, targets: Targets, found: list[Leak]) -> dict[str, float | str]:
    """AUC as given, without what leaks (same rows), and honest: also without ids and on later or new rows."""
    roles = inputs.roles
    given = probe.sheet_of(table, roles.inputs, exact=roles.ids)
    clean = given.without(
        [one.column for one in found if one.slot is None],
        [(one.column, one.slot) for one in found if one.slot is not None],
    )
    ids = identifiers(table, clean, roles)
    blind = clean.without(
        [one.column for one in ids if one.slot is None],
        [(one.column, one.slot) for one in ids if one.slot is not None],
    )
    chance = probe.by_chance(len(targets))
    way, splits = honest_splits(inputs, table)
    return {
        "inflated_auc": probe.performance(given, targets.classes, chance),
        "without_leak_auc": probe.performance(clean, targets.classes, chance),
        "honest_auc": probe.performance(blind, targets.classes, splits),
        "honest_split": way,
    }


def honest_splits(inputs: TrainingInputs, table: pa.Table) -> tuple[str, list[probe.Split]]:
    """Later rows where there is a time, else new values of the first group or id, else rows by chance."""
    roles = inputs.roles
    if roles.time is not None:
        moments = TrainingInputs({TRAINING: table}, inputs.now, roles).milliseconds(roles.time)
        if np.isfinite(moments).all() and moments.min(initial=0) < moments.max(initial=0):
            return f"later {roles.time}", probe.by_time(moments)
    for name in (*roles.groups, *roles.ids):
        codes, count = codes_of(table[name])
        if count >= 10:
            return f"new {name}", probe.by_value(codes)
    return "by chance", probe.by_chance(table.num_rows)


def _table(found: list[Leak], figures: dict[str, float | str]) -> pa.Table:
    import pyarrow as pa

    rows = [
        {"row_id": FILE, "field": one.column, "problem": one.problem, "score": min(1.0, one.area)}
        | {"how": one.how, "coverage": one.coverage, "auc_alone": one.area, **figures}
        | {"suggestion": f"leave {one.column} out" if one.slot is None else f"take the word at '{one.slot}' out"}
        for one in found
    ]
    return pa.Table.from_pylist(rows)
