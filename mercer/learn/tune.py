"""A model folder, tasks and settings in; a better model folder, and what happened on the way, out."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import transformers

from mercer.encode.model import Model
from mercer.learn import ranks
from mercer.learn.augment import Augment
from mercer.learn.augmented import Augmented
from mercer.learn.blend import Blend
from mercer.learn.memory import Memory
from mercer.learn.part import attach, count
from mercer.learn.pool import Pool
from mercer.learn.precision import device, precision_of
from mercer.learn.run import SHARE, Tick, Tuned, arguments, last_checkpoint, peak, planned, quiet, watch
from mercer.learn.settings import LearnSettings
from mercer.learn.share import share_tasks
from mercer.learn.soup import Soup
from mercer.learn.step import Steps, Task, epoch
from mercer.learn.tower import Tower, build
from mercer.learn.track import keep_tracks
from mercer.learn.tuner import Beside, Tuner, pieces_in, vectors
from mercer.shop import disk_errors

__all__ = ["Tick", "Tuned", "tune"]

CACHED = 4 / 3
"""How much longer a step takes whose gradients are cached."""
PROBE = 3
"""Steps that are run to see how long one takes; the first warms up and is not counted."""


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
    augment: Augment | None = None,
    beside: Callable[[Tower], Sequence[Beside]] | None = None,
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
        augment: types queries otherwise where ``[learn.augment]`` says so; one without synonyms where there is none.
        beside: makes losses that are added to each step's own, given the tower before it changes.

    Raises:
        DataError: no pair to learn from.
        ModelError: weights became NaN.
    """
    started = time.monotonic()
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    share_tasks(model, tasks, settings, work=work, judged=pool is not None, seconds=seconds)
    transformers.set_seed(settings.seed)
    frozen = settings.frozen_layers if settings.train == "frozen" else 0
    words = settings.words and settings.train == "full"
    tower = build(model, length=settings.length, frozen=frozen, words=words, dropout=settings.dropout)
    tower.to(device())  # before a step is timed
    tower.precision = precision_of(settings.precision)
    passages = settings.batch * settings.passages
    judge = None if pool is None else lambda state: ranks.agreed(lambda: pool(state))
    with quiet(), Memory(work) as memory:
        tower.memory = memory if frozen else None
        start = judge(tower) if judge is not None else math.nan
        left = seconds - (time.monotonic() - started)
        plan = functools.partial(
            planned,
            settings,
            work=work,
            wanted=lambda: math.ceil(settings.epochs * epoch(tasks, passages)),
            each=lambda: _seconds_a_step(tower, tasks, settings, passages) / ranks.world(),
            seconds=left,
        )
        steps = int(ranks.agreed(plan))
        before = Blend(tower) if settings.blend and judge is not None else None
        fold = attach(tower, settings, steps=steps)
        trained, parameters = count(tower)
        soup = Soup(judge, settings.soup.checkpoints) if judge is not None else None
        data = _steps(tasks, settings, augment, steps, passages)
        tuner = Tuner(
            model=tower,
            args=arguments(settings, work=work, steps=steps, metric="nDCG@10" if pool is not None else ""),
            train_dataset=data,
            eval_dataset=data if pool is not None else None,
            temperature=settings.temperature,
            margin=settings.margin,
            tokens=settings.tokens,
            judge=soup,
            epsilon=settings.adversarial.epsilon,
            beside=beside(tower) if beside is not None else (),
        )
        left = SHARE * seconds - (time.monotonic() - started)
        watch(tuner, settings, work=work, judged=pool is not None, seconds=left, tick=tick)
        tuner.train(resume_from_checkpoint=last_checkpoint(work))
        fold()
        reached = _best(tuner.state.log_history)
        reached = reached if soup is None else soup.best(tower, reached=reached)
        share, best = (1.0, reached) if before is None or judge is None else before.best(tower, judge, reached=reached)
    curve = tuple(tuner.state.log_history)
    if pool is not None and not best > start:
        tower = build(model, length=settings.length)  # nothing was gained: the start is the best state there is
    if ranks.first():
        tower.save(folder)
        keep_tracks(work, folder)
    done = tuner.state.global_step
    return Tuned(done, time.monotonic() - started, trained, parameters, best, start, curve, peak(), share)


def _steps(
    tasks: Sequence[Task], settings: LearnSettings, augment: Augment | None, steps: int, passages: int
) -> Steps | Augmented:
    """What is looked at, some queries typed otherwise where that is set."""
    plain, how = Steps(tasks, steps=steps, passages=passages, seed=settings.seed), settings.augment
    if not how.share:
        return plain
    return Augmented(plain, augment or Augment(how.ways), share=how.share, seed=settings.seed)


def _best(curve: Sequence[Mapping[str, float]]) -> float:
    return max((float(line["eval_nDCG@10"]) for line in curve if "eval_nDCG@10" in line), default=math.nan)


def _seconds_a_step(tower: Tower, tasks: Sequence[Task], settings: LearnSettings, passages: int) -> float:
    """Measured on as many texts of a step as are kept at once, so that looking takes no more memory than training."""
    plans = Steps(tasks, steps=PROBE, passages=passages, seed=settings.seed)
    taken = []
    for number in range(PROBE):
        plan = plans[number]
        whole = pieces_in(tower, plan)
        longest = max(map(len, tower.tokens(plan.passages, "passage")))
        texts = plan.passages[: max(1, settings.tokens // longest)]
        before = time.monotonic()
        with tower.cast():
            answer = vectors(tower, tower, texts, "passage", settings.tokens).sum()
        answer.backward()  # type: ignore[no-untyped-call]
        tower.zero_grad(set_to_none=True)
        part = sum(map(len, tower.tokens(texts, "passage")))
        taken.append((time.monotonic() - before) * whole / part * (CACHED if whole > settings.tokens else 1))
    return max(1e-3, sum(taken[1:]) / (PROBE - 1))
