"""Checks, tables and an engine in; repaired tables and all findings out. Files seen before are not asked again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from mercer.quality import finding
from mercer.quality.check import Check, CheckSettings, Inputs, registry
from mercer.quality.engine import BatchTask, Engine
from mercer.quality.image import image_table
from mercer.quality.place import places, variants
from mercer.quality.profile import name_of, table_hash
from mercer.quality.quarantine import hashes
from mercer.quality.repair import repair
from mercer.quality.stored import Stored, spool
from mercer.quality.suppress import suppressed, suppression_table

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.part import Part
    from mercer.quality.read import Raw
    from mercer.quality.settings import QualitySettings

__all__ = ["Asked", "sides"]

BEFORE = "before"
"""``FAMILY.before``: the rows of the files before the one that a check of span ``part`` is asked about."""


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
    """One run over tables: `check` asks, `repair` mends, and what has been said is kept by part."""

    def __init__(self, raws: Mapping[str, Raw], settings: QualitySettings, *, now: int, engine: Engine) -> None:
        self.raws, self.settings, self.now, self.engine = raws, settings, now, engine
        self.tables: dict[str, Any] = {family: raw.table for family, raw in raws.items()}
        self.sides = sides(raws) | {"policy.suppressed": suppression_table(settings.suppress, list(raws), now)}
        self.places = places(raws)
        self._holding = [one for one in settings.suppress if one not in settings.ended(now)]
        self._row_hashes = {family: partial(hashes, raw) for family, raw in raws.items()}
        self.current = {family: {part: Stored((part.folder / "raw.parquet",), raw.table.schema) for part in raw.parts}
                        for family, raw in raws.items() if raw.parts}  # fmt: skip
        """family → part → its rows, repaired so far."""
        self.pieces: list[pa.Table] = []
        self._hashes: dict[int, tuple[Any, str]] = {}
        self._frames: dict[str, Any] | None = None

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
        kept = [family for family in declared.families if family in self.current]
        if declared.span == "whole" or not kept:
            yield from ((None, table) for table in self._ask(declared, settings, self._inputs()))
            return
        for family in kept:
            for part in self.current[family]:
                yield part, self._of_part(declared, settings, family, part)
        if any(family in self.tables and family not in kept for family in declared.families):
            inputs = self._inputs()
            for family in kept:
                inputs = tuple(_without(one, family) for one in inputs)  # type: ignore[assignment]  # two stay two
            yield from ((None, table) for table in self._ask(declared, settings, inputs))

    def _inputs(self) -> tuple[Inputs[Any], Inputs[Any]]:
        every = {**self.tables, **self.sides}
        if self._frames is None:
            self._frames = self.engine.frames(every)
        return Inputs(self._frames, self.now), Inputs(every, self.now)

    def _ask(self, declared: Check, settings: CheckSettings, inputs: tuple[Any, Any]) -> Iterator[pa.Table]:
        frames, tables = inputs
        if declared.tier == "batch":
            for family in declared.families:
                if family in tables:
                    found = self.engine.map_batches(BatchTask.of(declared, settings), tables[family])
                    yield finding.batch_rows(declared, family, found, settings=settings)
            return
        for item in declared(frames if declared.tier == "relational" else tables, settings):
            rows = self.engine.collect(item.rows) if declared.tier == "relational" else item.rows
            yield finding.to_rows(declared, item, rows, settings=settings)

    def _of_part(self, declared: Check, settings: CheckSettings, family: str, part: Part) -> pa.Table:
        """What a check finds in one file: what it found last time, where all that it looked at is as it was."""
        import pyarrow.parquet as pq

        told = json.dumps([declared.version, asdict(settings), self.engine.name], sort_keys=True, default=str)
        path = part.file(f"{declared.id}-{name_of(told, *self._names(family, part))}.parquet")
        if path.exists():
            kept = pq.read_table(path)
            if self._holds(json.loads(kept.schema.metadata[b"seen"]), family, part):
                return kept.cast(finding.schema())
        inputs = (_Watched(self, family, part, frames=True), _Watched(self, family, part, frames=False))
        pieces = list(self._ask(declared, settings, inputs))
        found = finding.to_table([_only(piece, family) for piece in pieces])
        if len(self.current[family]) > 1:
            found = _of_file(found, part)
        seen = {name: self._hash(name, family, part) for one in inputs for name in sorted(one.seen)}
        note = {"seen": seen, "now": self.now if any(one.asked_time for one in inputs) else None}
        pq.write_table(found.replace_schema_metadata({"seen": json.dumps(note)}), path)
        return found

    def _names(self, family: str, part: Part) -> list[str]:
        return [path.name for path in self.current[family][part].paths]

    def _holds(self, note: Mapping[str, Any], family: str, part: Part) -> bool:
        """Nothing that was looked at has changed, and what was past then is past now."""
        if note["now"] is not None and not part.latest <= note["now"] <= self.now:
            return False
        return all(self._hash(name, family, part) == known for name, known in note["seen"].items())

    def _hash(self, name: str, family: str, part: Part) -> str:
        """Of a table that a check may look at; "" where there is none."""
        if name == family:
            return name_of(*self._names(family, part))
        if name == f"{family}.{BEFORE}":
            return name_of(
                *(text for one in self._before(family, part) for text in (one.hash, *self._names(family, one)))
            )
        table = self.part_table(name, family, part)
        if table is None:
            return ""
        known = self._hashes.get(id(table))
        if known is None or known[0] is not table:
            self._hashes[id(table)] = known = (table, table_hash(table))
        return known[1]

    def _before(self, family: str, part: Part) -> list[Part]:
        every = list(self.current[family])
        return every[: every.index(part)]

    def part_table(self, name: str, family: str, part: Part) -> Any:
        """A table as a check sees it that is asked about one part; None where there is none."""
        if name == family:
            return self.current[family][part]
        if name == f"{family}.{BEFORE}":
            before = [path for one in self._before(family, part) for path in self.current[family][one].paths]
            return Stored(before, self.tables[family].schema) if before else None
        if name in (f"{family}.malformed", f"{family}.uncast"):
            return part.mine(self.sides[name])
        return self.tables.get(name, self.sides.get(name))

    def _repair(self, found: list[tuple[Part | None, pa.Table]]) -> None:
        import pyarrow.compute as pc

        fixes = [(part, table.filter(pc.equal(table["action"], "fix"))) for part, table in found]
        if not any(table.num_rows for _, table in fixes):
            return
        self._frames = None
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


def _without(inputs: Inputs[Any], family: str) -> Inputs[Any]:
    rest = {name: table for name, table in inputs.tables.items() if name.partition(".")[0] != family}
    return Inputs(rest, inputs.now)


def _only(table: pa.Table, family: str) -> pa.Table:
    import pyarrow.compute as pc

    return table.filter(pc.equal(table["family"], family))


def _of_file(table: pa.Table, part: Part) -> pa.Table:
    """Findings about the whole file say which."""
    rows = table.to_pylist()
    if not any(row["row_id"] == finding.FILE for row in rows):
        return table
    for row in rows:
        if row["row_id"] == finding.FILE:
            row["evidence"] = finding.to_json({**json.loads(row["evidence"]), "file": part.name})
    return type(table).from_pylist(rows, schema=table.schema)


class _Watched(Mapping[str, Any]):
    """`Inputs` about one part that remember what was looked at."""

    def __init__(self, asked: Asked, family: str, part: Part, *, frames: bool) -> None:
        self._asked, self._family, self._part, self._as_frames = asked, family, part, frames
        self._made: dict[str, Any] = {}
        self.seen: set[str] = set()
        self.asked_time = False

    @property
    def now(self) -> int:
        self.asked_time = True
        return self._asked.now

    @property
    def tables(self) -> Mapping[str, Any]:
        return {name: self[name] for name in self}

    def __contains__(self, name: object) -> bool:
        self.seen.add(str(name))
        return self._table(str(name)) is not None

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        if not self._as_frames:
            return self._table(name)
        if name not in self._made:
            self._made |= self._asked.engine.frames({name: self._table(name)})
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        names = [*self._asked.tables, *self._asked.sides, f"{self._family}.{BEFORE}"]
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _table(self, name: str) -> Any:
        return self._asked.part_table(name, self._family, self._part)
