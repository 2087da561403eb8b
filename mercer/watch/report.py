"""One look at a shop in; one HTML page with plots out, which loads nothing from anywhere."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mercer.watch.health import MEASURES, Health, Point
from mercer.watch.share import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mercer.watch.drift import Drift
    from mercer.watch.run import Watched

__all__ = ["cell", "moment", "page", "rows"]

COLOURS = {"none": "#9db4c0", "low": "#5b8db8", "medium": "#d98e04", "high": "#b3261e"}
BARS = 40
"""Comparisons drawn; the table has all."""


def page(watched: Watched) -> str:
    """The whole page as text."""
    from jinja2 import Environment
    from markupsafe import Markup

    text = files("mercer.watch").joinpath("report.html").read_text("utf-8")
    shown = watched.health.points
    return Environment(autoescape=True).from_string(text).render(
        watched=watched, when=moment(watched.time), moment=moment, measures=MEASURES, slices=rows(watched.health),
        course=Markup(course(watched.health)) if shown else "",  # noqa: S704  # matplotlib escapes what it draws
        drift=Markup(bars(watched.drift)) if watched.drift else "",  # noqa: S704
    )  # fmt: skip


def moment(time: int) -> str:
    """UTC ms as people read it."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def rows(health: Health) -> list[tuple[str, list[str]]]:
    """Each slice with its measures in the last window that it has."""
    held: dict[str, dict[str, Point]] = {}
    for point in health.points:
        held.setdefault(point.slice, {})[point.measure] = point
    empty = Estimate(math.nan, math.nan, math.nan, 0)
    return [
        (name, [cell(found[measure].estimate if measure in found else empty) for measure in MEASURES])
        for name, found in held.items()
    ]


def cell(one: Estimate) -> str:
    """A number with its interval."""
    return "" if math.isnan(one.value) else f"{one.value:.3g} [{one.low:.3g}, {one.high:.3g}]"


def course(health: Health) -> str:
    """An ``<svg>`` of one panel a measure: each window's value as a dot, its interval as a bar."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 1.7 * len(MEASURES)), layout="constrained")
    for axes, measure in zip(figure.subplots(len(MEASURES), 1), MEASURES, strict=True):
        points = [one for one in health.points if (one.measure, one.slice) == (measure, "all")]
        points = [one for one in points if not math.isnan(one.estimate.value)]
        days = [datetime.fromtimestamp(one.window / 1000, UTC) for one in points]
        values = [one.estimate.value for one in points]
        below = [one.estimate.value - one.estimate.low for one in points]
        above = [one.estimate.high - one.estimate.value for one in points]
        if points:
            axes.errorbar(
                days, values, yerr=(below, above), color="#16425b", ecolor="#5b8db8", marker="o", markersize=4
            )
        axes.set_title(measure, loc="left", fontsize=10)
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def bars(drift: Sequence[Drift]) -> str:
    """An ``<svg>`` of the size of each change on one scale, with the two limits."""
    from matplotlib.figure import Figure

    shown = sorted(drift, key=lambda one: -one.change.level)[:BARS]
    figure = Figure(figsize=(9.0, 0.6 + 0.26 * len(shown)), layout="constrained")
    axes = figure.subplots()
    names = [f"{one.group}: {one.what}".replace("$", r"\$") for one in shown]
    axes.barh(range(len(shown)), [one.change.level for one in shown], color=[COLOURS[one.severity] for one in shown])
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.invert_yaxis()
    for limit in (0.1, 0.25):
        axes.axvline(limit, color="#555", linewidth=0.8, linestyle=":")
    axes.set_xlabel("size on the scale of PSI: .1 is worth a look, .25 is large; grey may be chance")
    axes.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def _svg(figure: Figure) -> str:
    from matplotlib import rc_context

    written: Any = io.StringIO()
    # text stays text, so that the reader's own fonts show Chinese names; a fixed salt gives the same file each time
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)  # measured, not drawn, here
        figure.savefig(written, format="svg", metadata={"Date": None})
    text: str = written.getvalue()
    return text[text.index("<svg") :]
