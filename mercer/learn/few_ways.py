"""Few labelled texts, and texts to be judged, in; what each way of learning says of those out."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mercer.encode.encoder import Encoder
from mercer.encode.model import Model
from mercer.errors import RequestError
from mercer.learn.head import HeadSettings, fit_head

__all__ = ["WAYS", "Case", "Seen", "drawn", "right"]

Real = NDArray[np.float32]
LEAST = 100
"""Steps of `tuned`, however few the texts are: its head begins at nothing."""
Chosen = TypeVar("Chosen")
Said = tuple[Sequence[str], Real]
"""Classes, and their chances by text (n, classes)."""


class Seen:
    """Vectors of texts that are all known before, looked up by text."""

    def __init__(self, encoder: Encoder, texts: Iterable[str], encode: Callable[[Sequence[str]], Real]) -> None:
        """`encode` makes the vectors, from a cache where there is one."""
        held = list(dict.fromkeys(texts))
        self.encoder = encoder
        self._rows = dict(zip(held, encode(held), strict=True)) if held else {}

    def __call__(self, texts: Sequence[str]) -> Real:
        """(n, dimension)."""
        found = [self._rows[text] for text in texts]
        return np.array(found, np.float32).reshape(len(found), self.encoder.dimension)


@dataclass(frozen=True, slots=True)
class Case:
    """What there is to learn from."""

    texts: Sequence[str]
    labels: Sequence[str]
    unlabelled: Sequence[str]
    """Of the same kind, none of them tested."""
    seed: int
    seen: Seen | None = None
    """None where no way needs vectors."""
    model: Model | None = None
    """The encoder's files, for ways that train it."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What classes are called in words, for prompting."""
    epochs: float = 3.0
    """Of `tuned`."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """Settings of ways by section: head, self, contrast, pretrain, prompt; the defaults where a section is absent."""

    def settings(self, kind: type[Chosen], section: str) -> Chosen:
        """Settings of a section with the seed of this case."""
        return dataclasses.replace(self.own.get(section) or kind(), seed=self.seed)  # type: ignore[type-var]  # all are


def drawn(labels: Sequence[str], shots: int, *, seed: int) -> NDArray[np.int64]:
    """`shots` rows of each class, all of a class that has fewer, ascending; 0 is every row."""
    if shots <= 0:
        return np.arange(len(labels))
    rng = np.random.default_rng([seed, 41])
    rows: dict[str, list[int]] = {}
    for row in rng.permutation(len(labels)):
        rows.setdefault(labels[row], []).append(int(row))
    return np.sort(np.array([row for mine in rows.values() for row in mine[:shots]], np.int64))


def right(said: Said, wanted: Sequence[str]) -> tuple[NDArray[np.bool_], list[str]]:
    """Whether each guess is right, and the guesses."""
    names, chances = said
    guesses = [names[at] for at in chances.argmax(1)]
    return np.array([guess == answer for guess, answer in zip(guesses, wanted, strict=True)]), guesses


def _head(case: Case, texts: Sequence[str], views: tuple[str, ...]) -> Said:
    seen = case.seen if "vectors" in views else None
    head = fit_head(
        case.texts,
        case.labels,
        encoder=seen.encoder if seen else None,
        vectors=seen(case.texts) if seen else None,
        settings=dataclasses.replace(case.settings(HeadSettings, "head"), views=views),
    )
    return head.labels, head.probabilities(texts, vectors=seen(texts) if seen else None)


def _frozen(case: Case, texts: Sequence[str]) -> Said:
    return _head(case, texts, ("vectors",))


def _tfidf(case: Case, texts: Sequence[str]) -> Said:
    return _head(case, texts, ("ngrams",))


def _both(case: Case, texts: Sequence[str]) -> Said:
    return _head(case, texts, ("vectors", "ngrams"))


def _self(case: Case, texts: Sequence[str]) -> Said:
    from mercer.learn.self_train import SelfSettings, fit_self_trained

    if not case.unlabelled:
        return _both(case, texts)  # with every label given there is nothing to guess
    seen = _needed(case.seen)
    fitted = fit_self_trained(
        case.texts,
        case.labels,
        case.unlabelled,
        encoder=seen.encoder,
        settings=case.settings(SelfSettings, "self"),
        head=case.settings(HeadSettings, "head"),
        vectors=(seen(case.texts), seen(case.unlabelled)),
    )
    return fitted.head.labels, fitted.head.probabilities(texts, vectors=seen(texts))


def _setfit(case: Case, texts: Sequence[str]) -> Said:
    from mercer.learn.few_contrast import ContrastSettings, fit_contrasted

    head = fit_contrasted(_model(case), case.texts, case.labels, case.settings(ContrastSettings, "contrast"))
    return head.labels, head.probabilities(texts)


def _pretrained(case: Case, texts: Sequence[str]) -> Said:
    """The encoder first learns from texts without labels; then a head over its vectors alone."""
    from mercer.learn.few_contrast import TowerEncoder
    from mercer.learn.few_pretrain import PretrainSettings, pretrain
    from mercer.learn.tower import build

    model = _model(case)
    tower = build(model, length=64)
    pretrain(tower, [*case.texts, *case.unlabelled], case.settings(PretrainSettings, "pretrain"))
    settings = dataclasses.replace(case.settings(HeadSettings, "head"), views=("vectors",))
    encoder = TowerEncoder(tower, f"{model.label}-pretrained")
    head = fit_head(case.texts, case.labels, encoder=encoder, settings=settings)
    return head.labels, head.probabilities(texts)


def _prompt(case: Case, texts: Sequence[str]) -> Said:
    from mercer.learn.prompt import PromptSettings, fit_prompted

    settings = case.settings(PromptSettings, "prompt")
    names, prompted = fit_prompted(
        _model(case), case.texts, case.labels, settings, unlabelled=case.unlabelled, words=case.words
    )
    return names, prompted.probabilities(texts)


def _tuned(case: Case, texts: Sequence[str]) -> Said:
    """The upper half of the encoder and a head, by cross-entropy; the last state is kept."""
    from mercer.encode.head import open_judge
    from mercer.learn.classify import tune_classifier
    from mercer.learn.head import numbered
    from mercer.learn.lists import Examples
    from mercer.learn.settings import LearnSettings

    names, targets = numbered(case.texts, case.labels)
    epochs = max(case.epochs, LEAST * 64 / len(case.texts))
    model = _model(case)
    below = int(model.config["num_hidden_layers"]) // 2
    settings = LearnSettings(
        train="frozen",
        frozen_layers=below,
        lr=2e-4,
        epochs=epochs,
        batch=64,
        length=64,
        seed=case.seed,
        evaluations=1,
        track=(),
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        examples = Examples(case.texts, targets.tolist())
        tune_classifier(model, examples, settings, folder=folder, work=Path(scratch) / "work", labels=names)
        return names, open_judge(folder).probabilities(texts)


def _mixed(case: Case, texts: Sequence[str]) -> Said:
    """The mean of what `tuned` and `both` say: they are wrong about different texts."""
    names, first = _tuned(case, texts)
    _, second = _both(case, texts)
    return names, np.asarray((first + second) / 2, np.float32)


WAYS: Mapping[str, Callable[[Case, Sequence[str]], Said]] = {
    "frozen": _frozen,
    "tfidf": _tfidf,
    "both": _both,
    "self": _self,
    "setfit": _setfit,
    "pretrained": _pretrained,
    "prompt": _prompt,
    "tuned": _tuned,
    "mixed": _mixed,
}
"""Name → what learns from the case and says the chances of other texts."""


def _needed(seen: Seen | None) -> Seen:
    if seen is None:
        raise RequestError("no encoder to look through", cure="name one with --encoder")
    return seen


def _model(case: Case) -> Model:
    if case.model is None:
        raise RequestError("no model to train", cure="name one with --encoder")
    return case.model
