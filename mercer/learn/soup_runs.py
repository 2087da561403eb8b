"""Settings with several runs, and what one run is trained on, in; the runs as one model out."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.encode.model import Model, read
from mercer.errors import UsageError
from mercer.learn import ranks
from mercer.learn.augment import Augment
from mercer.learn.pool import Pool
from mercer.learn.precision import device, precision_of
from mercer.learn.run import Tick, Tuned
from mercer.learn.settings import LearnSettings
from mercer.learn.soup import greedy
from mercer.learn.step import Task
from mercer.learn.tower import Tower, build
from mercer.learn.tune import tune

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ensembled", "tune_runs"]


def tune_runs(
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
) -> Tuned:
    """As `tune`, with ``[learn.soup] runs`` seeds: the mean of their weights, or a run that they teach together.

    Raises:
        UsageError: several runs, and no validation query that says which mix is best, or several processes.
        DataError, ModelError: see `tune`.
    """
    number = settings.soup.runs
    told: dict[str, Any] = {"pool": pool, "tick": tick, "augment": augment}
    if number == 1:
        return tune(model, tasks, settings, folder=folder, work=work, seconds=seconds, **told)
    if pool is None or ranks.world() > 1:
        cure = "set runs = 1, train in one process, or judge some queries"
        raise UsageError("[learn.soup] runs needs validation queries and one process", cure=cure)
    distil = settings.soup.together == "distil"
    each = seconds / (number + distil)
    done, folders = [], []
    for run in range(number):
        own = dataclasses.replace(settings, seed=settings.seed + run)
        place, made = work / f"run-{run}", work / f"made-{run}"
        shutil.rmtree(made, ignore_errors=True)  # a killed run of before may have left it half done
        done.append(tune(model, tasks, own, folder=made, work=place, seconds=each, **told))
        folders.append(made)
    towers = [_tower(read(made), settings) for made in folders]
    if distil:
        pairs = ensembled(tasks[0].pairs, towers, settings.temperature)
        taught = dataclasses.replace(tasks[0], pairs=pairs, objectives=(*tasks[0].objectives, "distil"))
        last = tune(model, [taught, *tasks[1:]], settings, folder=folder, work=work / "taught", seconds=each, **told)
        return dataclasses.replace(last, seconds=last.seconds + sum(one.seconds for one in done))
    order = sorted(range(number), key=lambda run: -done[run].best)
    states = [{name: value.detach().clone() for name, value in towers[run].above.state_dict().items()} for run in order]
    best, mixed = greedy(towers[0], states, pool, reached=done[order[0]].best)
    towers[0].above.load_state_dict(dict(mixed))
    towers[0].save(folder)
    first = done[order[0]]
    return dataclasses.replace(first, best=best, seconds=sum(one.seconds for one in done))


def ensembled(pairs: pa.Table, towers: Sequence[Tower], temperature: float) -> pa.Table:
    """`pairs` with a column ``teacher``: the mean of the towers' cosines, divided by the temperature as a student's."""
    import pyarrow as pa

    queries, texts = pairs["query"].to_pylist(), pairs["text"].to_pylist()
    asked, found = list(dict.fromkeys(queries)), list(dict.fromkeys(texts))
    rows, columns = _places(asked, queries), _places(found, texts)
    total = np.zeros(len(queries), np.float64)
    for tower in towers:
        left, right = tower.encode(asked, "query"), tower.encode(found, "passage")
        total += (left[rows] * right[columns]).sum(1)
    said = (total / len(towers) / temperature).astype(np.float32)
    kept = pairs.drop_columns(["teacher"]) if "teacher" in pairs.column_names else pairs
    return kept.append_column("teacher", pa.array(said, pa.float32()))


def _places(known: Sequence[str], wanted: Sequence[str]) -> list[int]:
    place = {text: at for at, text in enumerate(known)}
    return [place[text] for text in wanted]


def _tower(model: Model, settings: LearnSettings) -> Tower:
    tower = build(model, length=settings.length)
    tower.to(device())
    tower.precision = precision_of(settings.precision)
    return tower
