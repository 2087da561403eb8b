"""A shop's knowledge, examples and an encoder in; an intent head and answer matching, with what held-out say, out."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.assistant.head import Head, fit_head, held_out_floor
from mercer.assistant.knowledge import Entry
from mercer.assistant.model import FEATURES, Matcher, Model
from mercer.errors import DataError, MissingExtra

__all__ = ["Fitted", "Labelled", "examples", "fit", "fit_matcher"]

OTHER = "other"
"""The intent of what is no business of a shop."""
FOLDS = 5
REFUSED = 0.05
"""Share of held-out messages in scope that the floor may turn away."""
FEW = 8
"""Wordings that can be held out below which matching keeps the weights it has without any."""
UNTAUGHT = (1.1, 0.5, 4.0, -6.5)
"""Weights for a shop without other wordings: fitted on the invented shop's."""
GRID = tuple(float(value) for value in np.linspace(0.2, 3.0, 15))

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Messages and their intents."""

    texts: tuple[str, ...]
    intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model and its proof."""

    model: Model
    figures: Mapping[str, Any]


def examples(more: Iterable[tuple[str, str]] = ()) -> Labelled:
    """Mercer's own examples in both languages, and a shop's (text, intent); a text counts once."""
    told = json.loads(importlib.resources.files("mercer.assistant").joinpath("examples.json").read_text("utf-8"))
    found = {text: intent for intent, both in told.items() for texts in both.values() for text in texts}
    found |= {text: intent for text, intent in more if intent in told}
    return Labelled(tuple(found), tuple(found.values()))


def fit(entries: Sequence[Entry], labelled: Labelled, encode: Encode, *, seed: int = 7) -> Fitted:
    """Fit both parts and judge them by what they have not seen.

    Args:
        entries: of `knowledge.read_knowledge`.
        labelled: messages with intents; `examples` has enough to begin with.
        encode: texts to unit vectors, on the side of queries.
        seed: of the folds.

    Raises:
        DataError: too few examples.
        MissingExtra: scikit-learn is not installed.
    """
    vectors = encode(labelled.texts)
    chances, familiar = _crossed(vectors, labelled.intents, seed)
    labels = tuple(sorted(set(labelled.intents)))
    truth = np.array([labels.index(intent) for intent in labelled.intents])
    scoped = np.array([intent != OTHER for intent in labelled.intents])
    whole = fit_head(vectors, labelled.intents)
    scale = _temperature(chances, truth)
    floor = held_out_floor(familiar[scoped], refused=REFUSED)
    head = Head(whole.labels, whole.weight, whole.bias, whole.centre, whole.anchors, scale, floor)
    matcher, matched = fit_matcher(entries, labelled, vectors, encode)
    said = chances.argmax(1)
    turned = (familiar < floor) | (said == labels.index(OTHER)) if OTHER in labels else familiar < floor
    figures = {
        "examples": len(truth), "intents": len(labels), "passages": len(entries),
        "intent accuracy": round(float((said == truth).mean()), 4),
        "out of scope": {
            "recall": round(float(turned[~scoped].mean()), 4) if (~scoped).any() else None,
            "false refusals": round(float(turned[scoped].mean()), 4),
        },
        "matching": matched,
        "note": "five folds: every example judged by a head that has not seen it",
    }  # fmt: skip
    return Fitted(Model(head, matcher), figures)


def _crossed(
    vectors: NDArray[np.float32], intents: Sequence[str], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chances (n, labels) and familiarity (n,) of each example by a head fitted without its fold."""
    labels = tuple(sorted(set(intents)))
    if len(intents) < FOLDS * 2:
        raise DataError(f"{len(intents)} examples of intents", cure="give at least ten")
    fold = np.zeros(len(intents), int)
    rng = np.random.default_rng(seed)
    for label in labels:
        rows = np.flatnonzero(np.array(intents) == label)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % FOLDS
    chances, familiar = np.zeros((len(intents), len(labels))), np.zeros(len(intents))
    for number in range(FOLDS):
        out, kept = fold == number, np.flatnonzero(fold != number)
        head = fit_head(vectors[kept], [intents[row] for row in kept.tolist()])
        columns = [labels.index(name) for name in head.labels]
        chances[np.flatnonzero(out)[:, None], np.array(columns)[None, :]] = head(vectors[out])
        familiar[out] = head.familiarity(vectors[out])
    return chances, familiar


def _temperature(chances: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """What the outputs are multiplied by so that held-out chances are as sure as they are right (Guo 2017)."""
    logs = np.log(np.clip(chances, 1e-12, 1))

    def loss(scale: float) -> float:
        raised = scale * logs
        raised = raised - raised.max(1, keepdims=True)
        sums = np.log(np.exp(raised).sum(1))
        return float((sums - raised[np.arange(len(truth)), truth]).mean())

    return min(GRID, key=loss)


def fit_matcher(
    entries: Sequence[Entry], labelled: Labelled, around: NDArray[np.float32], encode: Encode
) -> tuple[Matcher, dict[str, Any]]:
    """The matcher; its weights from wordings judged without themselves against messages about something else."""
    apart = np.array([intent != "policy" for intent in labelled.intents])
    wordings = [(text, number) for number, entry in enumerate(entries) for text in (entry.title, *entry.asked)]
    dimension = around.shape[1]
    empty = np.zeros((0, dimension), np.float32)
    made = encode([text for text, _ in wordings]) if wordings else empty
    answers = encode([entry.text for entry in entries]) if entries else empty
    owner = np.array([number for _, number in wordings], np.int64)
    matcher = Matcher(tuple(entries), made, owner, answers, around[apart], UNTAUGHT)
    several = [row for row, (_, number) in enumerate(wordings) if entries[number].asked]
    if len(several) < FEW:
        return matcher, {"wordings held out": len(several), "weights": "as without any"}
    inside = matcher.features(made[several], [wordings[row][0] for row in several], hide=several)
    right = inside[np.arange(len(several)), owner[several]]
    others = [text for text, far in zip(labelled.texts, apart, strict=True) if far]
    outside = matcher.features(around[apart], others)
    wrong = outside[np.arange(len(others)), matcher.chances(outside).argmax(1)]
    weights = _logistic(right, wrong)
    taught = Matcher(matcher.entries, made, owner, answers, around[apart], weights)
    first = taught.chances(inside).argmax(1) == owner[several]
    sure, unsure = taught.chances(right) >= 0.5, taught.chances(wrong) >= 0.5
    return taught, {
        "wordings held out": len(several),
        "right passage first": round(float(first.mean()), 4),
        "surer than half": round(float(sure.mean()), 4),
        "of other messages": round(float(unsure.mean()), 4),
    }


def _logistic(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> tuple[float, ...]:
    """Log-odds by feature and the intercept; no feature may count against a passage."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ModuleNotFoundError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=500)
    model.fit(np.vstack([right, wrong]), np.r_[np.ones(len(right)), np.zeros(len(wrong))])
    found = [max(0.0, float(value)) for value in model.coef_[0]]
    assert len(found) == FEATURES
    return (*found, float(model.intercept_[0]))
