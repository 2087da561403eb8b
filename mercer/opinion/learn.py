"""Labelled texts in; a version of the shop's opinion models, proved on texts that it did not see, out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from mercer.encode import Encoder
from mercer.errors import DataError, RequestError
from mercer.opinion.fit import FitSettings, fit, look
from mercer.opinion.read import NEGATIVE, NEUTRAL, POSITIVE, side_of
from mercer.opinion.trial import Trial, prepare, trial
from mercer.opinion.trial_page import trial_json, trial_page
from mercer.shop import Shop, content_hash, write_json

__all__ = ["Learned", "Task", "learn", "sided"]

Task = Literal["sentiment", "topic"]
TASKS: tuple[Task, ...] = ("sentiment", "topic")
FOLDS = 5
FEWEST = 4
"""Texts below which nothing can be both learned and proved."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was kept."""

    version: str
    trial: Trial
    figures: Mapping[str, Any]
    refused: str
    """"" or why it should not go live."""


def sided(labels: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Labels as positive, neutral, negative.

    Args:
        labels: as they stand in the file.
        names: what the owner said that they mean.

    Raises:
        RequestError: a label that nobody can place.
    """
    kinds = sorted(set(labels))
    found = {label: names.get(label) or side_of(label, kinds) for label in kinds}
    if wrong := [label for label, side in found.items() if side not in (POSITIVE, NEUTRAL, NEGATIVE)]:
        raise RequestError(
            f"label {wrong[0]!r:.40} is no sentiment; labels: {', '.join(kinds[:12])}",
            cure="say what each means: --names 0=negative,1=positive,2=neutral",
        )
    return [found[label] for label in labels]


def learn(
    shop: Shop, task: Task, texts: Sequence[str], labels: Sequence[str], *, encoder: Encoder | None = None,
    vectors: np.ndarray[Any, np.dtype[np.float32]] | None = None, settings: FitSettings | None = None,
    told: Mapping[str, Any] | None = None, seed: int = 7, tick: Callable[[str], None] | None = None,
) -> Learned:  # fmt: skip
    """Prove a head by folds, fit it on everything, and keep it beside the shop's other heads.

    Args:
        shop: where it is kept, as a version of ``opinion``.
        task: sentiment, whose labels are `sided`, or topic, whose labels are the shop's own.
        texts: what is learned from; a few a class are enough to begin with.
        labels: one a text.
        encoder: adds the view ``vectors``; None reads faster.
        vectors: of the texts, where they are known.
        settings: of the head.
        told: what the card should remember of where the labels are from.
        seed: of splits.
        tick: told what is done next.

    Raises:
        DataError: too few texts, or one class alone.
    """
    settings, tick = settings or FitSettings(), tick or (lambda _: None)
    given = prepare(texts, labels)
    sizes = np.bincount(given.targets)
    if len(given.texts) < FEWEST:
        raise DataError(f"{len(given.texts)} different texts", cure=f"give {FEWEST} and more, of two classes")
    inside = vectors[given.taken] if vectors is not None else None
    folds = int(min(FOLDS, max(2, sizes.min())))
    made = trial(given, folds=folds, encoder=encoder, vectors=inside, settings=settings, seed=seed, tick=tick)
    tick("fit on all texts")
    head = fit(look(given.texts, encoder=encoder, vectors=inside), given.targets, given.labels, settings=settings)
    best, usual = made.figures["mercer"].accuracy, float(sizes.max() / sizes.sum())
    refused = "" if best[2] > usual else f"right for {best[0]:.3f}, the commonest class alone is {usual:.3f} of all"
    figures = trial_json(made)
    version = content_hash(task, "\x00".join(given.texts), "\x00".join(map(str, given.targets.tolist())), *given.labels,
                           encoder.name if encoder else "", repr(asdict(settings)), _beside(shop, task))  # fmt: skip
    with shop.writing("opinion") as folder:
        head.save(folder / task)
        for other in TASKS:
            kept = shop.path("opinion", _live(shop)) / other if _live(shop) else None
            if other != task and kept is not None and kept.is_dir():
                shutil.copytree(kept, folder / other)
        write_json(folder / "proof.json", {"passes": not refused, "refused": refused, "task": task, **figures})
        (folder / "report.html").write_text(trial_page(made, name=f"{task} {version}"), "utf-8")
        card = {"task": task, "labels": list(given.labels), "texts": len(given.texts), "seed": seed,
                "encoder": encoder.name if encoder else "", "settings": asdict(settings), "told": dict(told or {}),
                "macro_f1": made.figures["mercer"].macro_f1, "accuracy": made.figures["mercer"].accuracy}  # fmt: skip
        shop.keep("opinion", folder, card, version=version)
    return Learned(version, made, figures, refused)


def _live(shop: Shop) -> str:
    live = shop.live("opinion")
    return live.version if live else ""


def _beside(shop: Shop, task: Task) -> str:
    """What the other tasks' heads are, which the version takes along."""
    live = _live(shop)
    if not live:
        return ""
    found = [shop.path("opinion", live) / other / "head.npz" for other in TASKS if other != task]
    return content_hash(*(path for path in found if path.exists()))
