"""Raw tables in; trusted tables, quarantine, findings and a gate out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import DataError
from mercer.quality import exposure, finding, gate, profile, quarantine
from mercer.quality.ask import Asked, sides
from mercer.quality.check import registry
from mercer.quality.conceal import concealed
from mercer.quality.engine import DuckEngine, Engine
from mercer.quality.gate import Gate
from mercer.quality.last_good import PRODUCTS, serve
from mercer.quality.measure_batch import HISTORY, history_table, measure
from mercer.quality.part import Part, sweep
from mercer.quality.place import places
from mercer.quality.secret import salt_of
from mercer.quality.settings import QualitySettings
from mercer.quality.trust import Trust, take_out, trust

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.last_good import Before
    from mercer.quality.read import Raw

__all__ = ["Checked", "QualitySettings", "check", "inspect"]

MEASURED = 1_000_000
"""Rows of a family above which its measures are not taken: they are worked out in Python, value by value."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run found and decided; nothing that came in is missing from trusted and quarantine together.

    A product's row in quarantine may have a row in trusted, too, under the same row_id: the one that was accepted last,
    or its own without what is wrong; see `served`.
    """

    version: str
    """Name of the version on disk: a hash of trusted data, of the decision and of the settings that made it."""
    trusted: Mapping[str, Any]
    """Family → `SCHEMAS[family]`, repaired: an Arrow table, or `Stored` where the family came file by file."""
    quarantine: Mapping[str, pa.Table]
    """Family → `SCHEMAS[family]` as it came, then raw (text as in the file), reasons (JSON), row_hash."""
    findings: pa.Table
    """`finding.schema`, sorted by check, family and row; what names a person in it is masked."""
    gate: Gate
    manifest: Mapping[str, Any]
    """Row counts, hashes (dataset, trusted), versions of checks, states of columns that merge, files read."""
    served: pa.Table
    """Which trusted products stand in place of quarantined rows; see `last_good.Served.notes`."""


def check(
    raws: Mapping[str, Raw],
    settings: QualitySettings | None = None,
    *,
    now: int | None = None,
    restored: Iterable[str] = (),
    approved: Iterable[str] = (),
    sequence: int = 0,
    live: int = 0,
    history: Sequence[Mapping[str, Mapping[str, float]]] = (),
    before: Before | None = None,
    kept: Path | None = None,
    fresh: bool = False,
    engine: Engine | None = None,
    tick: Callable[[str], None] | None = None,
) -> Checked:
    """Check every family of `raws`.

    Args:
        raws: family → what the reader gave.
        settings: thresholds, actions, ceilings.
        now: UTC milliseconds; the clock's where None. Only what is "in the future" depends on it.
        restored: hashes of rows (`quarantine.row_hash`) that a person has put back.
        approved: hashes of rows that a person agrees to lose: they leave, and count against no limit.
        sequence: number of the last product change from the event log that is in `raws`.
        live: number of the last event from the event log that is in `raws`.
        history: family → measures of each accepted run so far, oldest first; see `measure_batch`.
        before: the products that were accepted last: one whose new row is taken out goes on with its row from there.
        kept: the folder of `read_all`'s parts, where findings are kept until what a check looked at has changed.
        fresh: ask every check again, whatever was kept.
        engine: where checks run; DuckDB where None.
        tick: called with the id of each check when it is done.

    Raises:
        DataError: there is nothing to check.
    """
    if not raws:
        raise DataError("no data was given to check", cure="name files in [data] of mercer.toml, or run mercer init")
    settings = settings or QualitySettings()
    running = engine or DuckEngine(memory=settings.memory)
    moment = int(time.time() * 1000) if now is None else now
    home = None if kept is None else Part("", kept, kept / "whole", 0, 0, "", 0)
    past = {HISTORY: history_table(history)} if history else {}
    if home:
        home.folder.mkdir(parents=True, exist_ok=True)
    asked = Asked(raws, settings, now=moment, engine=running, more=past, kept=home, fresh=fresh)
    try:
        findings, out = quarantine.decide(asked.run(tick), raws, restored=frozenset(restored))
        taken = take_out(raws, out, findings)
        agreed = {family: _agreed(table, frozenset(approved)) for family, table in taken.items()}
        served = serve(asked, out, findings, before=before, agreed=agreed.get(PRODUCTS, ()))
    finally:
        if engine is None:
            running.close()
    stays = trust(asked, out, {PRODUCTS: served.rows})
    rows = {family: raw.table.num_rows + raw.malformed.num_rows for family, raw in raws.items()}
    counts = {family: table.num_rows for family, table in taken.items()}
    verdict = gate.decide(findings, rows=rows, out=counts, settings=settings, approved=agreed, files=places(raws))
    manifest = (
        _manifest(raws, stays, taken, served=served.rows.num_rows)
        | {"measures": _measures(asked), "served": served.entry()}
        | {"engine": running.name, "sequence": sequence, "live": live}
    )
    told = json.dumps([settings.to_text(), sorted(restored), sorted(approved), manifest["checks"]])
    run_id = profile.name_of(manifest["dataset_hash"], told, running.name)
    decided = json.dumps(verdict.to_json(), sort_keys=True)
    version = profile.name_of(manifest["trusted_hash"], decided, told)
    said = concealed(findings, salt=salt_of(settings))
    stamped = _stamp(said, run_id=run_id, dataset_hash=manifest["dataset_hash"], engine=running.name)
    ids = {"version": version, "run_id": run_id}
    if kept and home:
        sweep(kept, [home, *(part for raw in raws.values() for part in raw.parts)])
    entries = manifest | exposure.entries(stamped) | ids
    return Checked(version, stays.tables, taken, stamped, verdict, entries, served.notes)


def inspect(
    raws: Mapping[str, Raw],
    settings: QualitySettings,
    *,
    now: int,
    engine: Engine,
    tick: Callable[[str], None] | None = None,
) -> tuple[dict[str, Any], pa.Table]:
    """Repaired tables by family, and all findings: checks that repair first, the others on what they repaired."""
    asked = Asked(raws, settings, now=now, engine=engine)
    found = asked.run(tick)
    return asked.tables, found


def _measures(asked: Asked) -> dict[str, dict[str, float]]:
    """What C16 holds the next runs against, of families that fit into memory."""
    small = {family: table for family, table in asked.tables.items() if table.num_rows <= MEASURED}
    return {family: measure(family, table) for family, table in small.items()}


def _agreed(taken: pa.Table, approved: frozenset[str]) -> set[int]:
    """Rows whose loss a person has agreed to."""
    if not approved:
        return set()
    pairs = zip(taken["row_id"].to_pylist(), taken["row_hash"].to_pylist(), strict=True)
    return {row_id for row_id, name in pairs if name in approved}


def _manifest(
    raws: Mapping[str, Raw],
    kept: Trust,
    taken: Mapping[str, pa.Table],
    *,
    served: int,
) -> dict[str, Any]:
    came = {
        family: [part.hash for part in raw.parts] or [profile.table_hash(raw.table)] for family, raw in raws.items()
    }
    beside = {name: [profile.table_hash(table)] for name, table in sides(raws).items()}
    rows = {
        family: {
            "raw": raw.table.num_rows + raw.malformed.num_rows,
            "trusted": kept.tables[family].num_rows - (served if family == PRODUCTS else 0),
            "quarantine": taken[family].num_rows,
        }
        for family, raw in raws.items()
    }
    sources = {
        family: {
            "file": raw.path.name,
            "encoding": raw.encoding,
            "format": raw.format,
            "mapping": dict(raw.mapping),
            "unmapped": list(raw.unmapped),
        }
        for family, raw in raws.items()
    }
    return {
        "dataset_hash": profile.joined_hash(came | beside),
        "trusted_hash": profile.joined_hash(kept.hashes),
        "checks": {declared.id: declared.version for declared in registry().values()},
        "rows": rows,
        "sources": sources,
        "states": kept.states,
        "parts": kept.parts,
    }


def _stamp(findings: pa.Table, **values: str) -> pa.Table:
    import pyarrow as pa

    for name, value in values.items():
        column = pa.array([value] * findings.num_rows, pa.string())
        findings = findings.set_column(findings.schema.get_field_index(name), name, column)
    return findings.cast(finding.schema())
