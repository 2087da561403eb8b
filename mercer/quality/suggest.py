"""The history of runs and the settings in force in; limits that this shop's data would usually keep out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.quality.check import find, registry
from mercer.quality.settings import QualitySettings

__all__ = ["Proposal", "suggest", "upper"]

DEVIATIONS = 4.0
"""Standard deviations above the mean: by Cantelli's inequality at most 1 day in 17 is beyond, whatever the
distribution, and 1 in 30,000 where it is normal."""
LEAST_WARN = 0.002
"""Share of rows below which no warning is proposed: a limit that one row breaks teaches nobody anything."""
LEAST_ERROR = 0.01
ROOM = 2.0
"""How many times the usual share may be taken out before the gate closes."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One line for mercer.toml."""

    section: tuple[str, ...]
    """Path of the table, such as ("quality", "C06", "sources", "products")."""
    key: str
    now: float
    proposed: float
    why: str


def suggest(history: Sequence[Mapping[str, Any]], settings: QualitySettings) -> list[Proposal]:
    """Limits from what earlier runs found, for every check and family that found anything, and for each ceiling.

    A limit is the mean share of the runs and `DEVIATIONS` of their standard deviations more, where a single run counts
    as a day of chance: the deviation is never less than that of a Poisson count. Only limits that differ from the ones
    in force by more than a tenth are proposed. The ceiling is never lowered below 1 % or raised beyond 20 %.
    """
    if not history:
        return []
    return [*_checks(history, settings), *_ceilings(history, settings)]


def _checks(history: Sequence[Mapping[str, Any]], settings: QualitySettings) -> Iterator[Proposal]:
    known = registry()
    pairs = sorted({(id, family) for run in history for id, families in run["checks"].items() for family in families})
    for id, family in pairs:
        if id not in known:
            continue
        chosen = settings.of(find(id), family)
        section = ("quality", id, "sources", family)
        counts = [(run["checks"].get(id, {}).get(family, [0, 0]), _rows(run, family)) for run in history]
        found = [(one[0], rows) for one, rows in counts if rows]
        out = [(one[1], rows) for one, rows in counts if rows]
        if any(count for count, _ in found):
            yield from _proposal(section, "warn_if", chosen.warn_if, max(LEAST_WARN, upper(found)), found)
        if any(count for count, _ in out):
            yield from _proposal(section, "error_if", chosen.error_if, max(LEAST_ERROR, ROOM * upper(out)), out)


def _ceilings(history: Sequence[Mapping[str, Any]], settings: QualitySettings) -> Iterator[Proposal]:
    for family in sorted({family for run in history for family in run["rows"]}):
        out = [(run["rows"][family]["quarantine"], _rows(run, family)) for run in history if _rows(run, family)]
        if any(count for count, _ in out):
            proposed = min(0.2, max(LEAST_ERROR, ROOM * upper(out)))
            yield from _proposal(("quality", "max_quarantine_of"), family, settings.limit(family), proposed, out)


def _rows(run: Mapping[str, Any], family: str) -> int:
    return int(run["rows"].get(family, {}).get("raw", 0))


def upper(counts: Sequence[tuple[int, int]]) -> float:
    """The share that (found, rows) pairs of usual days stay below.

    >>> round(upper([(10, 1000)]), 4), round(upper([(10, 1000), (11, 1000), (9, 1000)]), 4)
    (0.0226, 0.0226)
    """
    shares = [count / rows for count, rows in counts]
    mean = sum(shares) / len(shares)
    spread = sum((share - mean) ** 2 for share in shares) / max(1, len(shares) - 1)
    chance = max(mean, 1 / max(rows for _, rows in counts)) / min(rows for _, rows in counts)
    return min(1.0, mean + DEVIATIONS * math.sqrt(max(spread, chance)))


def _proposal(
    section: tuple[str, ...], key: str, now: float, share: float, counts: Sequence[tuple[int, int]]
) -> Iterator[Proposal]:
    proposed = _round_up(share)
    if proposed != now and abs(proposed - now) > 0.1 * now:
        shares = [count / rows for count, rows in counts]
        why = f"{len(shares)} runs, {min(shares):.3%} to {max(shares):.3%} of rows"
        yield Proposal(section, key, now, proposed, why)


def _round_up(share: float) -> float:
    """Two digits that count, not less.

    >>> _round_up(0.02263), _round_up(0.5)
    (0.023, 0.5)
    """
    if share >= 1:
        return 1.0
    digits = 1 - math.floor(math.log10(share))
    scale = 10.0**digits
    return round(math.ceil(round(share * scale, 6)) / scale, digits)
