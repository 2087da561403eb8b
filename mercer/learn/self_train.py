"""Few labelled and many unlabelled texts in; a head that also learned from what both of its views agree on out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mercer.encode.classifier import Classifier
from mercer.encode.encoder import Encoder
from mercer.encode.head import softmax
from mercer.errors import DataError, SettingsError
from mercer.learn.head import HeadSettings, fit_head

__all__ = ["Round", "SelfSettings", "SelfTrained", "agreed", "fit_self_trained"]

Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SelfSettings:
    """Section ``[learn.self]``: which of its own guesses a head may learn from. Off unless it is asked for."""

    rounds: int = 3
    """Times that guesses are made and learned from."""
    confidence: float = 0.5
    """Least chance that both views together give a guess."""
    agreement: bool = True
    """Whether vectors and n-grams, each on its own, must make the same guess."""
    share: float = 0.5
    """Of the unlabelled texts, what may be taken in the last round; earlier rounds take a part of it."""
    even: bool = True
    """Whether each class gets as many guesses at most, the surest first, so that a frequent one cannot swallow all."""
    weight: float = 0.5
    """How much a guess counts beside a label."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not 1 <= self.rounds <= 100:
            raise SettingsError(f"[learn.self] rounds is {self.rounds}", cure="give 1 to 100")
        for name, low in (("confidence", 0.0), ("share", 0.0), ("weight", 0.0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= 1):
                raise SettingsError(f"[learn.self] {name} is {value}", cure="give a share from 0 to 1")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round took."""

    taken: int
    surest: float
    """Mean chance of what was taken."""
    agreed: float
    """Share of the unlabelled texts on which both views made the same guess."""


@dataclass(frozen=True, slots=True)
class SelfTrained:
    """A head, and how it came to be."""

    head: Classifier
    rounds: tuple[Round, ...]


def fit_self_trained(
    texts: Sequence[str],
    labels: Sequence[str],
    unlabelled: Sequence[str],
    *,
    encoder: Encoder,
    settings: SelfSettings | None = None,
    head: HeadSettings | None = None,
    vectors: tuple[Real, Real] | None = None,
) -> SelfTrained:
    """Self-training (Yarowsky 1995) held back by two views that must agree (co-training, Blum and Mitchell 1998).

    Args:
        texts: what people labelled.
        labels: the class of each.
        unlabelled: texts without a label, none of them of a test.
        encoder: of the view "vectors".
        settings: see there.
        head: of every head; it always has both views.
        vectors: of `texts` and of `unlabelled`, where they are known.

    Raises:
        DataError: no unlabelled text, one class alone, or columns of different lengths.
    """
    settings = settings or SelfSettings()
    if not unlabelled:
        raise DataError("no text without a label", cure="give some, or fit a head on the labels alone")
    own = replace(head or HeadSettings(), views=("vectors", "ngrams"))
    known, other = vectors or (encoder(texts, side="query"), encoder(unlabelled, side="query"))
    fitted = fit_head(texts, labels, encoder=encoder, settings=own, vectors=known)
    rounds = []
    for number in range(1, settings.rounds + 1):
        logits = [fitted.logits(unlabelled, view=view, vectors=other) for view in ("vectors", "ngrams")]
        views = [softmax(one) for one in logits]
        shares = [np.float32(fitted.views[view].share) for view in ("vectors", "ngrams")]
        both = softmax(shares[0] * logits[0] + shares[1] * logits[1])
        most = math.ceil(settings.share * len(unlabelled) * number / settings.rounds)
        taken = agreed(both, views, settings, most=most)
        same = float((views[0].argmax(1) == views[1].argmax(1)).mean())
        rounds.append(Round(len(taken), float(both[taken].max(1).mean()) if len(taken) else 0.0, same))
        if not len(taken):
            break
        guesses = [fitted.labels[at] for at in both[taken].argmax(1)]
        fitted = fit_head(
            [*texts, *(unlabelled[row] for row in taken)],
            [*labels, *guesses],
            encoder=encoder,
            settings=own,
            vectors=np.concatenate([known, other[taken]]),
            weights=[1.0] * len(texts) + [settings.weight] * len(taken),
            like=fitted,  # on guesses that both views agree on, neither can be weighed against the other
        )
    return SelfTrained(fitted, tuple(rounds))


def agreed(both: Real, views: Sequence[Real], settings: SelfSettings, *, most: int) -> NDArray[np.int64]:
    """Rows whose guess may be learned from, ascending: sure enough, agreed upon, and no class more than its part.

    Args:
        both: chances (n, classes) of all views together.
        views: chances of each view alone.
        settings: see there.
        most: rows at most.
    """
    guess, sure = both.argmax(1), both.max(1)
    fits = sure >= settings.confidence
    if settings.agreement:
        for view in views:
            fits &= view.argmax(1) == guess
    order = np.flatnonzero(fits)[np.argsort(-sure[fits], kind="stable")]
    if settings.even and len(order):
        part = max(1, most // both.shape[1])
        seen: dict[int, int] = {}
        kept = []
        for row in order:
            seen[guess[row]] = seen.get(guess[row], 0) + 1
            if seen[guess[row]] <= part:
                kept.append(row)
        order = np.array(kept, np.int64)
    return np.sort(order[:most])
