"""Findings and the settings of single sources in; which findings are about which source, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.quality.check import Check, CheckSettings
from mercer.quality.settings import QualitySettings

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.read import Raw

__all__ = ["Place", "places", "variants"]


@dataclass(frozen=True, slots=True)
class Place:
    """Rows of one family that came from one file."""

    family: str
    file: str
    first: int
    rows: int
    """Malformed ones included."""

    @property
    def names(self) -> tuple[str, str, str]:
        """What [quality.CHECK.sources] may call it, the most exact first."""
        return self.file, Path(self.file).stem, self.family

    def holds(self, row_id: int) -> bool:
        return self.first <= row_id < self.first + self.rows


def places(raws: Mapping[str, Raw]) -> dict[str, list[Place]]:
    """Family → its files, in the order of their rows."""
    return {
        family: [Place(family, part.name, part.first, part.rows) for part in raw.parts]
        or [Place(family, raw.path.name, 0, raw.table.num_rows + raw.malformed.num_rows)]
        for family, raw in raws.items()
    }


def variants(
    declared: Check, settings: QualitySettings, known: Mapping[str, list[Place]]
) -> Iterator[tuple[CheckSettings, Callable[[pa.Table], pa.Table]]]:
    """Each settings that a check is to be asked with, and what keeps the findings that they are meant for."""
    every = [place for family in declared.families for place in known.get(family, [])]
    usual = settings.of(declared)
    special = {place: settings.of(declared, *place.names) for place in every}
    used = list({id(one): one for one in special.values() if one != usual}.values())
    if not used:
        yield usual, lambda table: table
        return
    own = [place for place, one in special.items() if one != usual]
    if len(own) < len(every):
        yield usual, partial(_about, mine=own, inside=False)
    for one in used:
        mine = [place for place, other in special.items() if other == one]
        yield one, partial(_about, mine=mine, inside=True)


def _about(table: pa.Table, *, mine: list[Place], inside: bool) -> pa.Table:
    import pyarrow as pa

    pairs = zip(table["family"].to_pylist(), table["row_id"].to_pylist(), strict=True)
    return table.filter(pa.array([_any(family, row_id, mine) is inside for family, row_id in pairs], pa.bool_()))


def _any(family: str, row_id: int, mine: list[Place]) -> bool:
    """A finding about a whole family belongs to its first file, as it has one action only."""
    return any(place.family == family and (place.holds(row_id) or (row_id < 0 and not place.first)) for place in mine)
