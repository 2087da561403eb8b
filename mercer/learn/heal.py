"""A model that lost layers and the full one's vectors in; a model that agrees with them again out."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mercer.encode.encoder import Encoder, Side
from mercer.encode.model import Model
from mercer.errors import DataError, ModelError
from mercer.learn.tower import Tower, build

__all__ = ["Healed", "heal"]

HELD_OUT = 0.05
"""Share of texts that show how well it went."""


@dataclass(frozen=True, slots=True)
class Healed:
    """How healing went."""

    steps: int
    seconds: float
    before: float
    after: float
    """Mean cosine with the full model's vectors, on texts held out."""


def heal(
    model: Model,
    teacher: Encoder,
    texts: Sequence[tuple[str, Side]],
    folder: Path,
    *,
    epochs: float = 3.0,
    batch: int = 32,
    lr: float = 1e-4,
    length: int = 96,
    seed: int = 7,
    seconds: float = math.inf,
    tick: Callable[[int, int], None] | None = None,
) -> Healed:
    """Train `model` until its vectors point where the teacher's do, and write it into `folder`.

    The loss is ``1 - cosine``, which for unit vectors is half their squared distance. Word vectors stay as they are.

    Args:
        model: with fewer layers.
        teacher: the full model, with vectors of the same length.
        texts: of the shop, each with its side.
        folder: a new one.
        epochs, batch, lr: how often texts are seen, how many at once, and the highest learning rate.
        length: longest text in word pieces.
        seed: of order and weights.
        seconds: most time that training takes.
        tick: told step and steps in all.

    Raises:
        DataError: fewer than two texts.
        ModelError: vectors of another length, or weights that became NaN.
    """
    held = list(dict.fromkeys(texts))
    if len(held) < 2:
        raise DataError(f"{len(held)} texts to heal with", cure="give the shop's titles and queries")
    if teacher.dimension != model.dimension or model.projection is not None:
        raise ModelError(
            f"vectors of {model.dimension} and {teacher.dimension} numbers", cure="heal before dimensions are cut"
        )
    started = time.monotonic()
    torch.manual_seed(seed)
    rng = random.Random(f"heal {seed}")
    rng.shuffle(held)
    wanted = _wanted(teacher, held)
    out = max(1, int(HELD_OUT * len(held)))
    tower = build(model, length=length, dropout=0.0)
    before = _agreement(tower, held[:out], wanted[:out])
    train, goal = held[out:], torch.from_numpy(wanted[out:])
    steps = max(1, math.ceil(epochs * len(train) / batch))
    optimizer = torch.optim.AdamW(tower.above.parameters(), lr=lr, weight_decay=0.01)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda at: min((at + 1) / warm, (steps - at) / max(1, steps - warm))
    )
    tower.train()
    done, order = 0, _order(train, batch, rng)
    while done < steps and time.monotonic() - started < seconds:
        if not order:
            order = _order(train, batch, rng)
        loss = _loss(tower, train, goal, order.pop())
        if not torch.isfinite(loss):
            raise ModelError(f"healing broke at step {done}", cure="give a smaller learning rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        done += 1
        if tick is not None:
            tick(done, steps)
    after = _agreement(tower, held[:out], wanted[:out])
    tower.save(folder)
    return Healed(done, time.monotonic() - started, before, after)


def _wanted(teacher: Encoder, texts: Sequence[tuple[str, Side]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The teacher's vectors in the order of `texts`."""
    vectors = np.empty((len(texts), teacher.dimension), np.float32)
    for side in ("query", "passage"):
        rows = [at for at, (_, named) in enumerate(texts) if named == side]
        if rows:
            vectors[rows] = teacher([texts[at][0] for at in rows], side=side)
    return vectors


def _order(texts: Sequence[tuple[str, Side]], batch: int, rng: random.Random) -> list[list[int]]:
    """Batches of row numbers of one side, in random order."""
    batches = []
    for side in ("query", "passage"):
        rows = [at for at, (_, named) in enumerate(texts) if named == side]
        rng.shuffle(rows)
        batches += [rows[at : at + batch] for at in range(0, len(rows), batch)]
    rng.shuffle(batches)
    return batches


def _loss(tower: Tower, texts: Sequence[tuple[str, Side]], goal: torch.Tensor, rows: list[int]) -> torch.Tensor:
    side = texts[rows[0]][1]
    total = torch.zeros(())
    for chosen, given, mask in tower.chunks([texts[at][0] for at in rows], side, 16_384):
        aimed = goal[[rows[at] for at in chosen]].to(given.device)
        total = total + (1 - (tower(given, mask) * aimed).sum(-1)).sum().cpu()
    return total / len(rows)


def _agreement(
    tower: Tower, texts: Sequence[tuple[str, Side]], wanted: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> float:
    found = np.empty_like(wanted)
    for side in ("query", "passage"):
        rows = [at for at, (_, named) in enumerate(texts) if named == side]
        if rows:
            found[rows] = tower.encode([texts[at][0] for at in rows], side)
    return float((found * wanted).sum(axis=1).mean())
