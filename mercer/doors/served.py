"""An open shop in; whether its log says that trees were told what training would compute now (check X05), out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.errors import RequestError
from mercer.rank.feature import FEATURES, NAMES, unpacked
from mercer.records import Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.doors.open import Doors
    from mercer.events.answer import Answer

__all__ = ["Skewed", "skewed"]

READ = 20_000
"""Newest impressions of the log that are looked at."""
PAST, CLOCK = ("price_shopper",), ("hour", "weekday")
COMPARED = tuple(
    feature.name for feature in FEATURES if feature.signal != "shopper" and feature.name not in (*PAST, *CLOCK)
)
"""What hangs on a shopper's past is left out, as that has grown since; the clock, as an answer is noted a bit later."""


@dataclass(frozen=True, slots=True)
class Skewed:
    """What was compared, and which features differ."""

    answers: int
    """Answers that were worked out again."""
    products: int
    """Products on them."""
    passed_over: int
    """Answers of another index version, of a masked query, or that have other products now: filters, rules, changes."""
    features: tuple[str, ...]
    """Those whose values differ in more rows than check X05 allows."""


def skewed(doors: Doors, *, most: int = 200) -> Skewed | None:
    """Run check X05 over the newest answers of the log, at most `most`; None where trees were told nothing.

    Raises:
        MissingExtra: a package of the checks is not installed.
    """
    import pyarrow as pa

    from mercer.quality.check import registry
    from mercer.quality.run import QualitySettings
    from mercer.quality.training import check_training

    told = _logged(doors) if doors._learned else {}
    if not told:
        return None
    answers = {one.query_id: one for _, one in doors.events.answers(limit=1_000_000) if one.query_id in told}
    log: list[dict[str, Any]] = []
    now: list[dict[str, Any]] = []
    compared = passed = 0
    for query_id in list(told)[::-1]:
        if compared == most:
            break
        answer = answers.get(query_id)
        again = _again(doors, answer) if answer else None
        if again is None:
            passed += 1
            continue
        compared += 1
        for product, row in told[query_id].items():
            if product in again:
                key = {"query": query_id, "product": product, "gain": float(len(log) % 2)}
                log.append(key | dict(zip(NAMES, row.tolist(), strict=True)))
                now.append(key | dict(zip(NAMES, again[product].tolist(), strict=True)))
    found: set[str] = set()
    if log:
        alone = QualitySettings(disable=tuple(id for id in registry() if id != "X05"))
        checked = check_training(
            pa.Table.from_pylist(now), label="gain", inputs=COMPARED, ids=["product"], groups=["query"],
            log=pa.Table.from_pylist(log), settings=alone,
        )  # fmt: skip
        found = {row["field"] for row in checked.findings.to_pylist()}
    return Skewed(compared, len(log), passed, tuple(name for name in NAMES if name in found))


def _logged(doors: Doors) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Answer → product → what trees were told, the newest answer last."""
    rows: dict[str, dict[str, NDArray[np.float64]]] = defaultdict(dict)
    last = doors.events.last_impression()
    for _, one in doors.events.impressions(max(0, last - READ), limit=READ):
        told = unpacked(one.features)
        if told is not None and one.scene == "search":
            rows[one.query_id][one.product] = told[1]
    return rows


def _again(doors: Doors, answer: Answer) -> dict[str, NDArray[np.float64]] | None:
    """Product → its features worked out now for that moment; None where it is not the same question any more."""
    if answer.version != doors.version or "[" in answer.query or not answer.query or doors._learned is None:
        return None
    request = Request(query=answer.query, context={"device": answer.device} if answer.device else {})
    try:
        known, found = doors.searching.candidates(request)
    except RequestError:
        return None
    if len(found.ids) != answer.total:
        return None
    matrix = doors._learned.features(known, request, found, moment=answer.time)
    return dict(zip(found.ids, matrix, strict=True))
