"""A shop's data as read in; precision and recall of each check on errors put into a copy of it out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.bench.dirt import MALFORMED, UNCAST, Difficulty, Tables, injectors
from mercer.bench.score import Cell, judge, pairs_of
from mercer.errors import DataError, RequestError
from mercer.quality.check import find, registry
from mercer.quality.engine import DuckEngine
from mercer.quality.read import Raw, read
from mercer.quality.run import inspect
from mercer.quality.settings import QualitySettings
from mercer.quality.stored import Stored

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

__all__ = ["MOST", "Line", "Measured", "chosen", "first", "invented", "measure"]

MOST = 200_000
"""Rows of a family that are looked at, its first ones: what a check finds of 1 % hardly changes beyond."""
DAY = 86_400_000
NOWHERE = 1_750_000_000_000
"""UTC milliseconds of a run over data without times."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one check found of what was put in."""

    check: str
    injected: int
    """Errors on rows that it did not flag before."""
    found: int
    wrong: int
    """Rows flagged that were neither hurt nor flagged before."""
    before: int
    """Rows flagged in the data as it is: its own errors, or false alarms."""
    precision: float | None
    """Of what is flagged beyond `before`; None where nothing is."""
    recall: float | None
    """Of what was put in; None where everything that was hurt had been flagged before."""
    missed: Mapping[str, int]
    """Kind of error → how many were not found."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All checks asked for."""

    lines: tuple[Line, ...]
    skipped: tuple[str, ...]
    """Ids of checks into whose families nothing could be injected."""


def chosen(checks: Iterable[str]) -> list[str]:
    """The ids to measure: all that have an injector where none are named.

    Raises:
        SettingsError: nobody knows a check.
        RequestError: a check has no injector.
    """
    known = [id for id in injectors() if id in registry()]
    wanted = [find(id).id for id in checks]
    for id in wanted:
        if id not in known:
            raise RequestError(f"no errors can be injected for {id}", cure=f"there are some for {', '.join(known)}")
    return wanted or known


def measure(
    raws: Mapping[str, Raw],
    *,
    checks: Iterable[str] = (),
    rate: float = 0.01,
    difficulty: Difficulty = "medium",
    seed: int = 1,
    settings: QualitySettings | None = None,
    tick: Callable[[str], None] | None = None,
) -> Measured:
    """Hurt a copy of the data for each check in turn, and ask that check alone before and after.

    Args:
        raws: family → what the reader gave; nothing in it is changed.
        checks: ids; all that have an injector where none are given.
        rate: share of a family's rows that are hurt, above 0 and at most 0.5.
        difficulty: how well the errors are hidden.
        seed: of the choice of rows and errors.
        settings: the owner's thresholds and actions.
        tick: called with the id of each check when it is done.

    Raises:
        RequestError: a rate that cannot be, or a check without an injector.
        DataError: there is no data.
    """
    if not 0 < rate <= 0.5:
        raise RequestError(f"rate is {rate}", cure="give a share of rows above 0 and at most 0.5")
    if not raws:
        raise DataError("no data was given", cure="name files in [data] of mercer.toml")
    data = {family: first(raw, MOST) for family, raw in raws.items()}
    tables = {family: raw.table for family, raw in data.items()}
    lines: list[Line] = []
    skipped: list[str] = []
    for id in chosen(checks):
        hurt, truth = injectors()[id].inject(dict(tables), rate, difficulty, seed)
        if truth.num_rows:
            lines.append(_line(id, data, hurt, truth, settings or QualitySettings()))
        else:
            skipped.append(id)
        if tick:
            tick(id)
    return Measured(tuple(lines), tuple(skipped))


def _line(id: str, data: Mapping[str, Raw], hurt: Tables, truth: pa.Table, settings: QualitySettings) -> Line:
    moment = _now(data)
    before = pairs_of(_findings(id, data, moment, settings), id)
    started = time.perf_counter()
    found = pairs_of(_findings(id, _hurt(data, hurt), moment, settings), id)
    seconds = time.perf_counter() - started
    rows = sum(len(data[family].table) for family in registry()[id].families if family in data)
    cell = judge(found, truth.to_pylist(), check=id, before=before, rows=rows)
    return Line(
        check=id,
        injected=cell.injected,
        found=cell.right,
        wrong=cell.wrong,
        before=len(before),
        precision=cell.precision if cell.right + cell.wrong else None,
        recall=cell.recall if cell.injected else None,
        missed=_missed(cell),
        seconds=round(seconds, 2),
    )


def _missed(cell: Cell) -> dict[str, int]:
    return {kind: count for (kind, yes), count in sorted(cell.kinds.items()) if not yes}


def _findings(id: str, data: Mapping[str, Raw], now: int, settings: QualitySettings) -> pa.Table:
    alone = dataclasses.replace(settings, disable=tuple(other for other in registry() if other != id))
    engine = DuckEngine(memory=settings.memory)
    try:
        return inspect(data, alone, now=now, engine=engine)[1]
    finally:
        engine.close()


def _hurt(data: Mapping[str, Raw], tables: Tables) -> dict[str, Raw]:
    """What the reader would have given for the hurt tables."""
    import pyarrow as pa

    raws = {}
    for family, raw in data.items():
        changes: dict[str, Any] = {"table": tables[family]}
        for side in ("malformed", "uncast"):
            if f"{family}.{side}" in tables:
                changes[side] = pa.concat_tables([getattr(raw, side), tables[f"{family}.{side}"]])
        raws[family] = dataclasses.replace(raw, **changes)
    return raws


def _now(data: Mapping[str, Raw]) -> int:
    """A day after the last time in the data, so that the same data always gives the same figures."""
    import pyarrow.compute as pc

    times = [pc.max(data[family].table["time"]).as_py() for family in ("events", "reviews") if family in data]
    return max((time for time in times if time is not None), default=NOWHERE) + DAY


def first(raw: Raw, rows: int) -> Raw:
    """The first rows of a family, in memory, and what stands beside them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(raw.table, Stored):
        blocks: list[pa.Table] = [raw.table.schema.empty_table()]
        for block in raw.table.blocks():
            if sum(map(len, blocks)) >= rows:
                break
            blocks.append(block)
        table = pa.concat_tables(blocks).slice(0, rows).combine_chunks()
    else:
        table = raw.table.slice(0, rows).combine_chunks()
    last = pc.max(table["row_id"]).as_py() if len(raw.table) > rows else None
    sides = {name: getattr(raw, name) for name in ("malformed", "uncast")}
    if last is not None:
        sides = {name: side.filter(pc.less_equal(side["row_id"], last)) for name, side in sides.items()}
    kinds = {"malformed": MALFORMED, "uncast": UNCAST}
    sides = {name: side.cast(kinds[name]) for name, side in sides.items()}
    return dataclasses.replace(raw, table=table, rows=len(table) + len(sides["malformed"]), parts=(), **sides)


def invented(folder: Path, *, seed: int = 23) -> dict[str, Raw]:
    """The invented shop without dirt, written into `folder` and read; the folder must stay while it is measured."""
    from mercer.sample.generate import FILES, generate
    from mercer.sample.settings import SampleSettings

    size = SampleSettings(seed=seed, products=1000, shoppers=400, events=20_000, queries=120, images=200, image_size=32)
    generate(folder, size)
    return {family: read(family, folder / name) for family, name in FILES.items()}
