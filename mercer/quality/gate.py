"""Findings and row counts in; pass, warn or block with the number that decided out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mercer.quality.check import Check, CheckSettings, find
from mercer.quality.finding import FILE
from mercer.quality.place import Place
from mercer.quality.quarantine import REMOVING
from mercer.quality.suppress import SUPPRESSED

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Gate", "Requirement", "Status", "decide"]

Status = Literal["pass", "warn", "block"]
ORDER: tuple[Status, ...] = ("pass", "warn", "block")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing asked of the data, in the shape of a quality metric."""

    requirement: str
    """What must hold, for people."""
    family: str
    check: str
    """Id of the check; "" for a ceiling over all checks."""
    qualified: int
    """Rows that meet it."""
    unqualified: int
    share: float
    """Unqualified rows of all."""
    threshold: float
    """The share that `share` was held against; the one it broke, or else the lowest that it kept."""
    status: Status
    sample_rows: tuple[int, ...] = ()
    """Some unqualified row_ids."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The decision about a batch, and the requirement that decided."""

    status: Status
    decided_by: Requirement
    requirements: tuple[Requirement, ...]

    @property
    def blocked(self) -> bool:
        return self.status == "block"

    def to_json(self) -> dict[str, Any]:
        """As ``gate.json`` has it."""
        return {"decision": self.status, **asdict(self)}


class Limits(Protocol):
    """What `decide` reads of the owner's settings."""

    @property
    def always_allowed(self) -> int: ...

    @property
    def sources(self) -> Mapping[str, Mapping[str, CheckSettings]]: ...

    def of(self, declared: Check, *source: str) -> CheckSettings: ...

    def limit(self, family: str) -> float: ...


def decide(
    findings: pa.Table,
    *,
    rows: Mapping[str, int],
    out: Mapping[str, int],
    settings: Limits,
    approved: Mapping[str, Set[int]] | None = None,
    files: Mapping[str, Sequence[Place]] | None = None,
) -> Gate:
    """The worst of all requirements decides; among equals, the one furthest beyond its threshold.

    Args:
        findings: all of them.
        rows: family → rows that came in.
        out: family → rows taken out of trusted data.
        settings: ceilings and thresholds.
        approved: family → row_ids that a person agrees to lose; they leave, and count against no limit.
        files: family → its files, where a file may have limits of its own.
    """
    settled = approved or {}
    asked = [*_ceilings(rows, out, settled, settings), *_thresholds(findings, rows, settled, settings, files or {})]
    worst = max(asked, key=lambda item: (ORDER.index(item.status), item.share - item.threshold))
    return Gate(worst.status, worst, tuple(asked))


def _ceilings(
    rows: Mapping[str, int], out: Mapping[str, int], settled: Mapping[str, Set[int]], settings: Limits
) -> Iterator[Requirement]:
    for family, count in rows.items():
        limit = settings.limit(family)
        emptied = count > 0 and out[family] == count
        gone = count if emptied else out[family] - len(settled.get(family, ()))
        share = gone / count if count else 0.0
        blocked = emptied or (share > limit and gone > settings.always_allowed)
        text = f"at most {limit:.1%} of {family} may be taken out"
        yield Requirement(text, family, "", count - gone, gone, share, limit, "block" if blocked else "pass")


def _thresholds(
    findings: pa.Table,
    rows: Mapping[str, int],
    settled: Mapping[str, Set[int]],
    settings: Limits,
    files: Mapping[str, Sequence[Place]],
) -> Iterator[Requirement]:
    groups: dict[tuple[str, str, str], _Group] = {}
    names = ("check_id", "family", "row_id", "action")
    for id, family, row_id, action in zip(*(findings[name].to_pylist() for name in names), strict=True):
        if action == SUPPRESSED:
            continue
        place = _place(settings, id, row_id, files.get(family, ()))
        group = groups.setdefault((id, family, place.file if place else ""), _Group(place))
        group.add(row_id, action, agreed=row_id in settled.get(family, ()))
    for (id, family, _), group in sorted(groups.items(), key=lambda item: item[0]):
        count = group.place.rows if group.place else rows.get(family, 0)
        yield _threshold(find(id), family, group, count, settings)


def _place(settings: Limits, id: str, row_id: int, files: Sequence[Place]) -> Place | None:
    """The file of a row, where this check has settings of its own for it."""
    special = settings.sources.get(id)
    if not special:
        return None
    mine = [place for place in files if place.holds(row_id) or (row_id == FILE and not place.first)]
    return next((place for place in mine if any(name in special for name in place.names)), None)


class _Group:
    """Findings of one check about one family, or about one file of it."""

    def __init__(self, place: Place | None) -> None:
        self.place = place
        self.rows: set[int] = set()
        self.out: set[int] = set()
        self.file: set[str] = set()

    def add(self, row_id: int, action: str, *, agreed: bool) -> None:
        if row_id == FILE or action == "block":
            self.file.add(action)
        if row_id != FILE:
            self.rows.add(row_id)
        if row_id != FILE and not agreed and (action in REMOVING or action == "block"):
            self.out.add(row_id)


def _threshold(declared: Check, family: str, group: _Group, count: int, limits: Limits) -> Requirement:
    settings = limits.of(declared, *(group.place.names if group.place else ()))
    share = len(group.rows) / count if count else 0.0
    gone = len(group.out) / count if count else 0.0
    status: Status = "pass"
    threshold = settings.warn_if
    if share > settings.warn_if or "warn" in group.file:
        status = "warn"
    much = gone > settings.error_if and len(group.out) > limits.always_allowed
    if much or "block" in group.file:
        status, threshold, share = "block", settings.error_if, gone
    where = f" ({group.place.file})" if group.place and group.place.file != family else ""
    return Requirement(
        f"{declared.id} on {family}{where}: {declared.english}",
        family,
        declared.id,
        count - len(group.rows),
        len(group.rows),
        share,
        threshold,
        status,
        tuple(sorted(group.rows)[:10]),
    )
