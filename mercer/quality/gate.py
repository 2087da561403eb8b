"""Findings and row counts in; pass, warn or block with the number that decided out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mercer.quality.check import Check, CheckSettings, find
from mercer.quality.finding import FILE
from mercer.quality.quarantine import REMOVING

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

    def of(self, declared: Check) -> CheckSettings: ...

    def limit(self, family: str) -> float: ...


def decide(findings: pa.Table, *, rows: Mapping[str, int], out: Mapping[str, int], settings: Limits) -> Gate:
    """The worst of all requirements decides; among equals, the one furthest beyond its threshold.

    Args:
        findings: all of them.
        rows: family → rows that came in.
        out: family → rows taken out of trusted data.
        settings: ceilings and thresholds.
    """
    asked = [*_ceilings(rows, out, settings), *_thresholds(findings, rows, settings)]
    worst = max(asked, key=lambda item: (ORDER.index(item.status), item.share - item.threshold))
    return Gate(worst.status, worst, tuple(asked))


def _ceilings(rows: Mapping[str, int], out: Mapping[str, int], settings: Limits) -> Iterator[Requirement]:
    for family, count in rows.items():
        limit, gone = settings.limit(family), out[family]
        share = gone / count if count else 0.0
        emptied = count > 0 and gone == count
        blocked = emptied or (share > limit and gone > settings.always_allowed)
        text = f"at most {limit:.1%} of {family} may be taken out"
        yield Requirement(text, family, "", count - gone, gone, share, limit, "block" if blocked else "pass")


def _thresholds(findings: pa.Table, rows: Mapping[str, int], settings: Limits) -> Iterator[Requirement]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    names = ("check_id", "family", "row_id", "action")
    for id, family, row_id, action in zip(*(findings[name].to_pylist() for name in names), strict=True):
        group = groups.setdefault((id, family), {"rows": set(), "out": set(), "file": set()})
        if row_id == FILE:
            group["file"].add(action)
            continue
        group["rows"].add(row_id)
        if action in REMOVING or action == "block":
            group["out"].add(row_id)
        if action == "block":
            group["file"].add(action)
    for (id, family), group in sorted(groups.items()):
        yield _threshold(find(id), family, group, rows.get(family, 0), settings)


def _threshold(declared: Check, family: str, group: Mapping[str, set[Any]], count: int, limits: Limits) -> Requirement:
    settings = limits.of(declared)
    share = len(group["rows"]) / count if count else 0.0
    gone = len(group["out"]) / count if count else 0.0
    status: Status = "pass"
    threshold = settings.warn_if
    if share > settings.warn_if or "warn" in group["file"]:
        status = "warn"
    much = gone > settings.error_if and len(group["out"]) > limits.always_allowed
    if much or "block" in group["file"]:
        status, threshold, share = "block", settings.error_if, gone
    return Requirement(
        f"{declared.id} on {family}: {declared.english}",
        family,
        declared.id,
        count - len(group["rows"]),
        len(group["rows"]),
        share,
        threshold,
        status,
        tuple(sorted(group["rows"])[:10]),
    )
