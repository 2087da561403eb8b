"""Repaired tables and the rows that leave in; trusted tables with their hashes and states, file by file, out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

from mercer.quality import profile
from mercer.quality.quarantine import taken, without
from mercer.quality.stored import Stored, spool
from mercer.shop import write_json

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from mercer.quality.ask import Asked
    from mercer.quality.part import Part
    from mercer.quality.read import Raw

__all__ = ["Trust", "take_out", "trust"]


@dataclass(slots=True)
class Trust:
    """What stays, and what is known of it."""

    tables: dict[str, Any] = field(default_factory=dict)
    """Family → Arrow table, or `Stored` where it came file by file."""
    hashes: dict[str, list[str]] = field(default_factory=dict)
    """Family → hash of each file's trusted rows."""
    states: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """Family → column → counts and sums; those of a day's file and of all before it add up (`profile.merge`)."""
    parts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Family → each file's name, rows, hash and states."""


def trust(asked: Asked, out: Mapping[str, set[int]], instead: Mapping[str, pa.Table] | None = None) -> Trust:
    """Every family without the rows that leave, and with those that serve `instead` (family → rows)."""
    import pyarrow as pa

    found = Trust()
    for family in asked.raws:
        if family in asked.current:
            _by_part(found, family, asked.current[family], out[family])
            continue
        table = without(asked.tables[family], out[family])
        more = (instead or {}).get(family)
        if more is not None and more.num_rows:
            table = pa.concat_tables([table, more]).sort_by("row_id").combine_chunks()
        found.tables[family] = table
        found.hashes[family] = [profile.table_hash(table)]
        found.states[family] = profile.states(table)
    return found


def _by_part(found: Trust, family: str, parts: Mapping[Part, Stored], out: set[int]) -> None:
    paths: list[Path] = []
    told: list[dict[str, Any]] = []
    for part, stored in parts.items():
        kept, facts = _kept(part, stored, part.ids(out))
        paths += kept.paths
        told.append(
            {
                "name": part.name,
                "key": part.folder.name,
                "first": part.first,
                "rows": part.rows,
                "trusted": kept.num_rows,
            }
            | facts
        )
    found.tables[family] = Stored(paths, next(iter(parts.values())).schema)
    found.hashes[family] = [facts["hash"] for facts in told]
    found.states[family] = reduce(_merged, (facts["states"] for facts in told))
    found.parts[family] = told


def _kept(part: Part, stored: Stored, out: set[int]) -> tuple[Stored, dict[str, Any]]:
    """The rows of one file that stay, as they were kept last time where they are the same."""
    before = stored.paths[-1].name
    kept, name = stored, before
    if out:
        name = f"trusted-{profile.name_of(before, json.dumps(sorted(out)))}.parquet"
        path = part.file(name)
        if path.exists():
            kept = Stored((path,), stored.schema)
        else:
            kept = spool((without(block, out) for block in stored.blocks()), path, stored.schema)
    note = part.file(f"{name.removesuffix('.parquet')}.json")
    if note.exists():
        facts: dict[str, Any] = json.loads(note.read_text("utf-8"))
    else:
        facts = {"hash": profile.table_hash(kept), "states": profile.states(kept)}
        write_json(note, facts)
    return kept, facts


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: profile.merge(one[name], other[name]) for name in one}


def take_out(raws: Mapping[str, Raw], out: Mapping[str, set[int]], findings: pa.Table) -> dict[str, pa.Table]:
    """The rows that leave, by family, with their reasons; those of a file are kept for the next run."""
    return {
        family: _joined(_taken_of(raw, part, out[family], findings) for part in raw.parts)
        if raw.parts
        else taken(raw, out[family], findings)
        for family, raw in raws.items()
    }


def _taken_of(raw: Raw, part: Part, out: set[int], findings: pa.Table) -> pa.Table:
    import dataclasses

    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    alone = dataclasses.replace(
        raw,
        table=Stored((part.file("raw.parquet"),), raw.table.schema),
        malformed=part.mine(raw.malformed),
        uncast=part.mine(raw.uncast),
    )
    mine = part.mine(findings.filter(pc.equal(findings["family"], raw.family)))
    mine = mine.filter(pc.is_in(mine["row_id"], value_set=pa.array(sorted(part.ids(out)), pa.int64())))
    why = mine.select(["row_id", "check_id", "problem", "field", "action"])
    path = part.file(f"taken-{profile.table_hash(why)}.parquet")
    if path.exists():
        return pq.read_table(path)
    found = taken(alone, part.ids(out), mine)
    pq.write_table(found, path, compression="zstd")
    return found


def _joined(pieces: Iterable[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(pieces)
