"""A board in, one self-contained HTML page with a plot of means and intervals out."""

from __future__ import annotations

import io
import warnings
from importlib.resources import files
from typing import TYPE_CHECKING

from mercer.errors import MissingExtra
from mercer.measure.board import Board

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["page", "plot"]

WIDTH, ROW = 8.0, 0.32
"""Inches of the plot, and of one system in it."""


def page(board: Board) -> str:
    """The whole page as text; it loads nothing from anywhere.

    Raises:
        MissingExtra: jinja2 or matplotlib is not installed.
    """
    try:
        from jinja2 import Environment
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtra("jinja2", extra="dev", install="pip install mercer") from error
    text = files("mercer.measure").joinpath("board.html").read_text("utf-8")
    template = Environment(autoescape=True).from_string(text)
    return template.render(board=board, plot=Markup(plot(board)))  # noqa: S704  # matplotlib escapes what it draws


def plot(board: Board) -> str:
    """An ``<svg>`` of one panel a metric: each system's mean as a dot, its interval as a bar."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", extra="dev", install="pip install mercer") from error
    metrics = board.columns[1 : 1 + len(next(iter(board.systems.values())))]
    height = len(metrics) * (0.7 + ROW * len(board.systems))
    written = io.StringIO()
    # text stays text, so that the reader's own fonts show Chinese names; a fixed salt gives the same file each time
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)  # measured, not drawn, here
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        for axes, metric in zip(figure.subplots(len(metrics), 1, squeeze=False)[:, 0], metrics, strict=True):
            _panel(axes, board, metric)
        figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _panel(axes: Axes, board: Board, metric: str) -> None:
    for place, metrics in enumerate(board.systems.values()):
        spread = metrics[metric]
        axes.plot([spread.low, spread.high], [place, place], color="#5b8db8", linewidth=3, solid_capstyle="round")
        axes.plot(spread.value, place, "o", color="#16425b")
    axes.set_yticks(range(len(board.systems)), [name.replace("$", r"\$") for name in board.systems])
    axes.set_ylim(len(board.systems) - 0.5, -0.5)
    axes.set_title(metric, loc="left", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
