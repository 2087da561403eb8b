"""Section [watch] of mercer.toml in; what is measured, when an alarm is raised, and where it is told, out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mercer.errors import SettingsError
from mercer.watch.alarm import AlarmRule

__all__ = ["USUAL", "WatchSettings"]

USUAL: Mapping[str, AlarmRule] = {
    "nothing-found": AlarmRule("quality.zero_results", 0.3, 0.2, 2, "high"),
    "nothing-clicked": AlarmRule("quality.abandonment", 0.9, 0.85, 2, "medium"),
    "clicks-fell": AlarmRule("quality.ctr_ratio", 0.8, 0.9, 2, "high"),
    "asked-again": AlarmRule("quality.reformulation", 0.5, 0.4, 2, "medium"),
    "queries-drift": AlarmRule("drift.queries", 0.25, 0.1, 1, "medium", sure=False),
    "catalogue-drifts": AlarmRule("drift.catalogue", 0.25, 0.1, 1, "medium", sure=False),
    "scores-drift": AlarmRule("drift.scores", 0.25, 0.1, 1, "medium", sure=False),
    "features-drift": AlarmRule("drift.features", 0.25, 0.1, 1, "medium", sure=False),
    "unlike-training": AlarmRule("drift.training", 1.0, 0.5, 1, "low", sure=False),
    "answers-degraded": AlarmRule("quality.degraded", 0.1, 0.05, 1, "high"),
}
"""Rules of a shop that says nothing. Thresholds of drift are the usual ones of the population stability index (.1 and
.25: Siddiqi, Credit Risk Scorecards, 2006); the others are guesses that an owner sets by what is usual in the shop."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How a shop is watched."""

    window_hours: float = 24.0
    """Hours of one window of time; windows begin at whole multiples since 1970, UTC."""
    days: int = 28
    """Days of the log that quality over time is drawn from."""
    recent_days: float = 7.0
    """Last days that drift is measured in, against what was before or was built from."""
    least: int = 50
    """Answers that a window must have to be judged."""
    visit_minutes: float = 30.0
    """Minutes without a question after which a visit is over: then what was not clicked is abandoned."""
    significance: float = 0.01
    """Largest corrected p value that counts as a change of a distribution."""
    sample: int = 5000
    """Rows of each side that drift is measured on."""
    alarms: Mapping[str, AlarmRule] = field(default_factory=dict)
    """Rules by name, added to the usual ones or in place of them."""
    webhook: str = ""
    """Address that alarms are posted to; its secret is in the environment as MERCER_WEBHOOK_SECRET."""
    tries: int = 4
    """Times that a webhook is tried, with pauses that double."""
    pause: float = 1.0
    """Seconds before the second try."""

    def __post_init__(self) -> None:
        limits = (
            ("window_hours", 0.01, 24 * 31), ("days", 1, 3660), ("recent_days", 0.01, 366), ("least", 1, 10**9),
            ("visit_minutes", 1, 1440), ("significance", 1e-9, 0.5), ("sample", 100, 10**7), ("tries", 1, 20),
            ("pause", 0, 600),
        )  # fmt: skip
        for name, low, high in limits:
            if not low <= getattr(self, name) <= high:
                cure = f"give a number from {low:g} to {high:g}"
                raise SettingsError(f"[watch] {name} is {getattr(self, name)}", cure=cure)
        if self.webhook and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", self.webhook):
            raise SettingsError(f"[watch] webhook is {self.webhook[:80]!r}", cure="give an http or https address")

    @property
    def rules(self) -> dict[str, AlarmRule]:
        """All rules in force, by name."""
        return {name: rule for name, rule in {**USUAL, **self.alarms}.items() if rule.enabled and rule.measure}

    @property
    def window(self) -> int:
        """Of one window, in milliseconds."""
        return int(self.window_hours * 3_600_000)
