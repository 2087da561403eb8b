"""Raw tables in; trusted tables, quarantine, findings and a gate out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mercer.errors import DataError, SettingsError
from mercer.quality import finding, gate, profile, quarantine
from mercer.quality.check import Check, CheckSettings, Inputs, find, registry
from mercer.quality.engine import BatchTask, DuckEngine, Engine
from mercer.quality.gate import Gate
from mercer.quality.image import image_table
from mercer.quality.repair import repair

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.read import Raw

__all__ = ["Checked", "QualitySettings", "check", "inspect"]


@dataclass(frozen=True)
class QualitySettings:
    """What the owner sets in ``[quality]``."""

    max_quarantine: float = 0.05
    """Share of one family's rows (0 to 1) that checks may take out; above it the batch is blocked, not emptied."""
    max_quarantine_of: Mapping[str, float] = field(default_factory=dict)
    """Family → its own share, where `max_quarantine` does not fit it."""
    always_allowed: int = 3
    """Rows of a family that may be taken out however small the family is."""
    disable: tuple[str, ...] = ()
    """Ids of checks that do not run."""
    checks: Mapping[str, CheckSettings] = field(default_factory=dict)
    """Check id → its settings, from ``[quality.C06]`` and the like."""

    def __post_init__(self) -> None:
        for name, value in {"max_quarantine": self.max_quarantine, **self.max_quarantine_of}.items():
            if not 0 <= value <= 1:
                raise SettingsError(f"{name} is {value}", cure="give a share of rows between 0 and 1")
        if self.always_allowed < 0:
            raise SettingsError(f"always_allowed is {self.always_allowed}", cure="give 0 or more rows")
        for id in self.disable:
            find(id)
        for id, given in self.checks.items():
            known = find(id).problems
            for problem in given.actions:
                if problem not in known:
                    raise SettingsError(f"{id} finds no problem {problem!r}", cure=f"known: {', '.join(known)}")

    def of(self, declared: Check) -> CheckSettings:
        """The settings of one check."""
        return self.checks.get(declared.id) or declared.settings()

    def limit(self, family: str) -> float:
        """The action ceiling of one family."""
        return self.max_quarantine_of.get(family, self.max_quarantine)

    def to_text(self) -> str:
        """All settings as JSON, for hashes."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run found and decided; nothing that came in is missing from trusted and quarantine together."""

    version: str
    """Name of the version on disk: a hash of trusted data, of the decision and of the settings that made it."""
    trusted: Mapping[str, pa.Table]
    """Family → `SCHEMAS[family]`, repaired."""
    quarantine: Mapping[str, pa.Table]
    """Family → `SCHEMAS[family]` as it came, then raw (text as in the file), reasons (JSON), row_hash."""
    findings: pa.Table
    """`finding.schema`, sorted by check, family and row."""
    gate: Gate
    manifest: Mapping[str, Any]
    """Row counts, hashes (dataset, trusted), versions of checks, states of columns."""


def check(
    raws: Mapping[str, Raw],
    settings: QualitySettings | None = None,
    *,
    now: int | None = None,
    restored: Iterable[str] = (),
    sequence: int = 0,
    engine: Engine | None = None,
    tick: Callable[[str], None] | None = None,
) -> Checked:
    """Check every family of `raws`.

    Args:
        raws: family → what the reader gave.
        settings: thresholds, actions, ceilings.
        now: UTC milliseconds; the clock's where None. Only what is "in the future" depends on it.
        restored: hashes of rows (`quarantine.row_hash`) that a person has put back.
        sequence: number of the last product change from the event log that is in `raws`.
        engine: where checks run; DuckDB where None.
        tick: called with the id of each check when it is done.

    Raises:
        DataError: there is nothing to check.
    """
    if not raws:
        raise DataError("no data was given to check", cure="name files in [data] of mercer.toml, or run mercer init")
    settings = settings or QualitySettings()
    running = engine or DuckEngine()
    moment = int(time.time() * 1000) if now is None else now
    try:
        tables, found = inspect(raws, settings, now=moment, engine=running, tick=tick)
    finally:
        if engine is None:
            running.close()
    findings, out = quarantine.decide(found, raws, restored=frozenset(restored))
    trusted = {family: quarantine.without(tables[family], out[family]) for family in raws}
    taken = {family: quarantine.taken(raw, out[family], findings) for family, raw in raws.items()}
    rows = {family: raw.table.num_rows + raw.malformed.num_rows for family, raw in raws.items()}
    counts = {family: table.num_rows for family, table in taken.items()}
    verdict = gate.decide(findings, rows=rows, out=counts, settings=settings)
    manifest = _manifest(raws, trusted, taken, engine=running.name, sequence=sequence)
    told = json.dumps([settings.to_text(), sorted(restored), manifest["checks"]])
    run_id = profile.name_of(manifest["dataset_hash"], told, running.name)
    decided = json.dumps(verdict.to_json(), sort_keys=True)
    version = profile.name_of(manifest["trusted_hash"], decided, told)
    stamped = _stamp(findings, run_id=run_id, dataset_hash=manifest["dataset_hash"], engine=running.name)
    return Checked(version, trusted, taken, stamped, verdict, {**manifest, "version": version, "run_id": run_id})


def inspect(
    raws: Mapping[str, Raw],
    settings: QualitySettings,
    *,
    now: int,
    engine: Engine,
    tick: Callable[[str], None] | None = None,
) -> tuple[dict[str, pa.Table], pa.Table]:
    """Repaired tables by family, and all findings: checks that repair first, the others on what they repaired."""
    tables = {family: raw.table for family, raw in raws.items()}
    sides = _sides(raws)
    pieces: list[pa.Table] = []
    for repairs in (True, False):
        frames = engine.frames({**tables, **sides})
        for declared in registry().values():
            wanted = declared.repairs == repairs and declared.id not in settings.disable
            if wanted and any(family in raws for family in declared.families):
                inputs = (Inputs(frames, now), Inputs({**tables, **sides}, now))
                found = list(_ask(declared, settings.of(declared), inputs=inputs, engine=engine))
                pieces += found
                if repairs and any(piece.num_rows for piece in found):
                    # at once: two checks that mend one text (mojibake, a phone number) must both be heard
                    tables = repair(tables, finding.to_table(found))
                    frames = engine.frames({**tables, **sides})
                if tick:
                    tick(declared.id)
    return tables, finding.to_table(pieces)


def _sides(raws: Mapping[str, Raw]) -> dict[str, pa.Table]:
    """What stands beside the families: see `Inputs`."""
    sides = {}
    for family, raw in raws.items():
        sides[f"{family}.malformed"] = raw.malformed
        sides[f"{family}.uncast"] = raw.uncast
        if family == "products":
            sides["products.images"] = image_table(raw.table, raw.path.parent)
    return sides


def _ask(
    declared: Check, settings: CheckSettings, *, inputs: tuple[Inputs[Any], Inputs[Any]], engine: Engine
) -> Iterator[pa.Table]:
    frames, tables = inputs
    if declared.tier == "batch":
        for family in declared.families:
            if family in tables:
                found = engine.map_batches(BatchTask.of(declared, settings), tables[family])
                yield finding.batch_rows(declared, family, found, settings=settings)
        return
    for item in declared(frames if declared.tier == "relational" else tables, settings):
        rows = engine.collect(item.rows) if declared.tier == "relational" else item.rows
        yield finding.to_rows(declared, item, rows, settings=settings)


def _manifest(
    raws: Mapping[str, Raw],
    trusted: Mapping[str, pa.Table],
    taken: Mapping[str, pa.Table],
    *,
    engine: str,
    sequence: int,
) -> dict[str, Any]:
    came = {family: raw.table for family, raw in raws.items()} | _sides(raws)
    rows = {
        family: {
            "raw": raw.table.num_rows + raw.malformed.num_rows,
            "trusted": trusted[family].num_rows,
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
        "dataset_hash": profile.tables_hash(came),
        "trusted_hash": profile.tables_hash(trusted),
        "engine": engine,
        "sequence": sequence,
        "checks": {declared.id: declared.version for declared in registry().values()},
        "rows": rows,
        "sources": sources,
        "states": {family: profile.states(table) for family, table in trusted.items()},
    }


def _stamp(findings: pa.Table, **values: str) -> pa.Table:
    import pyarrow as pa

    for name, value in values.items():
        column = pa.array([value] * findings.num_rows, pa.string())
        findings = findings.set_column(findings.schema.get_field_index(name), name, column)
    return findings.cast(finding.schema())
