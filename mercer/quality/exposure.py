"""Findings in; what the manifest tells training of position bias and of exposures that were not logged, out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mercer.quality.finding import FILE

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["entries"]

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
