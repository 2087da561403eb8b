"""Open doors and judged queries in; how sure an answer may be, kept for the version, and asked of a page, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import DataError, RequestError
from mercer.measure.calibration import (
    Calibration,
    CalibrationSettings,
    Reliability,
    auc,
    calibrate,
    crossed,
    reliability,
)
from mercer.records import Page, Request
from mercer.shop import Shop, disk_errors, write_json

if TYPE_CHECKING:
    from mercer.doors.open import Doors

__all__ = ["Confidence", "kept_confidence", "measure_confidence", "sure"]

FILE = "confidence.json"


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far the first hit's score says that it is right."""

    version: str
    calibration: Calibration
    """Of all judged queries; what serves."""
    reliability: Reliability
    """Of probabilities that came from other queries."""
    raw: Reliability
    """Of the score itself, cut to 0 and 1, taken for a probability."""
    queries: int
    right: int
    nothing_here: float
    """Share of the shop's own judged queries that would be told that nothing fits."""
    foreign: int
    nothing_foreign: float | None
    """The same of queries of another shop; None without any."""
    told_apart: float | None
    """Share of pairs of an own and a foreign query in which the own one is the surer."""

    def json(self) -> dict[str, Any]:
        """As it is kept."""
        import dataclasses

        return dataclasses.asdict(self)


def measure_confidence(
    doors: Doors,
    texts: Mapping[str, str],
    truth: Mapping[str, Mapping[str, float]],
    *,
    least: float,
    foreign: Sequence[str] = (),
    settings: CalibrationSettings | None = None,
    seed: int = 7,
    tick: Callable[[int], None] | None = None,
) -> Confidence:
    """Ask every judged query; a first hit of grade `least` and more is right, one that nobody judged is wrong.

    Args:
        doors: the live version.
        texts: query id → text.
        truth: query id → product → grade.
        least: see above.
        foreign: queries of which the shop sells nothing.
        settings: see there.
        seed: of the folds.
        tick: told after each query.

    Raises:
        DataError: too few answers to calibrate.
    """
    how, scores, right = settings or CalibrationSettings(), [], []
    groups: list[str] = []
    for id in (id for id in texts if id in truth):
        page = _page(doors, texts[id], tick)
        if page is not None and page.hits:
            scores.append(page.hits[0].score)
            right.append(float(truth[id].get(page.hits[0].id, 0.0) >= least))
            groups.append(id)
    chances = crossed(scores, right, groups, seed=seed, settings=how)
    whole = calibrate(scores, right, settings=how)
    pages = [_page(doors, text, tick) for text in foreign]
    away = np.array([whole([page.hits[0].score])[0] if page is not None and page.hits else 0.0 for page in pages])
    thresholds = float((chances < whole.nothing).mean())
    return Confidence(
        doors.version, whole, reliability(chances, right, bins=how.bins),
        reliability(np.clip(scores, 0, 1), right, bins=how.bins), len(scores), int(sum(right)), thresholds, len(away),
        float((away < whole.nothing).mean()) if len(away) else None, auc(chances, away) if len(away) else None,
    )  # fmt: skip


def keep(shop: Shop, found: Confidence) -> None:
    """Write it where `kept_confidence` finds it; only answers of the same version are judged by it."""
    with disk_errors(shop.reports):
        shop.reports.mkdir(exist_ok=True)
    write_json(shop.reports / FILE, found.json())


def kept_confidence(shop: Shop, version: str) -> Calibration | None:
    """What was measured of this index version, or None.

    Raises:
        DataError: the file is damaged.
    """
    path = shop.reports / FILE
    if not path.exists():
        return None
    try:
        told = json.loads(path.read_text("utf-8"))
        kept = told["calibration"]
        made = Calibration(tuple(kept["scores"]), tuple(kept["chances"]), float(kept["nothing"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged: {error!r}", cure="run: mercer measure confidence SHOP --keep") from error
    return made if told["version"] == version else None


def sure(page: Page, calibration: Calibration) -> tuple[float, bool]:
    """How sure the page's first hit is, 0 to 1, and whether nothing fits; an empty page is sure of nothing."""
    chance = float(calibration([page.hits[0].score])[0]) if page.hits else 0.0
    return chance, chance < calibration.nothing


def _page(doors: Doors, text: str, tick: Callable[[int], None] | None) -> Page | None:
    if tick is not None:
        tick(1)
    try:
        return doors.search(Request(query=text, k=1))
    except RequestError:
        return None
