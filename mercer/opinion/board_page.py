"""A board, its days and its alarms in; one self-contained HTML page with plots out."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mercer.opinion.board import Board, Share
from mercer.opinion.read import NEGATIVE, NEUTRAL, POSITIVE
from mercer.opinion.trial_page import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["board_page"]

COLOURS = {POSITIVE: "#3a8a5f", NEUTRAL: "#b8b8b8", NEGATIVE: "#c0504d"}


def board_page(
    board: Board, days: Sequence[Mapping[str, Any]], alarms: Sequence[Mapping[str, Any]], *, name: str
) -> str:
    """The whole page as text; it loads nothing from anywhere.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    plots = {"Documents a day, by sentiment": drawn(lambda axes: _days(axes, days), height=3.0)}
    for title, rows in (("Topics", board.topics), ("Aspects", board.aspects)):
        if rows:
            height = 1.0 + 0.3 * min(12, len(rows))
            plots[title] = drawn(lambda axes, rows=rows: _bars(axes, rows[:12]), height=height)  # type: ignore[misc]  # these rows
    text = files("mercer.opinion").joinpath("board.html").read_text("utf-8")
    return Environment(autoescape=True).from_string(text).render(
        name=name, board=board, alarms=alarms, date=_date,
        plots={title: Markup(plot) for title, plot in plots.items()},  # noqa: S704  # matplotlib escapes what it draws
    )  # fmt: skip


def _date(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M")


def _days(axes: Axes, days: Sequence[Mapping[str, Any]]) -> None:
    where = range(len(days))
    bottom = [0] * len(days)
    for side, colour in COLOURS.items():
        values = [int(row[side]) for row in days]
        axes.bar(where, values, bottom=bottom, color=colour, label=side, width=0.9)
        bottom = [low + value for low, value in zip(bottom, values, strict=True)]
    step = max(1, len(days) // 8)
    axes.set_xticks(list(where)[::step], [_date(row["time"])[5:10] for row in days][::step])
    axes.legend(frameon=False, ncols=3, fontsize=8)


def _bars(axes: Axes, rows: Sequence[Share]) -> None:
    where = range(len(rows))
    left = [0] * len(rows)
    parts = {POSITIVE: [one.positive for one in rows], NEGATIVE: [one.negative for one in rows]}
    parts[NEUTRAL] = [one.documents - one.positive - one.negative for one in rows]
    for side, colour in COLOURS.items():
        axes.barh(where, parts[side], left=left, color=colour, label=side)
        left = [low + value for low, value in zip(left, parts[side], strict=True)]
    axes.set_yticks(list(where), [one.name.replace("$", r"\$")[:30] for one in rows])
    axes.invert_yaxis()
