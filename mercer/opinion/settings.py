"""Section [opinion] of mercer.toml in; which sources are believed, what is watched, and where alarms go, out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mercer.errors import SettingsError
from mercer.opinion.fit import FitSettings
from mercer.opinion.surprise import SurgeSettings

__all__ = ["OpinionSettings"]


@dataclass(frozen=True, slots=True)
class OpinionSettings:
    """Section ``[opinion]``: what is read and watched."""

    trust: Mapping[str, float] = field(default_factory=lambda: {"posts": 0.5})
    """Source → how far it is believed, 0 to 1; one that is not named is believed fully."""
    least_trust: float = 0.3
    """Documents of sources below it are kept and shown, and count for no alarm."""
    encoder: str = "none"
    """What models that were learned with vectors stand on: none, auto, minilm, e5 or a folder."""
    weekly: float = 10.0
    """Documents a week that a topic, entity and sentiment must have together to be watched."""
    series: int = 200
    """Most of those that are watched, the largest first."""
    webhook: str = ""
    """Address that new alarms are posted to, signed with MERCER_WEBHOOK_SECRET; "" is none."""
    fit: FitSettings = field(default_factory=FitSettings)
    """How `mercer learn SHOP opinion` fits a head."""
    surge: SurgeSettings = field(default_factory=SurgeSettings)
    """What is a surge."""

    def __post_init__(self) -> None:
        for source, value in self.trust.items():
            if not (isinstance(value, int | float) and 0 <= value <= 1):
                raise SettingsError(f"[opinion] trust of {source} is {value!r}", cure="give a number from 0 to 1")
        if not 0 <= self.least_trust <= 1:
            raise SettingsError(f"[opinion] least_trust is {self.least_trust}", cure="give a number from 0 to 1")
        if not (math.isfinite(self.weekly) and self.weekly > 0):
            raise SettingsError(f"[opinion] weekly is {self.weekly}", cure="give documents a week above 0")
        if not 1 <= self.series <= 10_000:
            raise SettingsError(f"[opinion] series is {self.series}", cure="give a number from 1 to 10000")
        if self.webhook and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", self.webhook):
            raise SettingsError(f"[opinion] webhook is {self.webhook[:80]!r}", cure="give an http or https address")
