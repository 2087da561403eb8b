"""A training table in; rows and inputs that know what happened later out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.moment import border, known_then, misplaced
from mercer.quality.one_feature import codes_of
from mercer.quality.roles import TRAINING, TrainingInputs

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Future", "future"]


@dataclass(frozen=True)
class Future(CheckSettings):
    """What counts as knowing the future."""

    by_time: float = 0.2
    """Share of rows on the wrong side (0 to 1) up to which a split is one by time with errors; above it X04 speaks."""
    agreeing: float = 0.5
    """Share of telling rows (0 to 1) in which a number must be the count, sum or mean of earlier rows."""
    fewest: int = 50
    """Telling rows needed to recognise what a number counts."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("by_time", "agreeing"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share between 0 and 1")


@check(
    "X02",
    families=(TRAINING,),
    tier="global",
    severity="critical",
    problems={
        "after_test": Problem("a row to learn from is later than the test", "训练行晚于测试时间", "block"),
        "before_test": Problem("a test row is older than the split", "测试行早于划分时间", "warn"),
        "known_later": Problem("an input was not known at the time", "输入在当时尚不可知", "block"),
        "future_window": Problem("a number counts what came later", "数值统计了之后发生的事", "block"),
    },
    settings=Future,
    english="a training table knows nothing from the future",
    chinese="训练表不含未来信息",
)
def future(inputs: Inputs[Any], settings: Future) -> Iterator[Found]:
    """Temporal leaks, as far as a table with a time shows them.

    Rows on the wrong side of a split by time; inputs whose moment of being known (`Roles.known`) is after the row's;
    numbers that are the count of an id's rows, or the sum or mean of their labels: rebuilt from the rows before, and
    compared. Other windows need the log they were counted from: see X05.
    """
    if not isinstance(inputs, TrainingInputs) or inputs.roles.time is None:
        return
    moments = inputs.milliseconds(inputs.roles.time)
    yield from _sides(inputs, moments, settings)
    yield from _known(inputs, moments)
    if np.isfinite(moments).all():
        yield from _windows(inputs, moments, settings)


def _rows(chosen: NDArray[np.bool_], **columns: Any) -> pa.Table:
    import pyarrow as pa

    places = np.flatnonzero(chosen)
    given = {
        name: np.asarray(values)[places] if np.ndim(values) else [values] * len(places)
        for name, values in columns.items()
    }
    return pa.table(
        {"row_id": pa.array(places, pa.int64()), **{name: pa.array(values) for name, values in given.items()}}
    )


def _sides(inputs: TrainingInputs, moments: NDArray[np.float64], settings: Future) -> Iterator[Found]:
    learned = inputs.training_rows()
    if learned is None or not np.isfinite(moments).all():
        return
    wrong, share = misplaced(moments, learned)
    if not wrong.any() or share > settings.by_time:
        return
    name, cut = str(inputs.roles.time), border(moments, learned)
    yield Found(_rows(wrong & learned, time=moments, split_at=cut), TRAINING, name, "after_test")
    yield Found(_rows(wrong & ~learned, time=moments, split_at=cut), TRAINING, name, "before_test", 0.7)


def _known(inputs: TrainingInputs, moments: NDArray[np.float64]) -> Iterator[Found]:
    for name, column in sorted(inputs.roles.known.items()):
        known = inputs.milliseconds(column)
        late = np.isfinite(known) & np.isfinite(moments) & (known > moments)
        if late.any():
            rows = _rows(late, time=moments, known=known, late_seconds=(known - moments) / 1000)
            yield Found(rows, TRAINING, name, "known_later")


def _windows(inputs: TrainingInputs, moments: NDArray[np.float64], settings: Future) -> Iterator[Found]:
    import pyarrow as pa

    table, roles = inputs.table, inputs.roles
    label = _label(table[roles.label])
    numbers = [
        name
        for name in roles.inputs
        if name != roles.label and (pa.types.is_integer(table[name].type) or pa.types.is_floating(table[name].type))
    ]
    for id in dict.fromkeys([*roles.ids, *roles.groups]):
        codes, _ = codes_of(table[id])
        counted = _counted(codes, moments, label)
        for name in numbers:
            values = np.asarray(table[name].cast(pa.float64(), safe=False).fill_null(np.nan), dtype=np.float64)
            yield from _window(name, id, values, counted, settings)


def _label(column: pa.ChunkedArray) -> NDArray[np.float64]:
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        return np.asarray(column.cast(pa.float64()).fill_null(0.0), dtype=np.float64)
    codes, count = codes_of(column)
    return np.asarray(codes == count - 1, dtype=np.float64)


Counted = dict[str, tuple["NDArray[np.float64]", "NDArray[np.float64]"]]


def _counted(codes: NDArray[np.int64], moments: NDArray[np.float64], label: NDArray[np.float64]) -> Counted:
    """What a number may be: name → (from earlier rows, from all rows)."""
    count, total = known_then(codes, moments, label)
    every = np.bincount(codes + 1)[codes + 1].astype(np.float64)
    whole = np.bincount(codes + 1, weights=label)[codes + 1].astype(np.float64)
    with np.errstate(all="ignore"):
        mean = np.asarray(np.where(count > 0, total / np.maximum(1, count), np.nan), dtype=np.float64)
    return {"rows": (count, every), "sum of labels": (total, whole), "mean of labels": (mean, whole / every)}


def _window(name: str, id: str, values: NDArray[np.float64], counted: Counted, settings: Future) -> Iterator[Found]:
    import pyarrow as pa

    for what, (then, later) in counted.items():
        telling = np.isfinite(values) & np.isfinite(then) & ~np.isclose(then, later)
        if telling.sum() < settings.fewest:
            continue
        right, early = np.isclose(values, then, atol=1e-6), np.isclose(values, later, atol=1e-6)
        if right[telling].mean() >= settings.agreeing:
            wrong = telling & ~right
            if wrong.any():
                rows = _rows(wrong, value=values, known_then=then, by=id, counts=what, all_rows=later)
                yield Found(rows, TRAINING, name, "future_window")
            return
        if early[telling].mean() >= 1 - settings.agreeing / 5:
            told = {"row_id": FILE, "counts": what, "by": id, "share_from_all_rows": float(early[telling].mean())}
            yield Found(pa.Table.from_pylist([told]), TRAINING, name, "future_window")
            return
