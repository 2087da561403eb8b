"""Nothing in; what the columns of a training table are, and the table as training checks see it, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mercer.errors import SettingsError
from mercer.quality.check import Inputs

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["TRAIN", "TRAINING", "Roles", "TrainingInputs"]

TRAINING = "training"
"""The family of a training table: it has no schema of its own, its `Roles` say what its columns are."""

TRAIN = ("train", "training", "fit", "learn")
"""Values (any case) of the split column that are learned from; every other value is held out."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What each column of a training table is for.

    Raises:
        SettingsError: no inputs, or a column with two roles that exclude each other.
    """

    label: str
    """What is to be learned: classes, grades or a number (more than 20 numbers are cut at their median)."""
    inputs: tuple[str, ...]
    """What the model is given."""
    split: str | None = None
    """Which side of the split a row is on: see `TRAIN`."""
    time: str | None = None
    """UTC milliseconds (or a timestamp) at which the model would have been asked."""
    groups: tuple[str, ...] = ()
    """Columns whose values may stand on one side of the split only: query, session."""
    ids: tuple[str, ...] = ()
    """Columns that say who or which: shopper, product."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Input → column with the moment (as `time`) from which its value was known."""
    lineage: Mapping[str, str] = field(default_factory=dict)
    """Any of source, time, hash, licence → column that tells it of a row."""

    def __post_init__(self) -> None:
        if not self.inputs:
            raise SettingsError("a training table without inputs", cure="name the columns that the model is given")
        for name in self.lineage:
            if name not in ("source", "time", "hash", "licence"):
                raise SettingsError(f"lineage names {name!r}", cure="give source, time, hash or licence")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is named, once."""
        single = [name for name in (self.split, self.time) if name]
        named = [self.label, *self.inputs, *single, *self.groups, *self.ids, *self.known, *self.known.values()]
        return tuple(dict.fromkeys([*named, *self.lineage.values()]))


@dataclass(frozen=True)
class TrainingInputs(Inputs["pa.Table"]):
    """`Inputs` of a training check: table ``training`` (with row_id), perhaps ``training.log``, and the roles."""

    roles: Roles

    @property
    def table(self) -> pa.Table:
        return self[TRAINING]

    def milliseconds(self, name: str) -> NDArray[np.float64]:
        """A column of moments as milliseconds, NaN where there is none."""
        import numpy as np
        import pyarrow as pa

        column = self.table[name]
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            column = column.cast(pa.timestamp("ms")).cast(pa.int64())
        try:
            return np.asarray(column.cast(pa.float64(), safe=False).fill_null(float("nan")), dtype=np.float64)
        except pa.ArrowInvalid as error:
            raise SettingsError(
                f"{name} holds {column[0].as_py()!r}, which is no moment", cure="give UTC milliseconds or timestamps"
            ) from error

    def training_rows(self) -> NDArray[np.bool_] | None:
        """True for rows that are learned from; None without a split of two sides."""
        import numpy as np
        import pyarrow as pa

        if self.roles.split is None:
            return None
        values = self.table[self.roles.split].cast(pa.string()).to_pylist()
        learned = np.array([(value or "").strip().casefold() in TRAIN for value in values], dtype=bool)
        return learned if 0 < learned.sum() < len(learned) else None
