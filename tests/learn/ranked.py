"""Run beside itself by torchrun, or alone: what the gradients of the first steps are, and how a short run ends."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).parent))

from test_tune import FAST, pairs, task

from mercer.encode.model import read
from mercer.learn import ranks
from mercer.learn.pool import Pool
from mercer.learn.run import arguments
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Steps
from mercer.learn.tower import build
from mercer.learn.tune import tune
from mercer.learn.tuner import Tuner

SETTINGS = dataclasses.replace(FAST, precision="float32", accumulate=1 if ranks.world() > 1 else 2)


class Keep(transformers.TrainerCallback):
    """Keeps the gradients that the first change of weights would go by."""

    found: dict[str, torch.Tensor]

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        self.found = {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}


def gradients(bert: Path, work: Path, *, tokens: int) -> dict[str, np.ndarray]:
    tower, kept = build(read(bert), length=16, dropout=0.0), Keep()
    told = arguments(SETTINGS, work=work, steps=2, metric="")
    told.max_grad_norm = 0.0
    steps = Steps([task()], steps=2, passages=12, seed=1)
    tuner = Tuner(model=tower, args=told, train_dataset=steps, temperature=0.05, margin=10.0, tokens=tokens, judge=None)
    tuner.add_callback(kept)
    tuner.train()
    assert tuner.state.global_step == 1
    return {name: value.numpy() for name, value in kept.found.items()}


def pool() -> Pool:
    table = pairs()
    ids = table["product"].to_pylist()
    texts, queries = (dict(zip(ids, table[name].to_pylist(), strict=True)) for name in ("text", "query"))
    return Pool(queries, {id: {id: 1.0} for id in queries}, {id: list(texts) for id in queries}, texts)


def trained(bert: Path, folder: Path, settings: LearnSettings) -> dict[str, Any]:
    """A short run; the last thing every process does is to say what its weights are."""
    weights: list[str] = []

    class Last(Tuner):
        def train(self, *given: Any, **named: Any) -> Any:
            done = super().train(*given, **named)
            state = torch.cat([value.detach().flatten() for value in self.model.parameters()]).numpy()
            weights.append(hashlib.sha256(state.tobytes()).hexdigest())
            return done

    import mercer.learn.tune as tuning

    tuning.Tuner = Last  # type: ignore[misc]
    done = tune(read(bert), [task()], settings, folder=folder / "model", work=folder / "work", pool=pool())
    losses = [line["loss"] for line in done.curve if "loss" in line]
    return {"steps": done.steps, "start": done.start, "best": done.best, "weights": weights[0], "losses": losses}


if __name__ == "__main__":
    bert, folder, wish = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    rank = 0 if ranks.first() else 1
    if wish == "gradients":
        for name, tokens in (("whole", 10**6), ("cached", 24)):
            np.savez(
                folder / f"{name}-{ranks.world()}-{rank}.npz", **gradients(bert, folder / f"{name}", tokens=tokens)
            )
    settings = dataclasses.replace(SETTINGS, steps=60)
    (folder / f"run-{ranks.world()}-{rank}.json").write_text(json.dumps(trained(bert, folder, settings)))
