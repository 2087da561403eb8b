"""A kind of dirt, a base, a rate and a seed in; what the checks and the baselines beside them found of it out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks import base as bases
from benchmarks.baseline import BASELINES
from benchmarks.dirt import injectors
from benchmarks.dirt import mixed as mixed_dirt
from benchmarks.score import Cell, judge, pairs_of
from mercer.quality.check import registry
from mercer.quality.engine import DuckEngine
from mercer.quality.run import QualitySettings, inspect

__all__ = ["Cells", "Key", "find", "kept", "mixed", "rows_of", "single", "tables_of", "untouched", "write_down"]


@dataclass(frozen=True)
class Key:
    """What one cell is of; `system` is "mercer" or a baseline's name."""

    check: str
    base: str
    rate: float
    difficulty: str
    seed: int
    system: str = "mercer"
    mixed: bool = False


Cells = dict[Key, Cell]
_CLEAN: dict[tuple[str, bool, str], pa.Table] = {}


def find(base: Mapping[str, Any], tables: Mapping[str, pa.Table], checks: Iterable[str]) -> pa.Table:
    """Findings of some checks on some tables."""
    wanted = set(checks)
    settings = QualitySettings(disable=tuple(id for id in registry() if id not in wanted))
    engine = DuckEngine()
    try:
        return inspect(bases.raws_of(base, tables), settings, now=bases.now_of(base), engine=engine)[1]
    finally:
        engine.close()


def untouched(name: str, check: str, *, quick: bool) -> pa.Table:
    """Findings of one check ("" for all) on a base as it is."""
    key = (name, quick, check)
    if key not in _CLEAN:
        base = bases.load(name, quick=quick)
        _CLEAN[key] = find(base, tables_of(base), [check] if check else registry())
    return _CLEAN[key]


def known_before(name: str, check: str, run: str, *, quick: bool) -> set[tuple[str, int]]:
    """Rows that a check flags on a base as it is; none of the invented shop, where they are plainly wrong."""
    return set() if name == "sample" else set(pairs_of(untouched(name, run, quick=quick), check))


def tables_of(base: Mapping[str, Any]) -> dict[str, pa.Table]:
    return {family: raw.table for family, raw in base.items()}


def rows_of(check: str, base: Mapping[str, Any]) -> int:
    """Rows that a check looks at in a base."""
    return sum(len(base[family].table) for family in registry()[check].families if family in base)


def single(key: Key, *, quick: bool, baselines: bool) -> Iterator[tuple[Key, Cell]]:
    """One injector alone: its check, and the baselines beside it."""
    base = bases.load(key.base, quick=quick)
    clean = tables_of(base)
    tables, truth = injectors()[key.check].inject(clean, key.rate, key.difficulty, key.seed)
    if not truth.num_rows:
        return
    lines, rows = truth.to_pylist(), rows_of(key.check, base)
    found = pairs_of(find(base, tables, [key.check]), key.check)
    before = known_before(key.base, key.check, key.check, quick=quick)
    cell = judge(found, lines, check=key.check, before=before, rows=rows)
    if not cell.injected:
        return
    yield key, cell
    for name, flag in (BASELINES.get(key.check, {}) if baselines else {}).items():
        flagged = {pair: [{"problem": name, "score": 1.0, "action": "warn"}] for pair in flag(tables)}
        cell = judge(flagged, lines, check=key.check, before=flag(clean), rows=rows)
        yield Key(key.check, key.base, key.rate, key.difficulty, key.seed, name), cell


def mixed(key: Key, *, quick: bool) -> Iterator[tuple[Key, Cell]]:
    """All injectors at once, all checks at once."""
    base = bases.load(key.base, quick=quick)
    tables, truth = mixed_dirt.inject(tables_of(base), key.rate, key.difficulty, key.seed)
    findings = find(base, tables, registry())
    lines = truth.to_pylist()
    for check in sorted({line["check"] for line in lines}):
        cell = judge(
            pairs_of(findings, check),
            lines,
            check=check,
            before=known_before(key.base, check, "", quick=quick),
            rows=rows_of(check, base),
        )
        if cell.injected:
            yield Key(check, key.base, key.rate, key.difficulty, key.seed, mixed=True), cell


def kept(path: Path | None) -> Cells:
    """What an earlier run wrote down, so that a long one may be stopped and go on."""
    cells: Cells = {}
    for line in path.read_text("utf-8").splitlines() if path and path.exists() else ():
        told = json.loads(line)
        for name in ("kinds", "problems"):
            told["cell"][name] = Counter({(kind, yes): count for kind, yes, count in told["cell"][name]})
        cells[Key(**told["key"])] = Cell(**told["cell"])
    return cells


def write_down(path: Path, made: Cells) -> None:
    """Add a line a cell."""
    with path.open("a", encoding="utf-8") as file:
        for key, cell in made.items():
            told = asdict(cell)
            for name in ("kinds", "problems"):
                told[name] = [[kind, yes, count] for (kind, yes), count in getattr(cell, name).items()]
            file.write(json.dumps({"key": asdict(key), "cell": told}) + "\n")
