"""A tuned encoder and queries of the shop in; the encoder that answers them alike however they are typed, out."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mercer.encode.encoder import Side
from mercer.errors import DataError
from mercer.learn.precision import device
from mercer.learn.robust_settings import ConsistentSettings
from mercer.learn.tower import Tower
from mercer.learn.tuner import vectors

__all__ = ["Steadied", "steady"]

Spoil = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True)
class Steadied:
    """How the stage went."""

    steps: int
    seconds: float
    losses: tuple[float, ...]
    """Mean of each tenth of the steps."""


def steady(
    tower: Tower,
    queries: Sequence[str],
    passages: Sequence[str],
    spoil: Spoil,
    settings: ConsistentSettings,
    *,
    seed: int = 7,
    seconds: float = math.inf,
    tick: Callable[[int, int, Mapping[str, float]], None] | None = None,
) -> Steadied:
    """Train a tower in place to say of a query typed otherwise what it said of it before, and of all else the same.

    Self-teaching (Zhuang and Zuccon 2022), without a label: the target is the tower's own vector of the clean query
    before the stage, and its cosines with the step's other clean texts (cross-entropy, as knowledge is distilled).

    Args:
        tower: as it was tuned; every layer that is open is trained.
        queries: as they are typed; they need no judgment.
        passages: of products; they are held where they are.
        spoil: makes another spelling of a query.
        settings: see there.
        seed: of what is drawn.
        seconds: most time it may take; the last steps are left out where there is less.
        tick: told step, steps in all and the loss.

    Raises:
        DataError: fewer than two queries.
    """
    if len(queries) < 2:
        raise DataError(f"{len(queries)} queries to type otherwise", cure="give a catalogue with titles")
    started, losses = time.monotonic(), []
    tower.to(device()).train()
    open_ = [value for value in tower.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(open_, lr=settings.lr, weight_decay=0.0, fused=True)
    steps = [
        _drawn(queries, passages, spoil, settings=settings, seed=seed, step=step) for step in range(settings.steps)
    ]
    known = _before(tower, steps)
    torch.manual_seed(seed)
    for number, (typed, clean, held) in enumerate(steps):
        if time.monotonic() - started > seconds:
            break
        _pace(optimizer, settings.lr, number, settings.steps)
        with tower.cast():
            asked = vectors(tower, tower, typed, "query", _ALL)
            found = vectors(tower, tower, held, "passage", _ALL) if held else asked[:0]
            wanted = [known["query", text] for text in clean] + [known["passage", text] for text in held]
            loss = _apart(torch.cat([asked, found]), _stacked(wanted, asked), settings.temperature)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(open_, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if tick is not None:
            tick(number + 1, settings.steps, {"loss": losses[-1]})
    tower.eval()
    parts = [part for part in np.array_split(np.array(losses), 10) if len(part)]
    return Steadied(len(losses), time.monotonic() - started, tuple(float(part.mean()) for part in parts))


_ALL = 384
"""Word pieces in one forward pass, padding included: short queries are not padded to the longest."""


def _drawn(
    queries: Sequence[str], passages: Sequence[str], spoil: Spoil, *, settings: ConsistentSettings, seed: int, step: int
) -> tuple[list[str], list[str], list[str]]:
    """Queries as they are typed in a step, the same clean, and passages."""
    rng, chance = np.random.default_rng([seed, 11, step]), random.Random(f"{seed} {step}")
    clean = [queries[at] for at in rng.choice(len(queries), min(settings.batch, len(queries)), replace=False)]
    typed = [_typed(text, spoil, settings, chance) for text in clean]
    held = rng.permutation(len(passages))[: settings.passages].tolist()
    return typed, clean, [passages[at] for at in held]


def _typed(text: str, spoil: Spoil, settings: ConsistentSettings, chance: random.Random) -> str:
    if chance.random() >= settings.spoilt:
        return text
    once = spoil(text, chance)
    return spoil(once, chance) if chance.random() < settings.twice else once


def _before(tower: Tower, steps: Sequence[Any]) -> dict[tuple[Side, str], NDArray[np.float32]]:
    """What the tower says of every text that will be seen, before it changes."""
    known: dict[tuple[Side, str], NDArray[np.float32]] = {}
    sides: tuple[tuple[Side, int], ...] = (("query", 1), ("passage", 2))
    for side, place in sides:
        texts = list(dict.fromkeys(text for step in steps for text in step[place]))
        known |= (
            {(side, text): row for text, row in zip(texts, tower.encode(texts, side), strict=True)} if texts else {}
        )
    return known


def _stacked(rows: Sequence[NDArray[np.float32]], like: Tensor) -> Tensor:
    return torch.from_numpy(np.stack(rows)).to(like.device)


def _apart(said: Tensor, wanted: Tensor, temperature: float) -> Tensor:
    """How far vectors are from where they should be, and from how they should lie to the others."""
    said = said.float()
    target = torch.softmax(wanted @ wanted.T / temperature, 1)
    logged = torch.log_softmax(said @ wanted.T / temperature, 1)
    return (1 - (said * wanted).sum(1)).mean() + (target * (target.clamp(min=1e-9).log() - logged)).sum(1).mean()


def _pace(optimizer: torch.optim.Optimizer, lr: float, number: int, steps: int) -> None:
    warm = max(1, steps // 10)
    share = (number + 1) / warm if number < warm else max(0.0, (steps - number) / max(1, steps - warm))
    for group in optimizer.param_groups:
        group["lr"] = lr * share
