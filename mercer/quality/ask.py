"""Checks, tables and an engine in; repaired tables and all findings out. Files seen before are not asked again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from mercer.quality import finding
from mercer.quality.check import Check, CheckSettings, registry
from mercer.quality.engine import BatchTask, Engine
from mercer.quality.image import image_table
from mercer.quality.place import places, variants
from mercer.quality.profile import name_of, table_hash
from mercer.quality.quarantine import hashes
from mercer.quality.repair import repair
from mercer.quality.stored import Stored, spool
from mercer.quality.suppress import suppressed, suppression_table
from mercer.quality.watch import Watched

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from mercer.quality.part import Part
    from mercer.quality.read import Raw
    from mercer.quality.settings import QualitySettings

__all__ = ["Asked", "sides"]

BEFORE = "before"
"""``FAMILY.before``: the rows of the files before the one that a check of span ``part`` is asked about."""
BEFORE_FILES = 7
"""How many files those are at most: a week of days, so that the first check of a year of them does not read it 180
times over."""


def sides(raws: Mapping[str, Raw]) -> dict[str, pa.Table]:
    """What stands beside the families: see `Inputs`."""
    found = {}
    for family, raw in raws.items():
        found[f"{family}.malformed"] = raw.malformed
        found[f"{family}.uncast"] = raw.uncast
        if family == "products":
            found["products.images"] = image_table(raw.table, raw.path.parent)
    return found


class Asked:
    """One run over tables: checks are asked, what they mend is mended, and what they said is kept."""

    def __init__(
        self,
        raws: Mapping[str, Raw],
        settings: QualitySettings,
        *,
        now: int,
        engine: Engine,
        more: Mapping[str, pa.Table] | None = None,
        kept: Part | None = None,
        fresh: bool = False,
    ) -> None:
        """Prepare a run.

        Args:
            raws: family → what the reader gave.
            settings: which checks run, and how.
            now: UTC milliseconds.
            engine: where checks run.
            more: further tables that checks may see, such as ``policy.history``.
            kept: where findings about whole families are kept from one run to the next; None keeps none.
            fresh: ask everything again, whatever was kept.
        """
        self.raws, self.settings, self.now, self.engine, self.kept, self.fresh = (
            raws,
            settings,
            now,
            engine,
            kept,
            fresh,
        )
        self.tables: dict[str, Any] = {family: raw.table for family, raw in raws.items()}
        self.sides = sides(raws) | {"policy.suppressed": suppression_table(settings.suppress, list(raws), now)}
        self.sides |= more or {}
        self.places = places(raws)
        self.current = {family: {part: Stored((part.folder / "raw.parquet",), raw.table.schema) for part in raw.parts}
                        for family, raw in raws.items() if raw.parts}  # fmt: skip
        """family → part → its rows, repaired so far."""
        self.pieces: list[pa.Table] = []
        self._holding = [one for one in settings.suppress if one not in settings.ended(now)]
        self._row_hashes = {family: partial(hashes, raw) for family, raw in raws.items()}
        self._hashes: dict[tuple[str, int], tuple[Any, str]] = {}
        self._frames: dict[tuple[str, Part | None], Any] = {}

    def run(self, tick: Callable[[str], None] | None = None) -> pa.Table:
        """Checks that repair first, the others on what they repaired; all findings."""
        for repairs in (True, False):
            for declared in registry().values():
                wanted = declared.repairs == repairs and declared.id not in self.settings.disable
                if wanted and any(family in self.raws for family in declared.families):
                    found = list(self._check(declared))
                    self.pieces += [table for _, table in found]
                    if repairs:
                        # at once: two checks that mend one text (mojibake, a phone number) must both be heard
                        self._repair(found)
                    if tick:
                        tick(declared.id)
        return finding.to_table(self.pieces)

    def _check(self, declared: Check) -> Iterator[tuple[Part | None, pa.Table]]:
        """What a check finds, asked once with each of its settings."""
        for settings, wanted in variants(declared, self.settings, self.places):
            for part, found in self._ask_all(declared, settings):
                yield part, suppressed(wanted(found), self._holding, self.tables, self._row_hashes)

    def _ask_all(self, declared: Check, settings: CheckSettings) -> Iterator[tuple[Part | None, pa.Table]]:
        in_files = [family for family in declared.families if family in self.current]
        if declared.span == "whole" or not in_files:
            yield None, self._answer(declared, settings)
            return
        for family in in_files:
            for part in self.current[family]:
                yield part, self._answer(declared, settings, family, part)
        if any(family in self.tables and family not in in_files for family in declared.families):
            yield None, self._answer(declared, settings, without=frozenset(in_files))

    def _answer(
        self,
        declared: Check,
        settings: CheckSettings,
        family: str = "",
        part: Part | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> pa.Table:
        """What a check finds: what it found last time, where all that it looked at is as it was."""
        home = part or self.kept
        told = json.dumps(
            [declared.version, asdict(settings), self.engine.name, sorted(without)], sort_keys=True, default=str
        )
        own = self._hash(family, part) if part else ""
        path = home.file(f"{declared.id}-{name_of(told, own)}.parquet") if home else None
        if path and path.exists() and not self.fresh:
            known = _read(path)
            if self._holds(json.loads(known.schema.metadata[b"seen"]), part):
                return known.cast(finding.schema())
        inputs = [Watched(self, part, frames=frames, without=without) for frames in (True, False)]
        found = finding.to_table(self._ask(declared, settings, *inputs))
        if part:
            found = _of_file(_only(found, family), part if len(self.current[family]) > 1 else None)
        if path:
            seen = {name: self._hash(name, part) for one in inputs for name in sorted(one.seen)}
            note = {"seen": seen, "now": self.now if any(one.asked_time for one in inputs) else None}
            _write(found.replace_schema_metadata({"seen": json.dumps(note)}), path)
        return found

    def _ask(self, declared: Check, settings: CheckSettings, frames: Watched, tables: Watched) -> Iterator[pa.Table]:
        if declared.tier == "batch":
            for family in declared.families:
                if family in tables:
                    found = self.engine.map_batches(BatchTask.of(declared, settings), tables[family])
                    yield finding.batch_rows(declared, family, found, settings=settings)
            return
        if declared.tier == "global":
            for item in declared(tables, settings):
                yield finding.to_rows(declared, item, item.rows, settings=settings)
            return
        try:
            items = list(declared(frames, settings))
            for item, rows in zip(items, self.engine.collect_all(item.rows for item in items), strict=True):
                yield finding.to_rows(declared, item, rows, settings=settings)
        finally:
            self.engine.release()

    def _holds(self, note: Mapping[str, Any], part: Part | None) -> bool:
        """Nothing that was looked at has changed, and what was past then is past now."""
        if note["now"] is not None and (part is None or not part.latest <= note["now"] <= self.now):
            return False
        return all(self._hash(name, part) == known for name, known in note["seen"].items())

    def names(self, part: Part | None) -> list[str]:
        """Of all that a check may see, about one file or about everything."""
        before = [f"{family}.{BEFORE}" for family, parts in self.current.items() if part in parts]
        return [*self.tables, *self.sides, *before]

    def table(self, name: str, part: Part | None) -> Any:
        """One of `names`, as a table."""
        family, _, side = name.partition(".")
        mine = self.current.get(family, {})
        if part is None or part not in mine:
            return self.tables.get(name, self.sides.get(name))
        if not side:
            return mine[part]
        if side == BEFORE:
            paths = [path for one in self._before(family, part) for path in mine[one].paths]
            return Stored(paths, self.tables[family].schema) if paths else None
        return part.mine(self.sides[name]) if name in self.sides else None

    def frame(self, name: str, part: Part | None) -> Any:
        """One of `names`, as a frame of the engine; frames of a single file are not held."""
        table = self.table(name, part)
        if table is not self.tables.get(name, self.sides.get(name)):
            return self.engine.frames({name: table})[name]
        if (name, None) not in self._frames:
            self._frames |= {(name, None): self.engine.frames({name: table})[name]}
        return self._frames[name, None]

    def _hash(self, name: str, part: Part | None) -> str:
        """Of a table that a check may look at; "" where there is none."""
        table = self.table(name, part)
        if isinstance(table, Stored):
            return name_of(*(text for path in table.paths for text in (path.parent.name, path.name)))
        if table is None:
            return ""
        known = self._hashes.get((name, id(table)))
        if known is None or known[0] is not table:
            self._hashes[name, id(table)] = known = (table, table_hash(table))
        return known[1]

    def _before(self, family: str, part: Part) -> list[Part]:
        every = list(self.current[family])
        place = every.index(part)
        return every[max(0, place - BEFORE_FILES) : place]

    def _repair(self, found: list[tuple[Part | None, pa.Table]]) -> None:
        import pyarrow.compute as pc

        fixes = [(part, table.filter(pc.equal(table["action"], "fix"))) for part, table in found]
        if not any(table.num_rows for _, table in fixes):
            return
        self._frames = {}
        everywhere = finding.to_table([table for part, table in fixes if part is None])
        self.tables |= repair(
            {name: table for name, table in self.tables.items() if name not in self.current}, everywhere
        )
        for family, parts in self.current.items():
            for part, stored in parts.items():
                mine = [table for one, table in fixes if one in (part, None)]
                parts[part] = _repaired(family, part, stored, finding.to_table(mine))
            paths = [path for stored in parts.values() for path in stored.paths]
            self.tables[family] = Stored(paths, self.tables[family].schema)


def _read(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _write(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path)


def _repaired(family: str, part: Part, stored: Stored, fixes: pa.Table) -> Stored:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = fixes.filter(pc.equal(fixes["family"], family))
    mine = pa.concat_tables([part.mine(wanted), wanted.filter(pc.equal(wanted["row_id"], finding.FILE))])
    if not mine.num_rows:
        return stored
    changes = mine.select(["row_id", "field", "suggestion", "evidence"])
    path = part.file(f"repaired-{name_of(stored.paths[-1].name, table_hash(changes))}.parquet")
    if path.exists():
        return Stored((path,), stored.schema)
    return spool((repair({family: block}, mine)[family] for block in stored.blocks()), path, stored.schema)


def _only(table: pa.Table, family: str) -> pa.Table:
    import pyarrow.compute as pc

    return table.filter(pc.equal(table["family"], family))


def _of_file(table: pa.Table, part: Part | None) -> pa.Table:
    """Findings about the whole file say which, where there are several."""
    if part is None:
        return table
    rows = table.to_pylist()
    if not any(row["row_id"] == finding.FILE for row in rows):
        return table
    for row in rows:
        if row["row_id"] == finding.FILE:
            row["evidence"] = finding.to_json({**json.loads(row["evidence"]), "file": part.name})
    return type(table).from_pylist(rows, schema=table.schema)
