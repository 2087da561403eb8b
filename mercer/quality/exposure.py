"""Findings in; what the manifest tells training of position bias and of exposures that were not logged, out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mercer.quality.finding import FILE

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["entries", "propensity"]

TOLD = {"position_bias": "propensity", "exposure_missing": "exposure"}
"""Problem of a whole file → the manifest's name for its evidence."""


def entries(findings: pa.Table) -> dict[str, Any]:
    """``propensity`` (model, eta, curve …) from E12 and ``exposure`` (share of clicks on what was shown) from E11."""
    import pyarrow as pa
    import pyarrow.compute as pc

    told = pc.and_(
        pc.equal(findings["row_id"], FILE),
        pc.and_(
            pc.is_in(findings["check_id"], pa.array(["E11", "E12"])),
            pc.is_in(findings["problem"], pa.array(list(TOLD))),
        ),
    )
    rows = findings.filter(told).select(["problem", "evidence"]).to_pylist()
    return {TOLD[row["problem"]]: json.loads(row["evidence"]) for row in rows}


def propensity(manifest: Mapping[str, Any]) -> tuple[float, ...]:
    """Chance that each position is looked at, position 1 first, as events count them.

    For whoever learns from clicks: `learn.pairs.behaviour.from_events` divides by it. () where E12 found no bias or
    could not tell; positions beyond the last one were shown too seldom to tell.

    >>> propensity({"propensity": {"curve": [1.0, 0.6, 0.4]}}), propensity({})
    ((1.0, 0.6, 0.4), ())
    """
    return tuple(map(float, manifest.get("propensity", {}).get("curve", ())))
