"""A folder with a fitted head in; the calibrated chance of each class of any text, from words, vectors or both, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode import Encoder
from mercer.encode.head import softmax
from mercer.encode.kept import BROKEN, keep_model, kept_model
from mercer.errors import ModelError
from mercer.opinion.grams import Vocabulary

__all__ = ["Head", "Linear", "open_head"]

NAME = "head"
CURE = "run: mercer learn SHOP opinion"
Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Linear:
    """Margins are ``features @ weight + bias``."""

    weight: Real
    """(features, classes)."""
    bias: Real
    """(classes,)."""
    share: float = 1.0
    """What the margins are multiplied with before both views are added; it makes the chances true ones too."""

    def __call__(self, rows: Any) -> Real:
        return np.asarray(rows @ self.weight, np.float32) + self.bias


@dataclass(frozen=True, slots=True)
class Head:
    """Says the chance of each class; safe from several threads."""

    labels: tuple[str, ...]
    vocabularies: tuple[Vocabulary, ...]
    views: Mapping[str, Linear]
    """``words`` over all vocabularies side by side, ``vectors`` over what the encoder says."""
    prior: Real
    """(classes,) added to the margins, which the calibration found."""
    encoder: Encoder | None
    facts: Mapping[str, Any]

    def margins(self, texts: Sequence[str], *, vectors: Real | None = None) -> Real:
        """(n, classes); `vectors` of the texts where they are known."""
        from scipy.sparse import hstack

        total = np.tile(self.prior, (len(texts), 1)).astype(np.float32)
        if not len(texts):
            return total
        rows = hstack([vocabulary(texts) for vocabulary in self.vocabularies]).tocsr()
        total += self.views["words"].share * self.views["words"](rows)
        if "vectors" in self.views:
            if vectors is None:
                assert self.encoder is not None
                vectors = self.encoder(texts)
            total += self.views["vectors"].share * self.views["vectors"](vectors)
        return total

    def __call__(self, texts: Sequence[str], *, vectors: Real | None = None) -> Real:
        """Chances by `labels`, (n, classes); rows sum to 1."""
        margins = self.margins(texts, vectors=vectors)
        return softmax(margins) if len(texts) else margins

    def save(self, folder: Path) -> None:
        """Write ``head.json`` and ``head.npz``: numbers and text, nothing that runs when it is read."""
        arrays = {f"{name}.{part}": getattr(view, part) for name, view in self.views.items() for part in PARTS}
        arrays |= {f"rarity.{vocabulary.block}": vocabulary.rarity for vocabulary in self.vocabularies}
        told = {
            "labels": list(self.labels),
            "shares": {name: view.share for name, view in self.views.items()},
            "vocabularies": [{"block": one.block, "names": list(one.names)} for one in self.vocabularies],
            "encoder": self.encoder.name if self.encoder is not None and "vectors" in self.views else "",
            "facts": dict(self.facts),
        }
        keep_model(folder, NAME, told, {"prior": self.prior, **arrays})


PARTS = ("weight", "bias")


def open_head(folder: Path, *, encoder: Encoder | None = None) -> Head:
    """Open what `Head.save` wrote; `encoder` must be the one it was fitted on, where it looks at vectors.

    Raises:
        ModelError: a file is missing or damaged, or the encoder is another or missing.
    """
    told, parts = kept_model(folder, NAME, cure=CURE)
    try:
        vocabularies = tuple(
            Vocabulary(one["block"], tuple(one["names"]), parts[f"rarity.{one['block']}"])
            for one in told["vocabularies"]
        )
        views = {
            name: Linear(parts[f"{name}.weight"], parts[f"{name}.bias"], float(share))
            for name, share in told["shares"].items()
        }
        labels, wanted, facts = tuple(told["labels"]), told["encoder"], told["facts"]
        prior = parts["prior"]
    except BROKEN as error:
        raise ModelError(f"{folder / NAME}.json is damaged: {error!r}", cure=CURE) from error
    if wanted and (encoder is None or encoder.name != wanted):
        seen = encoder.name if encoder is not None else "none"
        raise ModelError(f"{folder} stands on encoder {wanted}, given is {seen}", cure="give that one, or learn anew")
    return Head(labels, vocabularies, views, prior, encoder if wanted else None, facts)
