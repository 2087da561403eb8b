"""Open doors and judged queries in; how sure an answer may be, kept for the version, and asked of a page, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
    near: float
    """Cosine of the first hit below which nothing fits: all but a few right answers lie above."""
    nothing_here: float
    """Share of the shop's own judged queries that would be told that nothing fits."""
    foreign: int
    nothing_foreign: float | None
    """The same of queries of another shop; None without any."""
    told_apart: float | None
    """Share of pairs of an own and a foreign query in which the own one's first hit is the nearer."""

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
    how = settings or CalibrationSettings()
    own = [id for id in texts if id in truth]
    told = [(id, page) for id in own if (page := _page(doors, texts[id], tick)) is not None and page.hits]
    groups, scores = [id for id, _ in told], [page.hits[0].score for _, page in told]
    right = [float(truth[id].get(page.hits[0].id, 0.0) >= least) for id, page in told]
    cosines = np.array([_cosine(page) for _, page in told])
    chances = crossed(scores, right, groups, seed=seed, settings=how)
    whole = calibrate(scores, right, settings=how)
    wanted = np.array(right) > 0
    near = _near(cosines[wanted], how)
    others = np.array([_near(np.delete(cosines, at)[np.delete(wanted, at)], how) for at in range(len(told))])
    pages = [_page(doors, text, tick) for text in foreign]
    away = np.array([_cosine(page) if page is not None and page.hits else -1.0 for page in pages])
    return Confidence(
        doors.version, whole, reliability(chances, right, bins=how.bins),
        reliability(np.clip(scores, 0, 1), right, bins=how.bins), len(told), int(sum(right)), near,
        float((cosines < others).mean()), len(away), float((away < near).mean()) if len(away) else None,
        auc(cosines, away) if len(away) else None,
    )  # fmt: skip


def _cosine(page: Page) -> float:
    """Of the query with the first hit, as the ledger has it; 1 where no vector took part, which says nothing."""
    return next((line.value for line in page.hits[0].ledger if line.signal == "meaning"), 1.0)


def _near(cosines: NDArray[np.float64], how: CalibrationSettings) -> float:
    return float(np.quantile(cosines, 1 - how.kept)) if len(cosines) else -1.0


def keep(shop: Shop, found: Confidence) -> None:
    """Write it where `kept_confidence` finds it; only answers of the same version are judged by it."""
    with disk_errors(shop.reports):
        shop.reports.mkdir(exist_ok=True)
    write_json(shop.reports / FILE, found.json())


def kept_confidence(shop: Shop, version: str) -> tuple[Calibration, float] | None:
    """What was measured of this index version, and the cosine below which nothing fits; or None.

    Raises:
        DataError: the file is damaged.
    """
    path = shop.reports / FILE
    if not path.exists():
        return None
    try:
        told = json.loads(path.read_text("utf-8"))
        kept = told["calibration"]
        made = Calibration(tuple(kept["scores"]), tuple(kept["chances"]))
        near = float(told["near"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged: {error!r}", cure="run: mercer measure confidence SHOP --keep") from error
    return (made, near) if told["version"] == version else None


def sure(page: Page, calibration: Calibration, near: float) -> tuple[float, bool]:
    """How sure the page's first hit is, 0 to 1, and whether nothing fits.

    The score says which of a shop's own answers are right, but not whether the shop sells such a thing at all: words
    and meaning are measured against what the query could reach. The plain cosine does, so nothing fits below `near`.
    """
    if not page.hits:
        return 0.0, True
    return float(calibration([page.hits[0].score])[0]), _cosine(page) < near


def _page(doors: Doors, text: str, tick: Callable[[int], None] | None) -> Page | None:
    if tick is not None:
        tick(1)
    try:
        return doors.search(Request(query=text, k=1))
    except RequestError:
        return None
