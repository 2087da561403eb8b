"""The history of runs and the packaged scores of checks in; what the page shows of both out."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from mercer.quality.check import registry
from mercer.quality.plot import course
from mercer.quality.schema import FAMILIES

__all__ = ["scores", "trend"]

SHOWN = 60
"""Runs of the plot: two months of days."""


def trend(history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``families`` (name, plot, share, before), ``quiet`` ones (no row left), ``count``; {} where one run is all."""
    runs = list(history)[-SHOWN:]
    if len(runs) < 2:
        return {}
    names = [name for name in FAMILIES if any(name in run["rows"] for run in runs)]
    dates = [_date(run["time"]) for run in runs]
    families, quiet = [], []
    for name in names:
        shares = [_share(run["rows"].get(name)) for run in runs]
        known = [share for share in shares if share is not None]
        if not any(known):
            quiet.append(name)
        elif len(known) > 1:
            plot = course(shares, [run["gate"] for run in runs], labels=dates)
            families.append({"name": name, "plot": plot, "share": known[-1], "before": known[-2]})
    return {"families": families, "quiet": quiet, "count": len(runs)}


def _share(rows: Mapping[str, int] | None) -> float | None:
    """Share of a family's rows that was taken out; None where it was not there, or empty."""
    return rows["quarantine"] / rows["raw"] if rows and rows["raw"] else None


def _date(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M")


def scores() -> list[dict[str, Any]]:
    """What each check found of injected errors, by `benchmarks/dirty_shop.py`; [] where none are packaged.

    A score of an earlier version of a check says so.
    """
    path = files("mercer.quality").joinpath("scores.json")
    if not path.is_file():
        return []
    measured: dict[str, Any] = json.loads(path.read_text("utf-8"))
    listed = []
    for declared in registry().values():
        found = measured.get(declared.id)
        english, chinese = declared.english, declared.chinese
        stale = found is not None and found.get("version") != declared.version
        line = {"check": declared.id, "english": english, "chinese": chinese, "severity": declared.severity}
        listed.append(line | {"score": found, "stale": stale})
    return listed
