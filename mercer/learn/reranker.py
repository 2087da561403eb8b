"""Graded pairs and a model to start from in; a cross-encoder that says how right a pair is, with its scale, out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import transformers
from numpy.typing import NDArray

from mercer.encode.head import Head, Kind, head_of
from mercer.encode.model import Model
from mercer.errors import DataError, SettingsError
from mercer.learn import ranks
from mercer.learn.cross import Cross, cross
from mercer.learn.headed import Course, train
from mercer.learn.lists import PairLists
from mercer.learn.pool import Pool
from mercer.learn.run import Tick, Tuned
from mercer.learn.settings import LearnSettings
from mercer.learn.share import share_pairs
from mercer.learn.step import Steps, Task, epoch
from mercer.learn.track import keep_tracks
from mercer.measure.metric import parse_all
from mercer.shop import disk_errors

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RerankerSettings", "tune_reranker"]

OBJECTIVES = ("relevance", "listwise", "classes", "rating")
CENTRED_ON = 64
"""Training pairs that a new head is centred on."""
SCALED_ON = 2000
"""Training pairs that the scale is fitted on where there are no validation queries."""


@dataclass(frozen=True, slots=True)
class RerankerSettings:
    """Section ``[learn.reranker]``: what differs from ``[learn]`` when a cross-encoder is trained."""

    objective: tuple[str, ...] = ("relevance", "listwise")
    """relevance, listwise or both added up; classes alone (grades are classes), or rating alone."""
    pooling: Literal["model", "mean", "cls"] = "model"
    """What of the states the head reads; model is what the encoder was pooled by."""
    match: float = 10.0
    """Times the likeness of both texts' mean states that is added from the start; 0 begins at nothing."""
    lr: float = 5e-5
    """Highest learning rate of the body."""
    epochs: float = 4.0
    """How often each query with labels is seen."""
    batch: int = 4
    """Queries in a step."""
    passages: int = 8
    """Passages of one query in a step; passages of the step's other queries fill up short lists as wrong ones."""
    length: int = 128
    """Most word pieces of query and passage together, in training and in serving."""

    def __post_init__(self) -> None:
        names = set(self.objective)
        if not names or names - set(OBJECTIVES) or (len(names) > 1 and names - {"relevance", "listwise"}):
            cure = "give relevance, listwise, both, classes or rating"
            raise SettingsError(f"[learn.reranker] objective is {', '.join(self.objective) or 'empty'}", cure=cure)
        if self.pooling not in ("model", "mean", "cls"):
            raise SettingsError(f"[learn.reranker] pooling is {self.pooling!r}", cure="give model, mean or cls")
        if not 0 <= self.match <= 100:
            raise SettingsError(f"[learn.reranker] match is {self.match}", cure="give a number between 0 and 100")
        self.over(LearnSettings())

    def over(self, settings: LearnSettings) -> LearnSettings:
        """`settings` with what is set here in place of what is set there.

        Raises:
            SettingsError: a number out of its range.
        """
        names = ("lr", "epochs", "batch", "passages", "length")
        return dataclasses.replace(settings, **{name: getattr(self, name) for name in names})


DEFAULTS = RerankerSettings()


def tune_reranker(
    model: Model,
    pairs: pa.Table,
    settings: LearnSettings,
    own: RerankerSettings = DEFAULTS,
    *,
    folder: Path,
    work: Path,
    invented: pa.Table | None = None,
    pool: Pool | None = None,
    seconds: float = math.inf,
    tick: Tick | None = None,
) -> Tuned:
    """Train a cross-encoder and write its best state, with its scale, into `folder`.

    A run that was killed goes on from its last checkpoint in `work` when it is called again with the same arguments.

    Args:
        model: an encoder, or a reranker that is trained further.
        pairs: of `pairs.schema()`: graded ones, with hard negatives (`mercer.learn.hard`).
        settings: what `own` leaves open: what of it is trained, schedule, patience, seed and so on.
        own: what is told of cross-encoders alone.
        folder: a new folder for the model; `mercer.rank.reranker.open_reranker` opens it.
        work: a folder for checkpoints and logs.
        invented: pairs that nobody judged, which `settings.catalogue_share` of the steps look at.
        pool: validation queries and the passages that are ranked for them; None keeps the last state.
        seconds: most time it may take.
        tick: told step, steps in all, and the last figures.

    Raises:
        DataError: no pair to learn from, or classes are asked for where all gains are the same.
        ModelError: weights became NaN.
    """
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    share_pairs(model, pairs, invented, settings, own, work=work, judged=pool is not None, seconds=seconds)
    how = own.over(settings)
    transformers.set_seed(how.seed)
    tasks = [Task("pairs", pairs, own.objective, 1.0, how.passages)]
    if invented is not None and how.catalogue_share:
        share = how.catalogue_share
        tasks = [dataclasses.replace(tasks[0], share=max(1 - share, 1e-6))]
        tasks.append(Task("invented", invented, own.objective, share, how.passages))
    grades = sorted({round(gain, 6) for task in tasks for gain in task.pairs["gain"].to_pylist()} | {0.0})
    head = _head(model, own, grades)
    frozen = how.frozen_layers if how.train == "frozen" else 0
    trained = cross(model, head, frozen=frozen, words=how.words and how.train == "full", dropout=how.dropout)
    passages = how.batch * how.passages
    known = tuple(grades) if head.kind == "classes" else ()

    def lists(steps: int) -> PairLists:
        dealt = Steps(tasks, steps=steps, passages=passages, seed=how.seed)
        return PairLists(dealt, passages=how.passages, grades=known)

    if head.match:
        _centre(trained, pairs, how.seed)
    course = Course(
        own.objective,
        lists,
        math.ceil(how.epochs * epoch(tasks, passages)),
        metric="nDCG@10" if pool is not None else "",
        judge=None if pool is None else lambda state: ranks.agreed(lambda: ndcg(state, pool)),
    )
    tuned = train(trained, course, how, work=work, seconds=seconds, tick=tick)
    if ranks.first():
        trained.save(folder, _scaled(trained, pool, pairs, how.seed))
        keep_tracks(work, folder)
    return tuned


def _head(model: Model, own: RerankerSettings, grades: Sequence[float]) -> Head:
    pooling = model.pooling if own.pooling == "model" else own.pooling
    kind: Kind = "classes" if "classes" in own.objective else "rating" if "rating" in own.objective else "relevance"
    named: dict[str, Any] = {"kind": kind, "pooling": pooling, "length": min(own.length, model.positions)}
    if kind == "classes":
        if len(grades) < 2:
            raise DataError("all pairs have gain 0: there are no classes", cure="judge some products as right")
        named |= {"labels": tuple(f"{grade:g}" for grade in grades), "gains": tuple(grades)}
    head = Head(**named, match=0.0 if kind == "classes" else own.match)
    told = head_of(model) if "head" in (model.config.get("mercer") or {}) else head
    same = (told.kind, told.outputs) == (head.kind, head.outputs)  # its weights fit what it read
    return dataclasses.replace(head, pooling=told.pooling, match=told.match) if same else head


def _centre(state: Cross, pairs: pa.Table, seed: int) -> None:
    """Let a new head begin at the mean gain; without, the first steps would go into that."""
    rows = np.random.default_rng(seed).permutation(len(pairs))[:CENTRED_ON]
    first, second, gains = (pairs.take(rows)[name].to_pylist() for name in ("query", "text", "gain"))
    if gains:
        mean = min(max(float(np.mean(gains)), 0.01), 0.99)
        state.centre(first, second, mean if state.said.kind == "rating" else math.log(mean / (1 - mean)))


def ndcg(state: Cross, pool: Pool) -> float:
    """Mean nDCG@10 of the pool's candidates in the order of a state's numbers; equals by id."""
    (metric,) = parse_all(["nDCG@10"])
    places = [(query, product) for query, found in pool.candidates.items() for product in sorted(found)]
    first = [pool.queries[query] for query, _ in places]
    said = state.said.relevance(state.judge(first, [pool.texts[product] for _, product in places]))
    runs: dict[str, list[tuple[float, str]]] = {query: [] for query in pool.queries}
    for (query, product), number in zip(places, said.tolist(), strict=True):
        runs[query].append((-number, product))
    ordered = {query: [product for _, product in sorted(found)] for query, found in runs.items()}
    return float(np.mean(list(metric(ordered, dict(pool.truth)).values())))


def _scaled(state: Cross, pool: Pool | None, pairs: pa.Table, seed: int) -> Head:
    """The head with the scale that makes its numbers probabilities (Platt 1999): of what it was not trained on.

    All candidates count, those that nobody judged as wrong: of judged products alone most may be right, and then what
    tells them from the others of a catalogue has no slope, and the first stage's scores drown it.
    """
    head = state.said
    if head.kind != "relevance":
        return head
    if pool is not None:
        read = [(query, product) for query, found in pool.candidates.items() for product in found]
        first = [pool.queries[query] for query, _ in read]
        second = [pool.texts[product] for _, product in read]
        gains = [pool.truth[query].get(product, 0.0) for query, product in read]
    else:
        rows = np.random.default_rng(seed).permutation(len(pairs))[:SCALED_ON]
        first, second, gains = (pairs.take(rows)[name].to_pylist() for name in ("query", "text", "gain"))
    scale, shift = platt(state.judge(first, second)[:, 0], np.asarray(gains, np.float64))
    return dataclasses.replace(head, scale=scale, shift=shift)


def platt(outputs: NDArray[np.float32], gains: NDArray[np.float64]) -> tuple[float, float]:
    """Scale above 0 and shift with the least cross-entropy of ``1 / (1 + exp(-(scale * output + shift)))`` with gains.

    One pair of each end is added to them, as Platt did, so that neither runs off where all are told apart.
    """
    from scipy.optimize import minimize

    ends = np.array([outputs.min(), outputs.max()]) if len(outputs) else np.zeros(2)
    said = np.concatenate([outputs.astype(np.float64), ends])
    wanted = np.concatenate([gains, [1.0, 0.0]])  # the ends the wrong way round

    def cost(both: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = both[0] * said + both[1]
        apart = 1 / (1 + np.exp(-np.clip(odds, -500, 500))) - wanted
        return float((np.logaddexp(0, odds) - wanted * odds).mean()), np.array([(apart * said).mean(), apart.mean()])

    found = minimize(cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(1e-3, 1e3), (-30, 30)])
    return float(found.x[0]), float(found.x[1])
