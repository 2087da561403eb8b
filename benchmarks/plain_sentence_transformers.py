"""The pairs that Mercer learns from in; the same model tuned by sentence-transformers, as its documentation shows, out.

What somebody without Mercer would write: `SentenceTransformerTrainer` with `MultipleNegativesRankingLoss` (right
answers against the other ones of the batch and a wrong one each), all weights, AdamW, 2e-5, a tenth of warm-up, in
float32 on a CPU. Mercer's pairs, mined wrong answers and invented queries are handed to it ready-made, in the same
shares and for the same number of texts. Needs `pip install datasets`.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.encode.encoder import Encoder
from mercer.encode.model import Model
from mercer.learn.encoder import found_by, tasks_of
from mercer.learn.gather import Gathered
from mercer.learn.pairs import gains_of
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Task, epoch
from mercer.retrieve.text import passage
from mercer.shop import Shop

if TYPE_CHECKING:
    import datasets

__all__ = ["fine_tune"]

LR, WARMUP = 2e-5, 0.1


def fine_tune(
    shop: Shop, gathered: Gathered, base: Model, encoder: Encoder, learning: LearnSettings, folder: Path
) -> int:
    """Write a tuned model folder that `mercer.encode.load` opens; the steps taken come back."""
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer import losses, modules
    from sentence_transformers.training_args import BatchSamplers, MultiDatasetBatchSamplers

    texts = {id: passage(product) for id, product in gathered.products.items()}
    tasks = tasks_of(gathered, found_by(shop, encoder, gathered, texts), texts, learning)
    texts_a_step = learning.batch * learning.passages
    steps = learning.steps or math.ceil(learning.epochs * epoch(tasks, texts_a_step))
    rows = texts_a_step // 2  # a right and a wrong answer each
    sets = {task.name: _rows(task, base, round(steps * rows * task.share), learning.seed) for task in tasks}
    work = folder.parent / f"{folder.name}-work"
    body = modules.Transformer(str(base.folder), max_seq_length=learning.length)
    model = SentenceTransformer(modules=[body, modules.Pooling(base.config["hidden_size"]), modules.Normalize()])
    loss = losses.MultipleNegativesRankingLoss(model)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(work),
        num_train_epochs=1,
        per_device_train_batch_size=rows,
        learning_rate=LR,
        warmup_ratio=WARMUP,
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        multi_dataset_batch_sampler=MultiDatasetBatchSamplers.PROPORTIONAL,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=learning.seed,
        use_cpu=True,
    )
    trainer = SentenceTransformerTrainer(
        model=model, args=arguments, train_dataset=sets, loss=dict.fromkeys(sets, loss)
    )
    trainer.train()
    model.save(str(folder))
    _as_mercer_reads(folder, base)
    shutil.rmtree(work, ignore_errors=True)
    return int(trainer.state.global_step)


def _rows(task: Task, base: Model, number: int, seed: int) -> datasets.Dataset:
    """As many rows as the task's share of steps: query, right answer and, where one is known, a wrong one."""
    from datasets import Dataset

    rng = np.random.default_rng(seed)
    text = dict(zip(task.pairs["product"].to_pylist(), task.pairs["text"].to_pylist(), strict=True))
    known = gains_of(task.pairs)
    invented = len(text) and task.a_query == 1
    if invented:
        columns = task.pairs.select(["query", "text"]).to_pydict()
        rows: list[tuple[str, ...]] = list(zip(columns["query"], columns["text"], strict=True))
    else:
        rows = []
        for query, gains in known.items():
            top = max(gains.values())
            right = [id for id, gain in gains.items() if gain == top]
            wrong = [id for id, gain in gains.items() if gain < top / 2]
            if wrong:
                rows += [(query, text[id], text[wrong[int(rng.integers(len(wrong)))]]) for id in right]
    order: Sequence[int] = np.concatenate([rng.permutation(len(rows)) for _ in range(number // len(rows) + 1)])[:number]
    asked, found = base.prefixes.get("query", ""), base.prefixes.get("passage", "")
    names = ("anchor", "positive", "negative")
    told: dict[str, list[str]] = {name: [] for name in names[: len(rows[0])]}
    for at in order:
        for name, prefix, value in zip(names, (asked, found, found), rows[at], strict=False):
            told[name].append(prefix + value)
    return Dataset.from_dict(told)


def _as_mercer_reads(folder: Path, base: Model) -> None:
    """The prefixes go with the folder."""
    path = folder / "config_sentence_transformers.json"
    said: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**said, "prompts": dict(base.prefixes)}), "utf-8")
