"""Impressions and clicks in; how much the place on the page decides clicks, and the weights against it, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.event_codes import EventCodes, codes_of, combined
from mercer.quality.finding import FILE, Found
from mercer.quality.position_bias import Curve, Shown, fit

__all__ = ["Position", "position"]


@dataclass(frozen=True)
class Position(CheckSettings):
    """When there is enough to measure a position bias."""

    impressions: int = 3000
    """Impressions below which nothing is said."""
    clicks: int = 300
    """Clicks on them below which nothing is said."""
    each: int = 300
    """Impressions of one position below which the curve ends."""
    positions: int = 50
    """Positions at most."""
    missing: float = 0.2
    """Share of impressions without a position above which clicks cannot be corrected."""
    gain: float = 20.0
    """Nats of log-likelihood that the curve must be worth, beside positions all alike."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("impressions", "clicks", "each", "positions"):
            if getattr(self, name) < 2:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give at least 2")
        if not 0 <= self.missing <= 1:
            raise SettingsError(f"missing is {self.missing}", cure="give a share between 0 and 1")


@check(
    "E12",
    families=("events",),
    tier="global",
    severity="medium",
    problems={
        "position_bias": Problem("clicks follow the position on the page", "点击受展示位置影响", "down"),
        "no_position": Problem("impressions do not say at which position", "曝光缺少展示位置", "warn"),
    },
    settings=Position,
    english="clicks say what is liked, not where it stood",
    chinese="点击反映喜好，而非展示位置",
)
def position(inputs: Inputs[Any], settings: Position) -> Iterator[Found]:
    """The chance that each position is looked at (position-based model, EM), as evidence and as weights.

    ``manifest.json`` has it under ``propensity`` (`exposure.propensity` reads it): a click at position k counts
    ``1 / curve[k - 1]`` where pairs to learn from are made of events; nothing is taken out or changed here. A product
    for a query is one thing, so a ranking that puts what is relevant first is not taken for bias.
    """
    codes = codes_of(inputs["events"])
    shown = codes.is_kind("impression") & (codes.product >= 0)
    if np.count_nonzero(shown) < settings.impressions:
        return
    without = float((codes.position[shown] < 1).mean())
    if without > settings.missing:
        yield _file("no_position", impressions=int(shown.sum()), share=without)
    placed = shown & (codes.position >= 1)
    counts = np.bincount(np.minimum(codes.position[placed], settings.positions + 1), minlength=2)[1:]
    enough = counts[: settings.positions] >= settings.each
    positions = int(np.argmin(enough)) if not enough.all() else len(enough)
    rows = np.flatnonzero(placed & (codes.position <= positions))
    clicked = _clicked(codes, rows)
    if positions < 2 or len(rows) < settings.impressions or np.count_nonzero(clicked) < settings.clicks:
        return
    thing = combined(codes.query[rows], codes.product[rows])
    curve = fit(Shown(thing, codes.position[rows] - 1, clicked), positions)
    if (curve.likelihood - curve.flat) * len(rows) >= settings.gain:
        yield _file("position_bias", **_facts(curve, int(clicked.sum())))


def _clicked(codes: EventCodes, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which impressions were clicked: same visit, query, product and, where clicks have one, position."""
    clicks = np.flatnonzero(codes.is_kind("click") & (codes.product >= 0))
    visit = np.where(codes.session >= 0, codes.session.astype(np.int64), -2 - codes.shopper.astype(np.int64))
    visit = visit - visit.min(initial=0)
    columns = [visit, codes.query, codes.product]
    if len(clicks) and float((codes.position[clicks] >= 1).mean()) > 0.5:
        columns.append(codes.position)
    both = np.concatenate([rows, clicks])
    keys = combined(*(column[both] for column in columns))
    clicked: NDArray[np.bool_] = np.isin(keys[: len(rows)], keys[len(rows) :])
    return clicked


def _facts(curve: Curve, clicks: int) -> dict[str, Any]:
    return {
        "model": "position",
        "eta": round(curve.eta, 4),
        "curve": [round(value, 4) for value in curve.propensity.tolist()],
        "error": [round(value, 4) for value in curve.error.tolist()],
        "shown": curve.shown.tolist(),
        "clicks": clicks,
        "likelihood": curve.likelihood,
        "likelihood_flat": curve.flat,
    }


def _file(problem: str, **evidence: Any) -> Found:
    import pyarrow as pa

    table = pa.table({"row_id": pa.array([FILE], pa.int64()), **{name: [value] for name, value in evidence.items()}})
    return Found(table, "events", "position", problem)
