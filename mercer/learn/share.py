"""A training job of the first process in; files in its work folder that the others read, and their part in it, out."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.encode.model import Model, read
from mercer.learn import ranks
from mercer.learn.pool import Pool
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Task
from mercer.shop import disk_errors

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.learn.reranker import RerankerSettings

__all__ = ["share_pairs", "share_tasks", "take_part"]

UNASKED = Pool({}, {}, {}, {})
"""Stands for the validation queries, which the first process alone ranks."""


def share_tasks(
    model: Model, tasks: Sequence[Task], settings: LearnSettings, *, work: Path, judged: bool, seconds: float
) -> None:
    """Let the other processes, if there are any, take part in `tune`."""
    if ranks.world() == 1:
        return
    for number, task in enumerate(tasks):
        _write(work / f"task-{number}.arrow", task.pairs)
    told = [{field: getattr(task, field) for field in ("name", "objectives", "share", "a_query")} for task in tasks]
    ranks.hand({"tasks": told, **_common(model, settings, work, judged, seconds)})


def share_pairs(
    model: Model,
    pairs: pa.Table,
    invented: pa.Table | None,
    settings: LearnSettings,
    own: RerankerSettings,
    *,
    work: Path,
    judged: bool,
    seconds: float,
) -> None:
    """Let the other processes, if there are any, take part in `tune_reranker`."""
    if ranks.world() == 1:
        return
    tables = {"pairs": pairs} if invented is None else {"pairs": pairs, "invented": invented}
    for name, table in tables.items():
        _write(work / f"{name}.arrow", table)
    told = {"tables": list(tables), "own": dataclasses.asdict(own)}
    ranks.hand({**told, **_common(model, settings, work, judged, seconds)})


def take_part(job: Mapping[str, Any], settings: LearnSettings, own: RerankerSettings | None = None) -> None:
    """Train beside the first process; nothing is written, printed or judged here.

    Args:
        job: as it was handed over.
        settings, own: what stands in it as ``settings`` and ``own``.
    """
    model, work = read(Path(job["model"]), label=job["label"], known=job["hash"]), Path(job["work"])
    named: dict[str, Any] = {
        "folder": work,
        "work": work,
        "pool": UNASKED if job["judged"] else None,
        "seconds": math.inf if job["seconds"] is None else job["seconds"],
    }
    if own is None:
        from mercer.learn.tune import tune

        tasks = [
            Task(**{**told, "objectives": tuple(told["objectives"])}, pairs=_read(work / f"task-{number}.arrow"))
            for number, told in enumerate(job["tasks"])
        ]
        tune(model, tasks, settings, **named)
        return
    from mercer.learn.reranker import tune_reranker

    tables = {name: _read(work / f"{name}.arrow") for name in job["tables"]}
    tune_reranker(model, tables["pairs"], settings, own, invented=tables.get("invented"), **named)


def _common(model: Model, settings: LearnSettings, work: Path, judged: bool, seconds: float) -> dict[str, Any]:
    return {
        "model": str(model.folder.resolve()),
        "label": model.label,
        "hash": model.origin,
        "settings": json.loads(json.dumps(dataclasses.asdict(settings))),
        "work": str(work.resolve()),
        "judged": judged,
        "seconds": seconds if math.isfinite(seconds) else None,
    }


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow as pa

    with disk_errors(path), pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _read(path: Path) -> pa.Table:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
