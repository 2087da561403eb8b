"""A training table in; a split that is neither by time nor by group out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.moment import misplaced
from mercer.quality.one_feature import codes_of
from mercer.quality.roles import TRAINING, TrainingInputs

__all__ = ["Split", "split"]


@dataclass(frozen=True)
class Split(CheckSettings):
    """What still counts as a split by time or by group."""

    wrong: float = 0.2
    """Share of rows on the wrong side of the best border (0 to 1, by chance about 1) up to which it is one by time."""
    shared: float = 0.02
    """Share of held-out rows (0 to 1) whose group may also be learned from."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("wrong", "shared"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share between 0 and 1")


@check(
    "X04",
    families=(TRAINING,),
    tier="global",
    severity="critical",
    problems={
        "split_by_chance": Problem("held-out rows are as old as those learned from", "测试行与训练行时间混杂", "block"),
        "split_through_groups": Problem("groups stand on both sides of the split", "同组数据跨越训练与测试", "block"),
        "not_by_time": Problem("split by group, not by time", "按组划分，未按时间划分", "warn"),
    },
    settings=Split,
    english="a training table is split by time or by group, not by chance",
    chinese="训练表按时间或分组划分，而非随机",
)
def split(inputs: Inputs[Any], settings: Split) -> Iterator[Found]:
    """How the rows were split, read from the rows.

    With a time, held-out rows must be the later ones; a split by disjoint groups is let through with a warning. With
    groups alone, no group may be on both sides.
    """
    if not isinstance(inputs, TrainingInputs) or (learned := inputs.training_rows()) is None:
        return
    roles = inputs.roles
    name = str(roles.split)
    shared = {group: _shared(inputs, group, learned) for group in roles.groups}
    through = {group: share for group, share in shared.items() if share > settings.shared}
    moments = inputs.milliseconds(roles.time) if roles.time else np.full(len(learned), np.nan)
    if roles.time and np.isfinite(moments).all():
        share = misplaced(moments, learned)[1]
        if share > settings.wrong:
            problem = "not_by_time" if roles.groups and not through else "split_by_chance"
            yield Found(_told(time=str(roles.time), on_the_wrong_side=share), TRAINING, name, problem)
        return  # a shopper who comes again later is no leak
    for group, share in sorted(through.items()):
        yield Found(_told(group=group, held_out_rows_shared=share), TRAINING, name, "split_through_groups")


def _shared(inputs: TrainingInputs, group: str, learned: Any) -> float:
    """Share of held-out rows whose group is learned from too."""
    codes, count = codes_of(inputs.table[group])
    known = np.zeros(count + 1, dtype=bool)
    known[codes[learned]] = True
    known[-1] = False  # rows without a group are in none
    return float(known[codes[~learned]].mean())


def _told(**values: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist([{"row_id": FILE, **values}])
