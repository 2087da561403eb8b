"""A module and the loss of each step in; the module trained, in seconds and without checkpoints, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from mercer.errors import ModelError

__all__ = ["Loss", "loop", "rate"]

Loss = Callable[[int], Tensor]
"""Number of a step → its loss, with gradients."""
MOST = 1.0
"""Length that a step's gradient is cut to, as the long trainer does."""


def loop(
    parts: Sequence[tuple[nn.Module, float]],
    loss: Loss,
    *,
    steps: int,
    seed: int,
    cast: Callable[[], AbstractContextManager[object]],
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    tick: Callable[[int, int, float], None] | None = None,
) -> list[float]:
    """Take `steps` steps of AdamW, the rate rising for the `warmup` share and then falling to 0; losses come back.

    Few labels are learned in a minute: such a run is begun again after a kill, `learn.tune` is for the long ones.

    Args:
        parts: modules and the highest rate of each.
        loss: of a step; the same for the same number and state.
        steps: how many; 0 changes nothing.
        seed: of dropout.
        cast: context in which the loss is computed (`Tower.cast`).
        warmup: share of steps.
        weight_decay: pull of weights towards 0; biases and norms have none.
        tick: told step, steps and loss.

    Raises:
        ModelError: the loss is no finite number.
    """
    torch.manual_seed(seed)
    groups = []
    for module, lr in parts:
        module.train()
        open_ = [value for value in module.parameters() if value.requires_grad]
        groups.append({"params": [value for value in open_ if value.dim() > 1], "lr": lr, "highest": lr})
        flat = [value for value in open_ if value.dim() <= 1]
        groups.append({"params": flat, "lr": lr, "highest": lr, "weight_decay": 0.0})
    groups = [group for group in groups if group["params"]]
    changed = [value for group in groups for value in group["params"]]  # type: ignore[attr-defined]  # as just made
    optimizer = torch.optim.AdamW(groups, weight_decay=weight_decay)
    losses: list[float] = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["highest"] * rate(step, steps, warmup)
        with cast():
            value = loss(step)
        losses.append(float(value.detach()))
        if not math.isfinite(losses[-1]):
            raise ModelError(f"the loss became {losses[-1]} in step {step + 1}", cure="set a smaller lr")
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(changed, MOST)
        optimizer.step()
        if tick is not None:
            tick(step + 1, steps, losses[-1])
    for module, _ in parts:
        module.eval()
    return losses


def rate(step: int, steps: int, warmup: float) -> float:
    """Share of the highest rate that a step has.

    >>> [round(rate(step, 10, 0.2), 2) for step in range(10)]
    [0.5, 1.0, 1.0, 0.88, 0.75, 0.62, 0.5, 0.38, 0.25, 0.12]
    """
    rising = max(1, round(warmup * steps))
    return (step + 1) / rising if step < rising else (steps - step) / max(1, steps - rising)
