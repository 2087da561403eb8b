"""A rule, what it knew, and one more measured window in; whether its alarm stands, and what has changed, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mercer.errors import SettingsError
from mercer.records import Alarm, Severity

__all__ = ["AlarmRule", "Change", "Held", "Measured", "step"]

Change = Literal["raised", "cleared", ""]


@dataclass(frozen=True, slots=True)
class Measured:
    """One number of one window of time."""

    name: str
    """Such as ``quality.zero_results`` or ``drift.queries``."""
    value: float
    low: float
    high: float
    """Ends of its interval; both the value itself where there is none."""
    window: int
    """End of the window, UTC milliseconds: the same one, measured again, counts once."""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """When an alarm is raised and when it is cleared; the space between the two thresholds changes nothing."""

    measure: str = ""
    """Name of the number that is watched."""
    raise_at: float = 0.0
    """Threshold of raising; below `clear_at` it is small numbers that are bad."""
    clear_at: float = 0.0
    """Threshold of clearing."""
    windows: int = 1
    """Windows in a row that must be beyond `raise_at`, and then within `clear_at`."""
    severity: Severity = "medium"
    sure: bool = True
    """Whether the whole interval must be beyond `raise_at`, so that a quiet day raises nothing."""
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.raise_at == self.clear_at and self.measure:
            cure = "leave room between the two, or the alarm comes and goes"
            raise SettingsError(f"alarm of {self.measure}: raise_at and clear_at are both {self.raise_at}", cure=cure)
        if self.windows < 1:
            raise SettingsError(f"alarm of {self.measure}: windows is {self.windows}", cure="give 1 or more")

    def beyond(self, seen: Measured) -> bool:
        """Whether a window counts towards raising."""
        if self.raise_at > self.clear_at:
            return (seen.low if self.sure else seen.value) >= self.raise_at
        return (seen.high if self.sure else seen.value) <= self.raise_at

    def within(self, seen: Measured) -> bool:
        """Whether a window counts towards clearing."""
        return seen.value <= self.clear_at if self.raise_at > self.clear_at else seen.value >= self.clear_at


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one rule's alarm."""

    alarm: Alarm
    """As it was raised last, or would be; `time` is the end of the window that raised it."""
    stands: bool = False
    run: int = 0
    """Windows in a row that speak for a change of `stands`."""
    window: int = 0
    """The last one counted."""
    changed: int = 0
    """When it was raised or cleared last, UTC ms of the window."""
    acknowledged: str = ""
    """Who has seen it, since it was raised; "" is nobody."""
    note: str = ""
    """What they said."""
    muted_until: int = 0
    """UTC ms until which it is not delivered; it is still shown."""


def step(rule: AlarmRule, held: Held | None, seen: Measured) -> tuple[Held, Change]:
    """Count one window; an older one than the last, or the same, changes nothing.

    >>> rule = AlarmRule("quality.zero_results", raise_at=0.3, clear_at=0.2, windows=2)
    >>> held, changes = None, []
    >>> for window, value in enumerate((0.4, 0.4, 0.25, 0.1, 0.1), start=1):
    ...     held, change = step(rule, held, Measured(rule.measure, value, value, value, window))
    ...     changes.append(change)
    >>> changes
    ['', 'raised', '', '', 'cleared']
    """
    told = Alarm(seen.name, _title(rule, seen), rule.severity, seen.window, _evidence(rule, seen))
    if held is None:
        held = Held(told)
    if seen.window <= held.window:
        return held, ""
    speaks = rule.within(seen) if held.stands else rule.beyond(seen)
    run = held.run + 1 if speaks else 0
    if run < rule.windows:
        alarm = held.alarm if held.stands else told
        return replace(held, alarm=alarm, run=run, window=seen.window), ""
    if held.stands:
        return replace(held, stands=False, run=0, window=seen.window, changed=seen.window), "cleared"
    risen = replace(held, alarm=told, stands=True, run=0, window=seen.window, changed=seen.window)
    return replace(risen, acknowledged="", note=""), "raised"


def _title(rule: AlarmRule, seen: Measured) -> str:
    side = "at or above" if rule.raise_at > rule.clear_at else "at or below"
    return f"{seen.name} is {seen.value:.4g} [{seen.low:.4g}, {seen.high:.4g}], {side} {rule.raise_at:g}"


def _evidence(rule: AlarmRule, seen: Measured) -> dict[str, Any]:
    limits = {"raise_at": rule.raise_at, "clear_at": rule.clear_at, "windows": rule.windows}
    return {"value": seen.value, "low": seen.low, "high": seen.high, **limits, **seen.evidence}
