"""Settings and a work folder in; what every run of the trainer shares (arguments, length, end, quiet) out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import math
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from mercer.errors import ModelError
from mercer.learn.callback import Budget, Lines, Progress
from mercer.learn.precision import precision_of
from mercer.learn.ranks import world
from mercer.learn.settings import LearnSettings
from mercer.learn.track import trackers
from mercer.shop import write_json

__all__ = ["SHARE", "Tick", "Tuned", "arguments", "last_checkpoint", "peak", "planned", "quiet", "watch"]

SHARE = 0.85
"""Of the budget that training may take; the rest is for evaluations, export and what else comes."""

FASTER = {"lora": 10, "adalora": 10, "adapter": 100, "prefix": 300}
"""Times the learning rate that these take: numbers that are fewer and begin at nothing must go further."""

Tick = Callable[[int, int, Mapping[str, float]], None]


@dataclass(frozen=True, slots=True)
class Tuned:
    """How a training run went."""

    steps: int
    seconds: float
    trained: int
    """Numbers that were trained."""
    parameters: int
    """Numbers in all."""
    best: float
    """Highest figure (nDCG@10) on what it is chosen by; NaN without any."""
    start: float
    """The same before the first step."""
    curve: tuple[Mapping[str, float], ...]
    """What was logged: step, loss, eval_nDCG@10, learning_rate."""
    memory: int
    """Highest resident memory of the process in bytes."""
    blend: float = 1.0
    """Share of the trained weights in what was written; the rest is the start's."""


def planned(
    settings: LearnSettings,
    *,
    work: Path,
    wanted: Callable[[], int],
    each: Callable[[], float],
    seconds: float,
    own: Mapping[str, Any] | None = None,
) -> int:
    """Steps of the whole run: as set, or as many epochs as fit into the time, written down for a run that goes on.

    Args:
        settings: `steps` wins over `wanted`.
        work: keeps ``plan.json``.
        wanted: steps of all epochs.
        each: measures how many seconds one step takes, or the share of it where several processes take steps at once.
        seconds: that there are.
        own: further settings to be written down.
    """
    path = work / "plan.json"
    if path.exists():
        told = json.loads(path.read_text("utf-8"))
        if told.get("processes", 1) == world():
            return int(told["steps"])
        for left in work.glob("checkpoint-*"):  # what so many processes had done, others cannot go on with
            shutil.rmtree(left)
    steps = settings.steps or wanted()
    if math.isfinite(seconds):
        steps = max(1, min(steps, int(SHARE * seconds / each())))
    plan = {"steps": steps, "processes": world(), "settings": {**dataclasses.asdict(settings), **(own or {})}}
    write_json(path, plan)
    return steps


def arguments(settings: LearnSettings, *, work: Path, steps: int, metric: str) -> Any:
    """`transformers.TrainingArguments` of a run whose data set has `steps` items, each a whole step.

    Weights change after `accumulate` steps of each process; what each of several looks at, no other does.
    `metric` is the name of the figure that the best state has the highest of; "" keeps the last state.
    """
    changes = max(1, steps // (settings.accumulate * world()))
    every = max(1, changes // settings.evaluations)
    precision = precision_of(settings.precision)
    judged: dict[str, Any] = {
        "eval_strategy": "steps",
        "eval_steps": every,
        "load_best_model_at_end": True,
        "metric_for_best_model": f"eval_{metric}",
        "greater_is_better": True,
    }
    return transformers.TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=1,  # a step's texts are one item
        max_steps=changes,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.lr * FASTER.get(settings.train, 1),
        lr_scheduler_type=settings.schedule if settings.schedule != "constant" else "constant_with_warmup",
        warmup_steps=settings.warmup,
        optim={"adamw": "adamw_torch", "adafactor": "adafactor"}[settings.optimizer],
        weight_decay=settings.weight_decay,
        bf16=precision == "bfloat16",
        fp16=precision == "float16",
        logging_steps=max(1, changes // 100),
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        report_to=[],  # `watch` adds our own
        ddp_broadcast_buffers=False,  # processes take different numbers of forward passes a step
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        label_names=[],
        seed=settings.seed,
        use_cpu=not torch.cuda.is_available(),
        **(judged if metric else {}),
    )


def watch(
    trainer: Any, settings: LearnSettings, *, work: Path, judged: bool, seconds: float, tick: Tick | None
) -> None:
    """Add early stopping, the budget, lines and progress to a trainer, and take its own printing away."""
    trainer.remove_callback(transformers.PrinterCallback)
    if "jsonl" in settings.track:
        trainer.add_callback(Lines(work / "log.jsonl"))
    for callback in trackers(settings, work):
        trainer.add_callback(callback)
    if judged:
        trainer.add_callback(transformers.EarlyStoppingCallback(early_stopping_patience=settings.patience))
    if math.isfinite(seconds):
        trainer.add_callback(Budget(max(1.0, seconds)))
    if tick is not None:
        trainer.add_callback(Progress(tick))


def last_checkpoint(work: Path) -> str | None:
    """The last whole checkpoint: the trainer writes its state file last, and each process one of its own."""
    names = ["trainer_state.json", *(f"rng_state_{rank}.pth" for rank in range(world()) if world() > 1)]
    found = [path for path in work.glob("checkpoint-*") if all((path / name).is_file() for name in names)]
    return str(max(found, key=lambda path: int(path.name.rpartition("-")[2]))) if found else None


def peak() -> int:
    """Highest resident memory of this process in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the trainer's words about its own parts from the terminal; NaN in the loss is an error."""
    loggers = [logging.getLogger(name) for name in ("transformers", "accelerate")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FloatingPointError as error:
        raise ModelError(f"training broke: {error}", cure="set a smaller [learn] lr") from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
