"""mercer.toml in; the settings of every room, the data and the map tables out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.config import read, section

if TYPE_CHECKING:
    from mercer.doors import Settings

__all__ = ["SECTIONS", "read_settings", "tables"]

SECTIONS = (
    "data",
    "map",
    "quality",
    "encode",
    "retrieve",
    "behaviour",
    "rank",
    "rules",
    "search",
    "recommend",
    "suggest",
    "understand",
    "spelling",
    "learn",
    "fair",
    "assistant",
    "serve",
    "watch",
)


def tables(folder: Path) -> dict[str, dict[str, Any]]:
    """Every section of a shop's mercer.toml.

    Raises:
        SettingsError: no TOML, or an unknown section.
    """
    from mercer.shop import Shop

    if (folder / "store").exists():
        Shop(folder)  # one of a later Mercer says so, before its settings are judged
    return read(folder / "mercer.toml", known=SECTIONS)


def read_settings(folder: Path) -> Settings:
    """Settings that opening and building a shop need.

    Raises:
        NotFoundError, ShopTooNew: no shop, or one of a later Mercer.
        SettingsError: an unknown key or a value that cannot be.
    """
    import dataclasses

    from mercer.doors import Settings
    from mercer.shop import Shop

    Shop(folder)
    found, defaults = tables(folder), Settings()
    given = {
        field.name: section(found[field.name], type(getattr(defaults, field.name)), name=field.name)
        for field in dataclasses.fields(Settings)
        if field.name in found
    }
    return dataclasses.replace(defaults, **given)
