"""The tables of a run in; what one check, asked about all of them or about one file, may see and has looked at, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mercer.quality.engine import Engine
    from mercer.quality.part import Part

__all__ = ["Watched"]


class Tables(Protocol):
    """Where tables are."""

    now: int
    engine: Engine

    def names(self, part: Part | None) -> list[str]:
        """Of the tables that a check may see."""

    def table(self, name: str, part: Part | None) -> Any:
        """One of them; None where there is none."""

    def frame(self, name: str, part: Part | None) -> Any:
        """The same as a frame of the engine."""


class Watched(Mapping[str, Any]):
    """`check.Inputs` that remember what was looked at, so that the answer can be kept until that changes."""

    def __init__(self, tables: Tables, part: Part | None, *, frames: bool, without: frozenset[str]) -> None:
        """Watch one asking.

        Args:
            tables: of the run.
            part: the file it is about; None for all rows.
            frames: give lazy frames, not Arrow tables.
            without: families that are not there for it.
        """
        self._tables, self._part, self._frames, self._without = tables, part, frames, without
        self.seen: set[str] = set()
        self.asked_time = False

    @property
    def now(self) -> int:
        """UTC milliseconds of this run."""
        self.asked_time = True
        return self._tables.now

    def hold(self, frame: Any) -> Any:
        """The frame, worked out once until the check is done."""
        return self._tables.engine.hold(frame)

    @property
    def tables(self) -> Mapping[str, Any]:
        return {name: self[name] for name in self}

    def __contains__(self, name: object) -> bool:
        known = str(name)
        if known.partition(".")[0] in self._without:
            return False
        self.seen.add(known)
        return self._tables.table(known, self._part) is not None

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return (self._tables.frame if self._frames else self._tables.table)(name, self._part)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._tables.names(self._part) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
