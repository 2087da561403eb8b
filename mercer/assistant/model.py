"""A version's folder in; the intent head and the passages with their calibrated matching out, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.assistant.head import CURE, Head
from mercer.assistant.knowledge import Entry
from mercer.encode.kept import BROKEN, keep_model, kept_model
from mercer.errors import ModelError
from mercer.retrieve.analyze import grams, words

__all__ = ["Found", "Matcher", "Model", "terms"]

ARRAYS = ("wordings", "owner", "texts", "around")
FEATURES = 3
"""How near the question is to the nearest wording, to the answer, and how many of its words are in either."""
PLAIN = re.compile(
    r"^(?:what|which|when|where|who|how|can|could|do|does|did|is|are|will|would|should|i|you|your|my|me|we|a|an|the|to|of|"
    r"for|in|on|at|it|if|and|or|be|have|has|there|that|this|please|[吗呢的了是我你们您请问有能可以会要想怎么什多少几哪里和在吧啊么])$"
)


def terms(text: str) -> Counter[str]:
    """What a text is matched by: stems and pairs of Han characters, without words that every question has."""
    pieces = [word for word in words(text) if word.isascii() and not PLAIN.match(word)]
    return Counter(pieces + [gram for gram in grams(text) if not gram.isascii()])


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and the chance that it answers."""

    entry: Entry
    chance: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """Finds the passage that answers."""

    entries: tuple[Entry, ...]
    wordings: NDArray[np.float32]
    """(wordings, dimension) of all titles and other wordings."""
    owner: NDArray[np.int64]
    """(wordings,): number of the entry of each."""
    texts: NDArray[np.float32]
    """(entries, dimension)."""
    around: NDArray[np.float32]
    """(background, dimension): messages about anything else; an encoder's cosines mean nothing before they are set
    against these."""
    weights: tuple[float, ...]
    """Of the FEATURES, and last the intercept: log-odds that the passage answers."""

    def features(
        self, vectors: NDArray[np.float32], messages: Sequence[str], *, hide: Sequence[int | None] = ()
    ) -> NDArray[np.float64]:
        """(messages, entries, FEATURES); `hide` is a wording of each message that does not count."""
        found = np.zeros((len(messages), len(self.entries), FEATURES))
        if not self.entries:
            return found
        near = _standing(self.wordings, self.around, vectors)
        answers = _standing(self.texts, self.around, vectors)
        for row, hidden in enumerate(hide):
            if hidden is not None:
                near[row, hidden] = -np.inf
        best = np.full((len(messages), len(self.entries)), -np.inf)
        for wording, entry in enumerate(self.owner.tolist()):
            best[:, entry] = np.maximum(best[:, entry], near[:, wording])
        found[:, :, 0] = np.where(np.isfinite(best), np.maximum(best, answers), answers)
        found[:, :, 1] = answers
        found[:, :, 2] = self._shared(messages, hide)
        return found

    def _shared(self, messages: Sequence[str], hide: Sequence[int | None]) -> NDArray[np.float64]:
        """(messages, entries): share of a message's terms, rare ones weighing more, that the entry has."""
        said = [_spoken(entry) for entry in self.entries]
        held = Counter(term for terms_ in said for term in terms_)
        found = np.zeros((len(messages), len(self.entries)))
        for row, message in enumerate(messages):
            asked = terms(message)
            weight = {term: times / (1 + held[term]) ** 0.5 for term, times in asked.items()}
            total = sum(weight.values())
            hidden = hide[row] if row < len(hide) else None
            for column, have in enumerate(said):
                own = have
                if hidden is not None and self.owner[hidden] == column:
                    own = terms(self.entries[column].text)
                found[row, column] = sum(weight[term] for term in weight if term in own) / total if total else 0.0
        return found

    def chances(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated chance that a passage answers."""
        odds = features @ np.asarray(self.weights[:-1]) + self.weights[-1]
        found: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return found

    def __call__(self, message: str, vector: NDArray[np.float32], k: int = 3) -> list[Found]:
        """The likeliest passages, best first."""
        if not self.entries:
            return []
        chance = self.chances(self.features(vector[None, :], [message]))[0]
        return [Found(self.entries[at], float(chance[at])) for at in np.argsort(-chance, kind="stable")[:k].tolist()]


@dataclass(frozen=True, slots=True)
class Model:
    """What `mercer learn SHOP assistant` made."""

    head: Head
    matcher: Matcher

    def save(self, folder: Path) -> None:
        """Write JSON and npz: nothing that runs code when it is read."""
        self.head.save(folder)
        one = self.matcher
        arrays = {name: getattr(one, name) for name in ARRAYS}
        told = {"entries": [entry.to_json() for entry in one.entries], "points": one.weights}
        keep_model(folder, "passages", told, arrays)

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing or damaged.
        """
        head = Head.load(folder)
        told, held = kept_model(folder, "passages", cure=CURE)
        try:
            arrays = {name: held[name] for name in ARRAYS}
            entries = tuple(Entry.from_json(row) for row in told["entries"])
            return cls(head, Matcher(entries, **arrays, weights=tuple(map(float, told["points"]))))
        except BROKEN as error:
            raise ModelError(f"{folder} holds no passages: {error!r}", cure=CURE) from error


def _standing(
    points: NDArray[np.float32], around: NDArray[np.float32], vectors: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(messages, points): cosine, in standard deviations above that of the background with the point."""
    usual = points @ around.T
    mean, spread = usual.mean(1), np.maximum(usual.std(1), 1e-3)
    found: NDArray[np.float64] = ((vectors @ points.T - mean) / spread).astype(np.float64)
    return found


def _spoken(entry: Entry) -> Counter[str]:
    return terms("\n".join((entry.title, *entry.asked, entry.text)))
