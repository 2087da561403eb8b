"""A delivery and the measures of those before it in; measures that are unlike all before out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.measure_batch import HISTORY, measure

__all__ = ["Batch", "batch", "expected"]

FAMILIES = ("products", "events", "queries", "judgments", "reviews", "faq", "policies", "dialogues")


@dataclass(frozen=True)
class Batch(CheckSettings):
    """How unlike is too unlike."""

    runs: int = 8
    """Deliveries that must be known before one is judged."""
    smoothing: float = 0.3
    """Weight (0 to 1) of the newest delivery in what is expected of the next."""
    deviations: float = 6.0
    """Standard deviations of past errors beyond which a measure is unlike: by chance at most once in 36, whatever the
    distribution (Chebyshev)."""
    far: float = 2.0
    """Times the allowed change from which one column alone stops the delivery; two columns do so with any."""
    share: float = 0.02
    """Change of a share (0 to 1) that is always allowed."""
    relative: float = 0.1
    """Change of a mean, in parts of it, that is always allowed; of the rows' logarithm, the change itself."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.runs < 3:
            raise SettingsError(f"runs is {self.runs}", cure="give 3 or more")
        if not 0 < self.smoothing <= 1:
            raise SettingsError(f"smoothing is {self.smoothing}", cure="give a weight above 0, up to 1")
        for name in ("deviations", "far", "share", "relative"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give more than 0")


@check(
    "C16",
    families=FAMILIES,
    tier="global",
    severity="critical",
    problems={
        "rows": Problem("many more or fewer rows than deliveries before", "行数与历史批次相差过大", "block"),
        "column": Problem("a column is unlike that of deliveries before", "该列与历史批次差异过大", "warn"),
        "broken": Problem("columns are far from those of deliveries before", "列数据与历史批次严重不符", "block"),
    },
    settings=Batch,
    english="a delivery is like those before it",
    chinese="本批数据与历史批次相符",
)
def batch(inputs: Inputs[Any], settings: Batch) -> Iterator[Found]:
    """Rows, nulls, distinct values, means, mixes and pairs of columns against an exponential smoothing of past runs.

    Says nothing on the first runs, and nothing where ``policy.history`` is not given.
    """
    if HISTORY not in inputs:
        return
    past: dict[tuple[str, str], list[float]] = {}
    for row in inputs[HISTORY].sort_by("run").to_pylist():
        past.setdefault((row["family"], row["name"]), []).append(row["value"])
    for family in FAMILIES:
        if family in inputs and len(past.get((family, "rows"), ())) >= settings.runs:
            lines = list(_unlike(family, measure(family, inputs[family], most=None), past, settings))
            yield _found([line for line in lines if line["field"] == "rows"], family, "rows")
            rest = [line for line in lines if line["field"] != "rows"]
            far = any(line["times"] >= settings.far for line in rest) or len({line["field"] for line in rest}) > 1
            yield _found(rest, family, "broken" if far else "column")


def _unlike(
    family: str, now: Mapping[str, float], past: Mapping[tuple[str, str], Sequence[float]], settings: Batch
) -> Iterator[dict[str, Any]]:
    runs = len(past[family, "rows"])
    names = [
        name for known, name in past if known == family and len(past[known, name]) >= max(settings.runs, 0.8 * runs)
    ]
    for name in names:
        before = past[family, name]
        value = now.get(name, 0.0 if "share" in name else None)
        if value is None:
            if "nulls" in name:  # the whole column is null, or gone
                value = 1.0
            else:
                continue
        forecast, spread = expected(before, settings.smoothing)
        allowed = max(settings.deviations * spread, _allowed(name, forecast, settings))
        if abs(value - forecast) > allowed:
            times = abs(value - forecast) / allowed
            score = min(1.0, 0.5 + 0.1 * times)
            yield {"field": name.split(":")[0], "measure": name, "value": value, "expected": forecast,
                   "allowed": allowed, "times": times, "runs": len(before), "score": score}  # fmt: skip


def _allowed(name: str, forecast: float, settings: Batch) -> float:
    if name == "rows":
        return settings.relative * 2
    if "mean" in name:
        return settings.relative * abs(forecast)
    return settings.share if "distinct" not in name else max(settings.share, settings.relative * forecast)


def expected(values: Sequence[float], smoothing: float) -> tuple[float, float]:
    """What exponential smoothing expects next, and the standard deviation of its errors so far (ddof 1).

    >>> expected([1.0, 1.0, 1.0, 1.0], 0.3)
    (1.0, 0.0)
    """
    level, errors = values[0], []
    for value in values[1:]:
        errors.append(value - level)
        level += smoothing * (value - level)
    if len(errors) < 2:
        return level, 0.0
    mean = sum(errors) / len(errors)
    return level, math.sqrt(sum((error - mean) ** 2 for error in errors) / (len(errors) - 1))


def _found(lines: Sequence[Mapping[str, Any]], family: str, problem: str) -> Found:
    import pyarrow as pa

    floats = dict.fromkeys(("value", "expected", "allowed", "times", "score"), pa.float64())
    kinds = {"row_id": pa.int64(), "field": pa.string(), "measure": pa.string(), "runs": pa.int64(), **floats}
    table = pa.Table.from_pylist([{"row_id": FILE, **line} for line in lines], schema=pa.schema(kinds))
    return Found(table, family, "", problem)
