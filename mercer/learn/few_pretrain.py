"""A tower and a shop's own texts without labels in; the tower that knows their words better out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mercer.encode.extra import need
from mercer.errors import DataError, ModelError, SettingsError
from mercer.learn.few_contrast import ContrastSettings, contrast
from mercer.learn.few_loop import loop
from mercer.learn.precision import precision_of
from mercer.learn.tower import Tower

__all__ = ["MaskHead", "PretrainSettings", "mask_of", "pretrain"]

MASKS = ("[MASK]", "<mask>")
KEPT = 8
"""Pieces that a tokenizer numbers first or are marks: never hidden."""


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    """Section ``[learn.pretrain]``: further pretraining on the shop's own text. Off unless it is asked for."""

    kind: Literal["simcse", "masked"] = "masked"
    """simcse: a text is near itself under other dropout and far from others; masked: hidden pieces are guessed."""
    steps: int = 150
    batch: int = 24
    """Texts in a step."""
    lr: float = 3e-5
    """Highest learning rate of the encoder; what guesses pieces takes ten times as much, as it begins at nothing."""
    hidden: float = 0.2
    """Share of pieces that are hidden."""
    seed: int = 7

    def __post_init__(self) -> None:
        if self.kind not in ("simcse", "masked"):
            raise SettingsError(f"[learn.pretrain] kind is {self.kind!r}", cure="give simcse or masked")
        for name, low, high in (("steps", 0, 10**6), ("batch", 2, 4096), ("lr", 1e-8, 1.0), ("hidden", 0.01, 0.9)):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise SettingsError(f"[learn.pretrain] {name} is {value}", cure=f"give a number from {low} to {high}")


class MaskHead(nn.Module):
    """Says which piece is hidden: a dense layer, a norm, then the word vectors themselves (tied), with a bias a piece.

    The encoders that are at hand come without the head they were pretrained with, so this one begins at the identity
    and learns on the shop's own text. Only pieces that occur there can be guessed: a table of 250,000 would be dear.
    """

    def __init__(self, tower: Tower, pieces: Sequence[int]) -> None:
        super().__init__()
        self.pieces = list(dict.fromkeys(pieces))
        self.place = {piece: at for at, piece in enumerate(self.pieces)}
        table = torch.from_numpy(np.asarray(tower.model.table[self.pieces], np.float32))
        width = table.shape[1]
        self.words: Tensor
        self.register_buffer("words", table)
        self.dense = nn.Linear(width, width)
        nn.init.eye_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(len(self.pieces)))

    def seen(self, states: Tensor) -> Tensor:
        """States (n, hidden) as they are held against word vectors."""
        turned: Tensor = self.norm(nn.functional.gelu(self.dense(states)))
        return turned

    def forward(self, states: Tensor) -> Tensor:
        """(n, pieces) before a softmax."""
        return self.seen(states) @ self.words.T + self.bias


def mask_of(tower: Tower) -> int:
    """Number of the piece that stands for a hidden one.

    Raises:
        ModelError: the tokenizer has none.
    """
    tokenizer = need("tokenizers").Tokenizer.from_file(str(tower.model.folder / "tokenizer.json"))
    for name in MASKS:
        number = tokenizer.token_to_id(name)
        if number is not None and number < len(tower.model.table):
            return int(number)
    raise ModelError(f"{tower.model.folder} has no piece {' or '.join(MASKS)}", cure="take a model that has one")


def pretrain(
    tower: Tower,
    texts: Sequence[str],
    settings: PretrainSettings | None = None,
    *,
    also: Sequence[int] = (),
    tick: Callable[[int, int, float], None] | None = None,
) -> MaskHead | None:
    """Train a tower in place on texts without labels; what guesses pieces comes back where `kind` is masked.

    Args:
        tower: to be trained.
        texts: what the shop has.
        settings: see there.
        also: pieces that must be among those that can be guessed, such as those of class names.
        tick: told step, steps and loss.

    Raises:
        DataError: fewer than two texts.
        ModelError: the tokenizer knows no mask, or the loss is no finite number.
    """
    settings = settings or PretrainSettings()
    held = list(dict.fromkeys(text for text in texts if text.strip()))
    if len(held) < 2:
        raise DataError(f"{len(held)} texts to pretrain on", cure="give at least two different ones")
    if settings.kind == "simcse":
        twins = ContrastSettings(batch=min(settings.batch, len(held)), lr=settings.lr, seed=settings.seed)
        contrast(tower, held, [str(row) for row in range(len(held))], twins, steps=settings.steps, tick=tick)
        return None
    mask = mask_of(tower)
    rows = tower.tokens(held, "query")
    torch.manual_seed(settings.seed)
    head = MaskHead(tower, [*also, *(piece for row in rows for piece in row)])
    tower.precision = precision_of("auto")

    def loss(step: int) -> Tensor:
        rng = np.random.default_rng([settings.seed, 33, step])
        chosen = [rows[at] for at in rng.choice(len(rows), min(settings.batch, len(rows)), replace=False)]
        given, masked, places, wanted = _hidden(chosen, mask, settings.hidden, rng)
        states = states_of(tower, given, masked)[places[0], places[1]]
        targets = torch.tensor([head.place[piece] for piece in wanted])
        return nn.functional.cross_entropy(head(states).float(), targets)

    parts: list[tuple[nn.Module, float]] = [(tower, settings.lr), (head, 10 * settings.lr)]
    loop(parts, loss, steps=settings.steps, seed=settings.seed, cast=tower.cast, tick=tick)
    return head


def states_of(tower: Tower, ids: Any, mask: Any) -> Tensor:
    """(n, tokens, hidden) of piece numbers and their mask, both (n, tokens) numpy."""
    given = torch.from_numpy(ids if tower.words else np.asarray(tower.model.table[ids], np.float32))
    masked = torch.from_numpy(mask)
    below = tower.below
    if below is not None:
        with torch.no_grad():
            given = below.eval()(inputs_embeds=given, attention_mask=masked)[0]
    named = {"input_ids": given} if given.dim() == 2 else {"inputs_embeds": given}
    states: Tensor = tower.above(**named, attention_mask=masked)[0]
    return states


def _hidden(rows: Sequence[Sequence[int]], mask: int, share: float, rng: np.random.Generator) -> tuple[Any, ...]:
    """Pieces with some hidden, their mask, the places of those (rows, columns), and what stood there."""
    longest = max(map(len, rows))
    ids, real = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.int64)
    lines, columns, wanted = [], [], []
    for line, row in enumerate(rows):
        ids[line, : len(row)], real[line, : len(row)] = row, 1
        inner = max(1, len(row) - 2)
        for at in 1 + rng.choice(inner, max(1, round(share * inner)), replace=False):
            if at < len(row):
                lines.append(line)
                columns.append(int(at))
                wanted.append(row[at])
                ids[line, at] = mask
    return ids, real, (lines, columns), wanted
