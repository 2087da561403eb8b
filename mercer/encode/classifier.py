"""A folder with a fitted head in; the chance of each class of any text, from vectors, n-grams or both, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.encoder import Encoder, Side
from mercer.encode.head import softmax
from mercer.encode.kept import BROKEN, keep_model, kept_model
from mercer.encode.ngram import Ngrams
from mercer.errors import ModelError

__all__ = ["Classifier", "View", "open_classifier"]

NAME = "classifier"
Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """One linear map over what is seen of a text: its logits are ``features @ weight + bias``."""

    weight: Real
    """(features, classes)."""
    bias: Real
    """(classes,)."""
    share: float = 1.0
    """How much its logits count beside those of the other view; the shares need not sum to 1."""


class Classifier:
    """Says the chance of each class. Cheap beside the encoder that it stands on; safe from several threads.

    The two views are what the encoder says ("vectors") and what words stand in the text ("ngrams"); with both, the
    logits are added (a product of experts), each with its share.
    """

    def __init__(
        self,
        labels: Sequence[str],
        views: Mapping[str, View],
        *,
        encoder: Encoder | None = None,
        ngrams: Ngrams | None = None,
        side: Side = "query",
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """`facts` is what the head should be remembered by: settings, number of texts, hash of the data.

        Raises:
            ModelError: fewer than two classes, a view that is unknown, or without what it looks through.
        """
        if len(labels) < 2 or len(set(labels)) != len(labels):
            raise ModelError(f"classes {list(labels)[:5]}", cure="give at least two, each once")
        needs = {"vectors": encoder, "ngrams": ngrams}
        for name, view in views.items():
            if name not in needs or needs[name] is None:
                raise ModelError(f"view {name!r} has nothing to look through", cure="give its encoder or its n-grams")
            if view.weight.shape[1:] != (len(labels),) or view.bias.shape != (len(labels),):
                raise ModelError(f"view {name!r}: {view.weight.shape} for {len(labels)} classes", cure="fit it again")
        if not views:
            raise ModelError("a classifier without a view", cure="give vectors, ngrams or both")
        self.labels = tuple(labels)
        self.views = dict(views)
        self.encoder = encoder
        self.ngrams = ngrams
        self.side: Side = side
        self.facts = dict(facts or {})

    def logits(self, texts: Sequence[str], *, view: str = "", vectors: Real | None = None) -> Real:
        """(n, classes) of one view, or of all with their shares; `vectors` are those of the texts where known.

        Raises:
            ModelError: a view that this classifier has not.
        """
        if view and view not in self.views:
            raise ModelError(f"view {view!r} is none of {', '.join(self.views)}", cure="fit it with that view")
        total = np.zeros((len(texts), len(self.labels)), np.float32)
        for name, chosen in self.views.items():
            if view in ("", name) and len(texts):
                seen = self._seen(name, texts, vectors)
                total += np.float32(1.0 if view else chosen.share) * np.asarray(seen @ chosen.weight + chosen.bias)
        return total

    def probabilities(self, texts: Sequence[str], *, view: str = "", vectors: Real | None = None) -> Real:
        """Chances by `labels`: (n, classes) float32, rows sum to 1."""
        said = self.logits(texts, view=view, vectors=vectors)
        return softmax(said) if len(said) else said

    def __call__(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The likeliest class of each text, and its chance."""
        said = self.probabilities(texts)
        return [
            (self.labels[at], float(row[at])) for row, at in zip(said, said.argmax(1) if len(said) else [], strict=True)
        ]

    def _seen(self, name: str, texts: Sequence[str], vectors: Real | None) -> Any:
        if name == "ngrams":
            assert self.ngrams is not None
            return self.ngrams(texts)
        if vectors is None:
            assert self.encoder is not None
            vectors = self.encoder(texts, side=self.side)
        return vectors

    def save(self, folder: Path) -> None:
        """Write ``classifier.json`` and ``classifier.npz`` into an existing or new folder."""
        arrays = {f"{name}.{part}": getattr(view, part) for name, view in self.views.items() for part in PARTS}
        told = {
            "labels": list(self.labels),
            "shares": {name: view.share for name, view in self.views.items()},
            "encoder": self.encoder.name if self.encoder is not None and "vectors" in self.views else "",
            "side": self.side,
            "ngrams": self.ngrams.to_json() if self.ngrams is not None and "ngrams" in self.views else None,
            "facts": self.facts,
        }
        keep_model(folder, NAME, told, arrays)


PARTS = ("weight", "bias")


def open_classifier(folder: Path, *, encoder: Encoder | None = None) -> Classifier:
    """Open what `Classifier.save` wrote; `encoder` must be the one it was fitted on, where it looks at vectors.

    Raises:
        ModelError: a file is missing or damaged, or the encoder is another or missing.
    """
    told, parts = kept_model(folder, NAME, cure="fit the classifier again")
    try:
        ngrams = Ngrams.of_json(told["ngrams"]) if told["ngrams"] else None
        views = {
            name: View(parts[f"{name}.weight"], parts[f"{name}.bias"], float(share))
            for name, share in told["shares"].items()
        }
        labels, wanted, side, facts = told["labels"], told["encoder"], told["side"], told["facts"]
    except BROKEN as error:
        raise ModelError(f"{folder / NAME}.json is damaged: {error!r}", cure="fit the classifier again") from error
    if wanted and (encoder is None or encoder.name != wanted):
        seen = encoder.name if encoder is not None else "none"
        raise ModelError(f"{folder} stands on encoder {wanted}, given is {seen}", cure="give that encoder, or fit anew")
    return Classifier(labels, views, encoder=encoder, ngrams=ngrams, side=side, facts=facts)
