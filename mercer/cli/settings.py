"""A shop's mercer.toml in; its sections, and the settings of the rooms that commands share, out."""

from __future__ import annotations

import re
from typing import Any

from mercer import config
from mercer.quality.check import find
from mercer.quality.run import QualitySettings
from mercer.shop import Shop

__all__ = ["SECTIONS", "quality_settings", "sections"]

SECTIONS = ("data", "map", "quality", "encode", "retrieve", "rank", "search", "recommend", "serve")
"""Tables that mercer.toml may have."""


def sections(shop: Shop) -> dict[str, dict[str, Any]]:
    """Every section of a shop's settings; those that it does not set are empty.

    Raises:
        SettingsError: no TOML, or a section that nobody knows.
    """
    found = config.read(shop.settings, known=SECTIONS)
    return {name: found.get(name, {}) for name in SECTIONS}


def quality_settings(data: dict[str, Any]) -> QualitySettings:
    """[quality], where a table named for a check ([quality.C06]) holds that check's settings.

    Raises:
        SettingsError: an unknown check, key or value.
    """
    named = {key: value for key, value in data.items() if re.fullmatch("[A-Z][0-9]{2}", key)}
    checks = {id: config.section(value, find(id).settings, name=f"quality.{id}") for id, value in named.items()}
    rest = {key: value for key, value in data.items() if key not in named and key != "checks"}
    plain = config.section(rest, QualitySettings, name="quality")
    return QualitySettings(plain.max_quarantine, plain.max_quarantine_of, plain.always_allowed, plain.disable, checks)
