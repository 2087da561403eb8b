"""What the owner sets in ``[quality]`` in; thresholds, actions, ceilings and what is knowingly let pass, out."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from mercer.errors import SettingsError
from mercer.quality.check import Check, CheckSettings, find
from mercer.quality.schema import FAMILIES

__all__ = ["QualitySettings", "Suppression"]


@dataclass(frozen=True)
class Suppression:
    """Findings that someone answers for, until a day: they are kept, and neither act nor count."""

    check: str
    """Id of the check."""
    owner: str
    """Who answers for it."""
    until: str
    """Last day (UTC, such as 2026-03-31) on which it holds; afterwards it is a finding itself (Q01)."""
    problem: str = ""
    """One problem of the check; all of them where "" is given."""
    family: str = ""
    """One family; all of them where "" is given."""
    field: str = ""
    """One field; all of them where "" is given."""
    row: str = ""
    """One row: its id (event_id, query_id), or its hash as `mercer quarantine` shows it; all rows where ""."""
    reason: str = ""
    """Why, for whoever reads it next."""

    def __post_init__(self) -> None:
        known = find(self.check).problems
        if self.problem and self.problem not in known:
            raise SettingsError(f"{self.check} finds no problem {self.problem!r}", cure=f"known: {', '.join(known)}")
        if self.family and self.family not in FAMILIES:
            raise SettingsError(f"suppressed family is {self.family!r}", cure=f"give one of {', '.join(FAMILIES)}")
        if not self.owner.strip():
            raise SettingsError(f"a suppression of {self.check} has no owner", cure="name who answers for it")
        self.ends()

    def ends(self) -> int:
        """UTC milliseconds at which it ends.

        Raises:
            SettingsError: `until` is no day.
        """
        try:
            day = datetime.date.fromisoformat(self.until)
        except ValueError as error:
            raise SettingsError(
                f"a suppression of {self.check} ends {self.until!r}", cure='give a day such as until = "2026-03-31"'
            ) from error
        midnight = datetime.datetime.combine(day, datetime.time(), datetime.UTC) + datetime.timedelta(days=1)
        return int(midnight.timestamp() * 1000)


@dataclass(frozen=True)
class QualitySettings:
    """What the owner sets in ``[quality]``."""

    max_quarantine: float = 0.05
    """Share of one family's rows (0 to 1) that checks may take out; above it the batch is blocked, not emptied."""
    max_quarantine_of: Mapping[str, float] = field(default_factory=dict)
    """Family → its own share, where `max_quarantine` does not fit it."""
    always_allowed: int = 3
    """Rows of a family that may be taken out however small the family is."""
    keep_last_good: bool = True
    """Whether the row accepted last goes on serving a product whose new row is taken out: no bad update deletes it."""
    last_good_days: float = 30.0
    """Days for which it goes on serving, from the first check that found the new row bad."""
    keep_partly: bool = True
    """Whether a product with no such row is kept without the fields that are wrong, if its id and title are not."""
    disable: tuple[str, ...] = ()
    """Ids of checks that do not run."""
    memory: float = 2.0
    """GB of memory that DuckDB may fill before it writes to disk; Arrow tables of a run come on top."""
    suppress: tuple[Suppression, ...] = ()
    """Findings that someone answers for, from ``[[quality.suppress]]``."""
    checks: Mapping[str, CheckSettings] = field(default_factory=dict)
    """Check id → its settings, from ``[quality.C06]`` and the like."""
    sources: Mapping[str, Mapping[str, CheckSettings]] = field(default_factory=dict)
    """Check id → source → its settings there, from ``[quality.C06.sources.products]``. A source is a family, or the
    name of a file with or without its ending."""

    def __post_init__(self) -> None:
        for name, value in {"max_quarantine": self.max_quarantine, **self.max_quarantine_of}.items():
            if not 0 <= value <= 1:
                raise SettingsError(f"{name} is {value}", cure="give a share of rows between 0 and 1")
        if self.always_allowed < 0:
            raise SettingsError(f"always_allowed is {self.always_allowed}", cure="give 0 or more rows")
        if not 0 <= self.last_good_days <= 3660:
            raise SettingsError(f"last_good_days is {self.last_good_days}", cure="give 0 to 3660 days")
        if self.memory < 0.1:
            raise SettingsError(f"memory is {self.memory} GB", cure="give at least 0.1 GB")
        for id in self.disable:
            find(id)
        given = [(id, one) for id, one in self.checks.items()]
        given += [(id, one) for id, places in self.sources.items() for one in places.values()]
        for id, one in given:
            known = find(id).problems
            for problem in one.actions:
                if problem not in known:
                    raise SettingsError(f"{id} finds no problem {problem!r}", cure=f"known: {', '.join(known)}")

    def of(self, declared: Check, *source: str) -> CheckSettings:
        """The settings of one check; those for the first of the names of a `source` that has its own."""
        places = self.sources.get(declared.id, {})
        for name in source:
            if name in places:
                return places[name]
        return self.checks.get(declared.id) or declared.settings()

    def limit(self, family: str) -> float:
        """The action ceiling of one family."""
        return self.max_quarantine_of.get(family, self.max_quarantine)

    def ended(self, now: int) -> list[Suppression]:
        """Suppressions that hold no more at `now`, UTC milliseconds."""
        return [one for one in self.suppress if one.ends() <= now]

    def to_text(self) -> str:
        """All settings as JSON, for hashes; how much memory was used decides nothing."""
        told = asdict(self)
        del told["memory"]
        return json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
