"""A trial in; one self-contained HTML page with plots of confusion, calibration and few-shot learning out."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import MissingExtra
from mercer.opinion.figures import reliability
from mercer.opinion.trial import Shot, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

__all__ = ["drawn", "trial_json", "trial_page"]

MOST_DRAWN = 30
"""Classes of which a confusion matrix is drawn with names."""


def trial_page(trial: Trial, *, name: str, notes: Sequence[str] = (), shots: Sequence[Shot] = ()) -> str:
    """The whole page as text; it loads nothing from anywhere.

    Raises:
        MissingExtra: jinja2 or matplotlib is not installed.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    plots = {
        "Confusion: rows are true, columns said": drawn(lambda axes: _confusion(axes, trial), height=5.5),
        "Calibration: chance given and share right": drawn(lambda axes: _reliable(axes, trial)),
    }
    if shots:
        plots["Few texts a class"] = drawn(lambda axes: _shots(axes, shots))
    text = files("mercer.opinion").joinpath("trial.html").read_text("utf-8")
    return Environment(autoescape=True).from_string(text).render(
        name=name, trial=trial, notes=notes, shots=shots, figures=trial.figures, against=trial.against,
        plots={title: Markup(plot) for title, plot in plots.items()},  # noqa: S704  # matplotlib escapes what it draws
    )  # fmt: skip


def drawn(draw: Callable[[Axes], None], *, width: float = 7.0, height: float = 4.0) -> str:
    """An ``<svg>`` of one pair of axes; text stays text, so that the reader's fonts show Chinese."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", extra="dev", install="pip install mercer") from error
    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)  # measured, not drawn, here
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _escaped(names: Sequence[str]) -> list[str]:
    return [name.replace("$", r"\$")[:24] for name in names]


def _confusion(axes: Axes, trial: Trial) -> None:
    counts = np.asarray(trial.figures["mercer"].confusion, float)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    labels = trial.texts.labels
    if len(labels) <= MOST_DRAWN:
        axes.set_xticks(range(len(labels)), _escaped(labels), rotation=45, ha="right")
        axes.set_yticks(range(len(labels)), _escaped(labels))
    if len(labels) <= 12:
        for row, column in np.ndindex(counts.shape):
            colour = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, f"{int(counts[row, column]):,}", ha="center", va="center", color=colour, fontsize=8)


def _reliable(axes: Axes, trial: Trial) -> None:
    truth = trial.texts.targets[trial.tested]
    axes.plot([0, 1], [0, 1], color="#999", linewidth=1)
    for name, chances in trial.chances.items():
        bins = reliability(truth, chances)
        label = f"{name}, ECE {trial.figures[name].ece:.3f}"
        axes.plot(
            [one["chance"] for one in bins], [one["right"] for one in bins], marker="o", markersize=3, label=label
        )
    axes.set_xlabel("chance given to the class that was said")
    axes.set_ylabel("share right")
    axes.legend(frameon=False)


def _shots(axes: Axes, shots: Sequence[Shot]) -> None:
    for name in dict.fromkeys(shot.system for shot in shots):
        mine = [shot for shot in shots if shot.system == name]
        where = [shot.shots for shot in mine]
        axes.plot(where, [shot.macro_f1[0] for shot in mine], marker="o", markersize=3, label=name)
        axes.fill_between(where, [s.macro_f1[1] for s in mine], [s.macro_f1[2] for s in mine], alpha=0.15)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({shot.shots for shot in shots}), [str(n) for n in sorted({shot.shots for shot in shots})])
    axes.set_xlabel("texts a class")
    axes.set_ylabel("macro-F1")
    axes.legend(frameon=False)


def trial_json(trial: Trial, shots: Sequence[Shot] = ()) -> Mapping[str, Any]:
    """Everything but the chances."""
    given = trial.texts
    return {
        "texts": len(given.texts), "tested": len(trial.tested), "folds": trial.folds, "labels": list(given.labels),
        "left_out": {"copies": given.copies, "contradicting_copies": given.contradicted, "class_of_one": given.rare},
        "near_copies_kept_together": given.near if given.looked_near else None,
        "systems": {name: found.json() for name, found in trial.figures.items()},
        "difference": {
            name: {"accuracy": one.accuracy, "macro_f1": one.macro_f1} for name, one in trial.against.items()
        },
        "reliability": reliability(given.targets[trial.tested], trial.chances["mercer"]),
        "shots": [
            {"shots": shot.shots, "system": shot.system, "macro_f1": shot.macro_f1, "accuracy": shot.accuracy}
            for shot in shots
        ],
    }  # fmt: skip
