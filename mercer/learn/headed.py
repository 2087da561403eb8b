"""A module with a head and its steps in; the module trained, the best state of it kept, out."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.utils.data import Dataset

from mercer.learn import ranks
from mercer.learn.cross import Cross
from mercer.learn.lists import Lists
from mercer.learn.memory import Memory
from mercer.learn.part import attach, count
from mercer.learn.precision import device, precision_of
from mercer.learn.run import SHARE, Tick, Tuned, arguments, last_checkpoint, peak, planned, quiet, watch
from mercer.learn.settings import LearnSettings
from mercer.learn.verdict import Verdicts, total
from mercer.shop import disk_errors

__all__ = ["Course", "train"]

HEAD = 30.0
"""Times the learning rate that a head takes, which begins at nothing; the body knows much already."""
PROBE = 3
"""Steps that are run to see how long one takes; the first warms up and is not counted."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a head is trained on, and by what its best state is chosen."""

    verdicts: tuple[str, ...]
    lists: Callable[[int], Dataset[Lists]]
    """Number of steps → steps."""
    wanted: int
    """Steps of all epochs."""
    metric: str = ""
    """Name of the figure; "" where nothing is chosen by."""
    judge: Callable[[Cross], float] | None = None
    """The figure of a state; higher is better."""


class HeadTuner(transformers.Trainer):
    """Trains a `Cross` (bare, wrapped by an adapter or by several GPUs) on `Lists`."""

    def __init__(self, *, course: Course, tokens: int, head_lr: float, **rest: Any) -> None:
        """Take what `Trainer` takes; `tokens` is the most word pieces of one forward pass."""
        super().__init__(data_collator=_only, **rest)
        self._course = course
        self._head_lr = head_lr
        self._tokens = tokens

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """The step's loss."""
        return loss_of(model, inputs["lists"], self._course.verdicts, self._tokens)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Judge the state."""
        judge, metric = self._course.judge, f"eval_{self._course.metric}"
        if judge is None:
            return {}
        metrics = {metric: judge(cross_of(self.model))}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def create_optimizer(self, model: nn.Module | None = None) -> Any:
        """As the trainer does, the head at a rate of its own."""
        if self.optimizer is None:
            module: Any = self.model if model is None else model
            kind, named = self.get_optimizer_cls_and_kwargs(self.args, module)
            decayed = set(self.get_decay_parameter_names(module))
            open_ = [(name, value) for name, value in module.named_parameters() if value.requires_grad]
            head = [value for name, value in open_ if _in_head(name)]
            groups: list[dict[str, Any]] = [{"params": head, "weight_decay": 0.0, "lr": self._head_lr}]
            for decays in (True, False):
                body = [value for name, value in open_ if not _in_head(name) and (name in decayed) == decays]
                groups.append({"params": body, "weight_decay": self.args.weight_decay if decays else 0.0})
            self.optimizer = kind([group for group in groups if group["params"]], **named)
        return self.optimizer


def train(
    cross: Cross,
    course: Course,
    settings: LearnSettings,
    *,
    work: Path,
    seconds: float = math.inf,
    tick: Tick | None = None,
) -> Tuned:
    """Train a module in place; it ends in the best state where the course says what is best.

    A run that was killed goes on from its last checkpoint in `work` when it is called again with the same arguments.

    Raises:
        ModelError: the loss became NaN.
    """
    started = time.monotonic()
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    cross.to(device())  # before a step is timed
    cross.tower.precision = precision_of(settings.precision)
    with quiet(), Memory(work) as memory:
        cross.tower.memory = memory if cross.tower.below is not None else None
        start = course.judge(cross) if course.judge is not None else math.nan
        plan = functools.partial(
            planned,
            settings,
            work=work,
            wanted=lambda: course.wanted,
            each=lambda: _seconds_a_step(cross, course, settings.tokens) / ranks.world(),
            seconds=seconds - (time.monotonic() - started),
            own={"verdicts": course.verdicts},
        )
        steps = int(ranks.agreed(plan))
        fold = attach(cross.tower, settings, steps=steps)
        trained, parameters = count(cross.tower)
        own = sum(value.numel() for value in cross.head.parameters())
        data = course.lists(steps)
        metric = course.metric if course.judge is not None else ""
        tuner = HeadTuner(
            model=cross,
            args=arguments(settings, work=work, steps=steps, metric=metric),
            train_dataset=data,
            eval_dataset=data if metric else None,
            course=course,
            tokens=settings.tokens,
            head_lr=HEAD * settings.lr,
        )
        left = SHARE * seconds - (time.monotonic() - started)
        watch(tuner, settings, work=work, judged=bool(metric), seconds=left, tick=tick)
        tuner.train(resume_from_checkpoint=last_checkpoint(work))
        fold()
        cross.tower.memory = None
    curve = tuple(tuner.state.log_history)
    best = max((float(line[f"eval_{metric}"]) for line in curve if f"eval_{metric}" in line), default=math.nan)
    done = tuner.state.global_step
    return Tuned(done, time.monotonic() - started, trained + own, parameters + own, best, start, curve, peak())


def loss_of(model: nn.Module, lists: Lists, verdicts: Sequence[str], tokens: int) -> Tensor:
    """The sum of the verdicts over a step."""
    cross = cross_of(model)
    rows: list[int] = []
    parts: list[Tensor] = []
    for chosen, given in cross.chunks(cross.tokens(lists.first, lists.second), tokens):
        rows += chosen
        parts.append(model(*given))
    said = torch.cat(parts).float()
    known = (lists.targets[rows], lists.weights[rows], lists.lists[rows])
    targets, weights, places = (torch.from_numpy(column).to(said.device) for column in known)
    return total(verdicts)(Verdicts(said, targets, weights, places))


def cross_of(model: Any) -> Cross:
    """The module inside what wraps it."""
    while not isinstance(model, Cross):
        model = model.module
    return model


def _in_head(name: str) -> bool:
    return name.removeprefix("module.").startswith("head.")


def _seconds_a_step(cross: Cross, course: Course, tokens: int) -> float:
    data = course.lists(PROBE)
    taken = []
    for number in range(PROBE):
        before = time.monotonic()
        with cross.tower.cast():
            loss = loss_of(cross, data[number], course.verdicts, tokens)
        loss.backward()  # type: ignore[no-untyped-call]
        cross.zero_grad(set_to_none=True)
        taken.append(time.monotonic() - before)
    return max(1e-3, sum(taken[1:]) / (PROBE - 1))


def _only(items: Sequence[Lists]) -> dict[str, Lists]:
    """A step is one item of the data set."""
    return {"lists": items[0]}
