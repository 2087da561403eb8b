"""The owner's suppressions in; those that have ended and still stand in the settings out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.schema import FAMILIES

__all__ = ["policy"]


@check(
    "Q01",
    families=FAMILIES,
    tier="relational",
    severity="medium",
    problems={
        "expired": Problem("what was let pass has not been settled in time", "豁免已过期而问题仍未解决", "warn"),
    },
    english="what is let pass is let pass for a time, and someone answers for it",
    chinese="豁免须有期限和负责人",
)
def policy(inputs: Inputs[Any], _settings: CheckSettings) -> Iterator[Found]:
    """Each ``[[quality.suppress]]`` whose day is over: its findings act and count again, and it is one itself."""
    import narwhals.stable.v2 as nw

    if "policy.suppressed" not in inputs:
        return
    ended = inputs["policy.suppressed"].filter(nw.col("ended"))
    for family in FAMILIES:
        if family in inputs:
            rows = ended.filter(nw.col("family") == family)
            told = rows.select(
                nw.lit(FILE).cast(nw.Int64).alias("row_id"), "check", "about", "row", "owner", "until", "column"
            )
            yield Found(told, family, "", "expired")
