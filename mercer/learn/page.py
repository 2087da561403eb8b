"""A model's card and its proof in; one self-contained page with plots, in English and Chinese, out."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

__all__ = ["matrix_plot", "page", "plot"]


def page(
    version: str, card: Mapping[str, Any], proof: Mapping[str, Any], weight: Mapping[str, Any] | None = None
) -> str:
    """The whole page as text; it loads nothing from anywhere. `weight` is a reranker's, see `doors.weigh`."""
    from jinja2 import Environment
    from markupsafe import Markup

    text = files("mercer.learn").joinpath("card.html").read_text("utf-8")
    template = Environment(autoescape=True).from_string(text)
    drawn = Markup(plot(card, proof, weight))  # noqa: S704  # matplotlib escapes what it draws
    told = {**card["settings"], **card.get("reranker", {})}
    settings = {name: value for name, value in told.items() if not isinstance(value, dict)}
    grid = Markup(matrix_plot(card["continual"])) if card.get("continual") else ""  # noqa: S704  # as above
    return template.render(
        version=version, card=card, proof=proof, weight=weight, settings=settings, plot=drawn, matrix=grid
    )


def plot(card: Mapping[str, Any], proof: Mapping[str, Any], weight: Mapping[str, Any] | None = None) -> str:
    """An ``<svg>``: the loss, the validation figure, that of a reranker by its weight, each slice before and after."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    curve: Sequence[Mapping[str, float]] = card["training"]["curve"]
    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer"}):
        widths = (1, 1, 1.2) if weight is None else (1, 1, 1, 1.2)
        figure = Figure(figsize=(3 * len(widths), 3.2), layout="constrained")
        left, middle, *more, right = figure.subplots(1, len(widths), width_ratios=widths)
        _line(left, [(line["step"], line["loss"]) for line in curve if "loss" in line], "training loss", None)
        judged = [(line["step"], line["eval_nDCG@10"]) for line in curve if "eval_nDCG@10" in line]
        _line(middle, judged, "validation nDCG@10", card["training"]["start"])
        if weight is not None:
            _weights(more[0], weight)
        _slices(right, proof)
        figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def matrix_plot(told: Mapping[str, Any]) -> str:
    """An ``<svg>``: what each version, from the top, is on each period's queries; darker is better."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    values = [[float("nan") if value is None else value for value in row] for row in told["values"]]
    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer"}):
        figure = Figure(figsize=(2 + 0.9 * len(told["periods"]), 1.2 + 0.5 * len(values)), layout="constrained")
        axes = figure.subplots()
        axes.imshow(values, cmap="Greens", aspect="auto", vmin=0, vmax=1)
        axes.set_xticks(range(len(told["periods"])), told["periods"], rotation=20, fontsize=8)
        axes.set_yticks(range(len(values)), [name[-18:] for name in told["versions"]], fontsize=8)
        for row, line in enumerate(values):
            for column, value in enumerate(line):
                if not math.isnan(value):
                    colour = "white" if value > 0.6 else "black"
                    axes.text(column, row, f"{value:.3f}", ha="center", va="center", color=colour, fontsize=8)
        figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _line(axes: Any, points: Sequence[tuple[float, float]], title: str, before: float | None) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("step")
    if points:
        axes.plot(*zip(*points, strict=True), color="#16425b", marker="." if len(points) < 30 else "")
    if before is not None:
        axes.axhline(before, color="#999999", linestyle="--", linewidth=1)
        axes.annotate("before", (0, before), fontsize=8, color="#777777", va="bottom")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _weights(axes: Any, weight: Mapping[str, Any]) -> None:
    """Validation nDCG@10 by weight against the first stage, whose own is the line."""
    points = sorted((float(name), mean) for name, mean in weight["tried"].items())
    axes.set_title("validation nDCG@10 by weight", fontsize=10, loc="left")
    axes.set_xlabel("weight of the reranker")
    axes.plot(*zip(*points, strict=True), color="#16425b", marker=".")
    axes.axhline(weight["alone"], color="#999999", linestyle="--", linewidth=1)
    axes.annotate("first stage alone", (0, weight["alone"]), fontsize=8, color="#777777", va="bottom")
    axes.axvline(weight["rerank_weight"], color="#1b7f4d", linewidth=1)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _slices(axes: Any, proof: Mapping[str, Any]) -> None:
    """Mean before and after, all queries first."""
    rows = [("all", proof["before"]["hybrid"], proof["after"]["hybrid"])]
    rows += [(f"{one['name']} ({one['queries']})", one["before"], one["after"]) for one in proof["slices"]]
    for place, (_, before, after) in enumerate(rows):
        axes.plot([before, after], [place, place], color="#bbbbbb", zorder=1)
        axes.plot(before, place, "o", color="#999999")
        axes.plot(after, place, "o", color="#1b7f4d" if after >= before else "#b3261e")
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_title(f"held-out {proof['metric']}: before (grey), after", fontsize=10, loc="left")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
