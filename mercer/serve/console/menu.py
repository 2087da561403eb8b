"""An open shop and who may change it in; the sections of its console, in the order of the menu, out."""

from __future__ import annotations

from collections.abc import Mapping

from mercer.serve.console import (
    agent,
    alarms,
    audit,
    compare,
    experiments,
    health,
    keys,
    models,
    opinion,
    overview,
    queries,
    rules,
)
from mercer.serve.console.desk import Beside, Desk, environment
from mercer.serve.console.opened import Opened
from mercer.serve.console.section import Section
from mercer.serve.doors import Doors
from mercer.serve.guard_access import Access
from mercer.serve.key_store import Keys
from mercer.serve.settings import ServeSettings
from mercer.serve.slow import Slow

__all__ = ["SECTIONS", "furnish"]

SECTIONS: tuple[Section, ...] = (
    overview.SECTION,
    health.SECTION,
    models.SECTION,
    queries.SECTION,
    compare.SECTION,
    rules.SECTION,
    experiments.SECTION,
    alarms.SECTION,
    opinion.SECTION,
    agent.SECTION,
    keys.SECTION,
    audit.SECTION,
)
"""A new page is one file with a `SECTION`, its template, and one line here."""


def furnish(
    doors: Doors,
    keys: Keys,
    *,
    access: Access,
    settings: ServeSettings,
    beside: Beside | None,
    slow: Slow | None = None,
) -> Desk:
    """The desk of a shop, with every section's phrases."""
    phrases: Mapping[str, tuple[str, str]] = {
        name: words for section in SECTIONS for name, words in section.phrases.items()
    }
    return Desk(
        doors, keys.shop, access, settings, SECTIONS, environment(), phrases, Opened(beside) if beside else None, slow
    )
