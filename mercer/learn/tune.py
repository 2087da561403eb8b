"""A model folder, tasks and settings in; a better model folder, and what happened on the way, out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from mercer.encode.model import Model
from mercer.errors import ModelError
from mercer.learn.callback import Budget, Lines, Progress
from mercer.learn.memory import Memory
from mercer.learn.part import attach, count
from mercer.learn.pool import Pool
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Steps, Task, epoch
from mercer.learn.tower import Tower, build
from mercer.learn.tuner import Tuner, loss_of, vectors
from mercer.shop import disk_errors, write_json

__all__ = ["Tuned", "tune"]

PROBE = 3
"""Steps that are run to see how long one takes; the first warms up and is not counted."""
SHARE = 0.85
"""Of the budget that training may take; the rest is for evaluations, export and what else comes."""

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
    """Highest nDCG@10 on the validation queries; NaN without any."""
    start: float
    """The same before the first step."""
    curve: tuple[Mapping[str, float], ...]
    """What was logged: step, loss, eval_nDCG@10, learning_rate."""
    memory: int
    """Highest resident memory of the process in bytes."""


def tune(
    model: Model,
    tasks: Sequence[Task],
    settings: LearnSettings,
    *,
    folder: Path,
    work: Path,
    pool: Pool | None = None,
    seconds: float = math.inf,
    tick: Tick | None = None,
) -> Tuned:
    """Train `model` on `tasks` and write the best state into `folder`.

    A run that was killed goes on from its last checkpoint in `work` when it is called again with the same arguments:
    how many steps there are is written down before the first, and what a step looks at depends on its number alone.

    Args:
        model: where it starts.
        tasks: pairs and objectives; the first is what `settings.epochs` counts.
        settings: see there.
        folder: a new folder for the model.
        work: a folder for checkpoints and logs.
        pool: validation queries; None keeps the last state.
        seconds: most time it may take.
        tick: told step, steps in all, and the last figures.

    Raises:
        DataError: no pair to learn from.
        ModelError: weights became NaN.
    """
    started = time.monotonic()
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    transformers.set_seed(settings.seed)
    frozen = settings.frozen_layers if settings.train == "frozen" else 0
    words = settings.words and settings.train == "full"
    tower = build(model, length=settings.length, frozen=frozen, words=words, dropout=settings.dropout)
    passages = settings.batch * settings.passages
    with _quiet(), Memory(work) as memory:
        tower.memory = memory if frozen else None
        start = pool(tower) if pool is not None else math.nan
        left = seconds - (time.monotonic() - started)
        steps = _steps(tower, tasks, settings, work=work, passages=passages, seconds=left)
        fold = attach(tower, settings, steps=steps)
        trained, parameters = count(tower)
        tuner = _tuner(tower, Steps(tasks, steps=steps, passages=passages, seed=settings.seed), settings, work, pool)
        if math.isfinite(seconds):
            tuner.add_callback(Budget(max(1.0, SHARE * seconds - (time.monotonic() - started))))
        if tick is not None:
            tuner.add_callback(Progress(tick))
        tuner.train(resume_from_checkpoint=_checkpoint(work))
        fold()
    curve = tuple(tuner.state.log_history)
    best = max((float(line["eval_nDCG@10"]) for line in curve if "eval_nDCG@10" in line), default=math.nan)
    if pool is not None and not best > start:
        tower = build(model, length=settings.length)  # nothing was gained: the start is the best state there is
    tower.save(folder)
    done = tuner.state.global_step
    return Tuned(done, time.monotonic() - started, trained, parameters, best, start, curve, _peak())


def _steps(
    tower: Tower, tasks: Sequence[Task], settings: LearnSettings, *, work: Path, passages: int, seconds: float
) -> int:
    """Steps of the whole run: as set, or as many epochs as fit into the time, written down for a run that goes on."""
    path = work / "plan.json"
    if path.exists():
        return int(json.loads(path.read_text("utf-8"))["steps"])
    wanted = settings.steps or math.ceil(settings.epochs * epoch(tasks, passages))
    if math.isfinite(seconds):
        each = _seconds_a_step(tower, tasks, settings, passages)
        wanted = max(1, min(wanted, int(SHARE * seconds / each / settings.accumulate)))
    write_json(path, {"steps": wanted, "settings": dataclasses.asdict(settings)})
    return wanted


def _seconds_a_step(tower: Tower, tasks: Sequence[Task], settings: LearnSettings, passages: int) -> float:
    plans = Steps(tasks, steps=PROBE, passages=passages, seed=settings.seed)
    taken = []
    for number in range(PROBE):
        before = time.monotonic()
        plan = plans[number]
        asked = vectors(tower, tower, plan.queries, "query", settings.tokens)
        found = vectors(tower, tower, plan.passages, "passage", settings.tokens)
        loss_of(plan, asked, found, settings.temperature, settings.margin).backward()  # type: ignore[no-untyped-call]
        tower.zero_grad(set_to_none=True)
        taken.append(time.monotonic() - before)
    return max(1e-3, sum(taken[1:]) / (PROBE - 1))


def _tuner(tower: Tower, data: Steps, settings: LearnSettings, work: Path, pool: Pool | None) -> Tuner:
    every = max(1, len(data) // settings.accumulate // settings.evaluations)
    fast = settings.train in ("lora", "adalora", "adapter")
    precision = _precision(settings.precision)
    judged: dict[str, Any] = {
        "eval_strategy": "steps",
        "eval_steps": every,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_nDCG@10",
        "greater_is_better": True,
    }
    arguments = transformers.TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=1,  # a step's texts are one item
        max_steps=max(1, len(data) // settings.accumulate),
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.lr * (10 if fast else 1),
        lr_scheduler_type=settings.schedule if settings.schedule != "constant" else "constant_with_warmup",
        warmup_steps=settings.warmup,
        optim={"adamw": "adamw_torch", "adafactor": "adafactor"}[settings.optimizer],
        weight_decay=settings.weight_decay,
        bf16=precision == "bfloat16",
        fp16=precision == "float16",
        logging_steps=max(1, len(data) // settings.accumulate // 100),
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        report_to=[name for name in settings.track if name != "jsonl"],
        run_name=work.name,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        label_names=[],
        seed=settings.seed,
        use_cpu=not torch.cuda.is_available(),
        **(judged if pool is not None else {}),
    )
    callbacks: list[Any] = [Lines(work / "log.jsonl")] if "jsonl" in settings.track else []
    if pool is not None:
        callbacks.append(transformers.EarlyStoppingCallback(early_stopping_patience=settings.patience))
    tuner = Tuner(
        model=tower,
        args=arguments,
        train_dataset=data,
        eval_dataset=data if pool is not None else None,
        callbacks=callbacks,
        temperature=settings.temperature,
        margin=settings.margin,
        tokens=settings.tokens,
        judge=pool,
    )
    tuner.remove_callback(transformers.PrinterCallback)
    return tuner


def _precision(name: str) -> str:
    if name != "auto":
        return name
    return "bfloat16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "float32"


def _checkpoint(work: Path) -> str | None:
    """The last whole checkpoint: the trainer writes its state file last."""
    found = [path for path in work.glob("checkpoint-*") if (path / "trainer_state.json").is_file()]
    return str(max(found, key=lambda path: int(path.name.rpartition("-")[2]))) if found else None


def _peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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
