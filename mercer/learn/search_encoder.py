"""A shop's pairs and an encoder in; what a short training with other settings reaches on validation queries out."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from mercer.encode.encoder import Encoder
from mercer.encode.model import Model
from mercer.errors import DataError
from mercer.learn.encoder import DEPTH, JUDGED_BY, found_by, tasks_of
from mercer.learn.gather import Gathered
from mercer.learn.mine import pool_of
from mercer.learn.pool import Pool
from mercer.learn.precision import precision_of
from mercer.learn.search_rate import RateFound, RateSettings, find_rate
from mercer.learn.search_study import Report
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Steps
from mercer.learn.tower import build
from mercer.learn.tune import tune
from mercer.learn.tuner import loss_of, vectors
from mercer.retrieve.text import passage
from mercer.shop import Shop

__all__ = ["Trials"]


class Trials:
    """What is worked out once for all trials: texts, what the base finds, mined pairs and validation queries."""

    def __init__(self, shop: Shop, gathered: Gathered, base: Model, encoder: Encoder, settings: LearnSettings) -> None:
        """`settings` are those that trials change.

        Raises:
            DataError: no validation query has a label to choose by.
        """
        self._base, self._settings, self._gathered, self._shop = base, settings, gathered, shop
        self._texts = {id: passage(product) for id, product in gathered.products.items()}
        self._found = found_by(shop, encoder, gathered, self._texts)
        chosen = pool_of(gathered.parts["valid"], self._found, queries=JUDGED_BY, depth=DEPTH, seed=settings.seed)
        if not chosen:
            raise DataError("no validation query to choose settings by", cure="give judgments or events")
        candidates = {query: list(known["candidates"]) for query, known in chosen.items()}
        shown = {product: self._texts[product] for products in candidates.values() for product in products}
        truth = {query: known["truth"] for query, known in chosen.items()}
        self._pool = Pool({query: query for query in chosen}, truth, candidates, shown)

    def __call__(self, chosen: Mapping[str, Any], report: Report, *, seconds: float = float("inf")) -> float:
        """nDCG@10 on the validation queries after training with these settings; the model is thrown away.

        Raises:
            ModelError: training broke.
        """
        settings = dataclasses.replace(self._settings, **chosen, track=())
        tasks = tasks_of(self._gathered, self._found, self._texts, settings)
        told = -1

        def tick(step: int, _: int, said: Mapping[str, float]) -> None:
            nonlocal told
            if "eval_nDCG@10" in said and step > told:
                told = step
                report(step, float(said["eval_nDCG@10"]))

        with tempfile.TemporaryDirectory(dir=_made(self._shop.store / "work")) as scratch:
            folder, work = Path(scratch) / "model", Path(scratch) / "work"
            tuned = tune(
                self._base, tasks, settings, folder=folder, work=work, pool=self._pool, seconds=seconds, tick=tick
            )
        return max(tuned.best, tuned.start)

    def rate(self, settings: RateSettings | None = None) -> RateFound:
        """The learning rate at which the first steps of the first task learn fastest.

        Raises:
            DataError: the loss fell at no rate.
        """
        given = self._settings
        torch.manual_seed(given.seed)
        frozen = given.frozen_layers if given.train == "frozen" else 0
        tower = build(self._base, length=given.length, frozen=frozen, dropout=given.dropout)
        tower.precision = precision_of(given.precision)
        tasks = tasks_of(self._gathered, self._found, self._texts, given)
        chosen = settings or RateSettings()
        steps = Steps(tasks, steps=chosen.steps, passages=given.batch, seed=given.seed)
        return find_rate(tower, self._loss(tower, steps), cast=tower.cast, settings=chosen)

    def _loss(self, tower: Any, steps: Steps) -> Callable[[int], torch.Tensor]:
        given = self._settings

        def loss(step: int) -> torch.Tensor:
            plan = steps[step]
            asked = vectors(tower, tower, plan.queries, "query", given.tokens)
            found = vectors(tower, tower, plan.passages, "passage", given.tokens)
            return loss_of(plan, asked, found, given.temperature, given.margin)

        return loss


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
