"""A model, few labelled texts and words for the classes in; a classifier that reads what stands behind a mask out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mercer.encode.encoder import batches
from mercer.encode.extra import need
from mercer.encode.head import softmax
from mercer.encode.language import chinese_share
from mercer.encode.model import Model
from mercer.errors import DataError, SettingsError
from mercer.learn.few_loop import loop
from mercer.learn.few_pretrain import MaskHead, PretrainSettings, mask_of, pretrain, states_of
from mercer.learn.head import numbered
from mercer.learn.precision import precision_of
from mercer.learn.tower import Tower, build

__all__ = ["PromptSettings", "Prompted", "fit_prompted"]

PATTERNS = {"en": "{text} This is about [MASK].", "zh": "{text}。这是关于[MASK]的。"}
MOST = 4000
"""Characters of a text that are looked at."""
TOKENS = 4096
"""Word pieces read at once."""


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """Section ``[learn.prompt]``: a pattern with a mask, words for the classes, and how both are learned."""

    pattern: str = ""
    """Text with {text} and [MASK]; "" is "{text} This is about [MASK]." or the same in Chinese."""
    passes: float = 12.0
    """How often each labelled text is seen."""
    least: int = 30
    """Fewest steps, however few the texts are."""
    most: int = 300
    """Most steps, however many they are."""
    batch: int = 32
    """Texts in a step."""
    lr: float = 5e-5
    """Highest learning rate of the encoder; class words take ten times as much."""
    frozen: int = 0
    """Layers from below that stay as they are."""
    pretrain: int = 150
    """Steps in which hidden pieces of the texts are guessed before; 0 leaves the mask unlearned."""
    length: int = 64
    """Most word pieces of a text."""
    seed: int = 7

    def __post_init__(self) -> None:
        if self.pattern and not ("{text}" in self.pattern and "[MASK]" in self.pattern):
            raise SettingsError(f"[learn.prompt] pattern is {self.pattern!r}", cure="write {text} and [MASK] into it")
        for name, low, high in LIMITS:
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise SettingsError(f"[learn.prompt] {name} is {value}", cure=f"give a number from {low:g} to {high:g}")


LIMITS = (
    ("passes", 0.0, 1000.0),
    ("least", 0, 100_000),
    ("most", 0, 1_000_000),
    ("batch", 1, 4096),
    ("lr", 1e-8, 1.0),
    ("frozen", 0, 100),
    ("pretrain", 0, 1_000_000),
    ("length", 4, 8192),
)


class _Bare:
    """Pieces of a text without the marks at its ends."""

    def __init__(self, model: Model) -> None:
        self._tokenizer = need("tokenizers").Tokenizer.from_file(str(model.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.ends: list[int] = self._tokenizer.encode("").ids

    def __call__(self, text: str) -> list[int]:
        pieces: list[int] = self._tokenizer.encode(text[:MOST], add_special_tokens=False).ids
        return pieces


class Prompted(nn.Module):
    """Reads the state behind the mask against the words of each class."""

    def __init__(
        self, tower: Tower, head: MaskHead, words: Sequence[Sequence[int]], settings: PromptSettings, pattern: str
    ) -> None:
        super().__init__()
        self.tower, self.head = tower, head
        self.longest = settings.length
        self.mask = mask_of(tower)
        parts = [[head.place[piece] for piece in pieces] for pieces in words]
        self.classes = nn.Parameter(torch.stack([head.words[part].mean(0) for part in parts]))
        self.bias = nn.Parameter(torch.stack([head.bias.detach()[part].mean() for part in parts]))
        self.scale = nn.Parameter(torch.tensor(1.0))
        before, _, after = pattern.replace("{text}", "\0").partition("\0")
        self._around = (before, after)
        self._bare = _Bare(tower.model)

    def rows(self, texts: Sequence[str]) -> list[list[int]]:
        """Piece numbers of texts in the pattern; a long text is cut, the pattern is not."""
        ends = self._bare.ends
        before, after = (self._pieces(part) for part in self._around)
        room = max(1, self.tower.model.positions - len(ends) - len(before) - len(after))
        cut = [self._bare(text)[: min(room, self.longest)] for text in texts]
        return [[ends[0], *before, *piece, *after, *ends[1:]] for piece in cut]

    def _pieces(self, part: str) -> list[int]:
        found: list[int] = []
        for at, piece in enumerate(part.split("[MASK]")):
            found += ([self.mask] if at else []) + self._bare(piece)
        return found

    def forward(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """(n, classes) before a softmax."""
        longest = max(map(len, rows))
        ids, real = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.int64)
        for line, row in enumerate(rows):
            ids[line, : len(row)], real[line, : len(row)] = row, 1
        column = [len(row) - 1 - list(row)[::-1].index(self.mask) for row in rows]  # a text may hold a mask of its own
        states = states_of(self.tower, ids, real)[torch.arange(len(rows)), torch.tensor(column)]
        said: Tensor = self.scale * (self.head.seen(states) @ self.classes.T + self.bias)
        return said

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Chances by class: (n, classes), rows sum to 1."""
        rows = self.rows(texts)
        said = np.empty((len(rows), len(self.classes)), np.float32)
        self.eval()
        with torch.inference_mode(), self.tower.cast():
            for chosen in batches([len(row) for row in rows], TOKENS):
                said[chosen] = self([rows[at] for at in chosen]).float().numpy()
        return softmax(said) if len(said) else said


def fit_prompted(
    model: Model,
    texts: Sequence[str],
    labels: Sequence[str],
    settings: PromptSettings | None = None,
    *,
    unlabelled: Sequence[str] = (),
    words: Mapping[str, str] | None = None,
) -> tuple[list[str], Prompted]:
    """Pattern and verbaliser (PET, Schick and Schütze 2021; one mask, class words averaged): classes, and the model.

    Args:
        model: an encoder whose tokenizer knows a mask.
        texts: what is to be told apart.
        labels: the class of each.
        settings: see there.
        unlabelled: more texts of the shop, for guessing hidden pieces.
        words: what a class is called in words; the class itself, its underscores as blanks, where it has none.

    Raises:
        DataError: one class alone, or a class without a word.
        ModelError: the model knows no mask, or the loss is no finite number.
    """
    settings = settings or PromptSettings()
    names, targets = numbered(texts, labels)
    torch.manual_seed(settings.seed)
    tower = build(model, length=settings.length, frozen=settings.frozen)
    tower.precision = precision_of("auto")
    spoken = [(words or {}).get(name) or re.sub(r"[_\-/]+", " ", name) for name in names]
    bare = _Bare(model)
    pieces = [bare(word) for word in spoken]
    if nameless := [name for name, piece in zip(names, pieces, strict=True) if not piece]:
        raise DataError(f"class {nameless[0]!r} has no word", cure="give words for each class")
    known = [piece for row in pieces for piece in row]
    learning = PretrainSettings(kind="masked", steps=settings.pretrain, seed=settings.seed)
    head = pretrain(tower, [*texts, *unlabelled], learning, also=known)
    assert head is not None
    pattern = settings.pattern or PATTERNS["zh" if chinese_share(texts[:2000]) > 0.5 else "en"]
    prompted = Prompted(tower, head, pieces, settings, pattern)
    rows = prompted.rows(texts)
    steps = min(settings.most, max(settings.least, math.ceil(settings.passes * len(rows) / settings.batch)))

    def loss(step: int) -> Tensor:
        rng = np.random.default_rng([settings.seed, 35, step])
        chosen = rng.choice(len(rows), min(settings.batch, len(rows)), replace=False)
        said = prompted([rows[at] for at in chosen])
        return nn.functional.cross_entropy(said.float(), torch.from_numpy(targets[chosen]))

    own = _Own(prompted)
    parts: list[tuple[nn.Module, float]] = [(tower, settings.lr), (head, settings.lr), (own, 10 * settings.lr)]
    if settings.passes:
        loop(parts, loss, steps=steps, seed=settings.seed, cast=tower.cast)
    return names, prompted


class _Own(nn.Module):
    """What a prompted model has beside its tower and its head, so that it can have a rate of its own."""

    def __init__(self, prompted: Prompted) -> None:
        super().__init__()
        self.classes, self.bias, self.scale = prompted.classes, prompted.bias, prompted.scale
