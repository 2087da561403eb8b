"""A model folder with a head in; what it says of texts or pairs (a probability, classes, a rating) out."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mercer.encode.choose import EncodeSettings
from mercer.encode.encoder import batches
from mercer.encode.model import Model, read
from mercer.encode.pair import PairTokens, Pieces, padded
from mercer.encode.source import default_cache
from mercer.errors import ModelError
from mercer.shop import content_hash

__all__ = ["Head", "HeadEngine", "Judge", "Kind", "head_of", "open_judge"]

Kind = Literal["relevance", "classes", "rating"]


@dataclass(frozen=True, slots=True)
class Head:
    """What the linear layer on top of a model says; kept in config.json under ``mercer.head``."""

    kind: Kind = "relevance"
    """relevance: one number, the log-odds of being right; classes: one a class; rating: one in the rating's unit."""
    pooling: Literal["mean", "cls"] = "mean"
    """What of the states the head reads: their mean, or the first."""
    length: int = 128
    """Most word pieces of a text or pair."""
    match: float = 0.0
    """Times the cosine of the two texts' mean states that is added to the output of a pair."""
    labels: tuple[str, ...] = ()
    """Names of the classes."""
    gains: tuple[float, ...] = ()
    """Of classes that are grades of relevance: how right each is, 0 to 1."""
    low: float = 0.0
    high: float = 1.0
    """Ends of the rating's scale."""
    scale: float = 1.0
    shift: float = 0.0
    """relevance is the probability ``1 / (1 + exp(-(scale * output + shift)))`` (Platt 1999)."""

    def __post_init__(self) -> None:
        if self.kind not in ("relevance", "classes", "rating") or self.pooling not in ("mean", "cls"):
            raise ModelError(f"head {self.kind!r} over {self.pooling!r}", cure="train it with mercer learn")
        if self.kind == "classes" and len(self.labels) < 2:
            raise ModelError(f"a head of {len(self.labels)} classes", cure="give at least two")
        if self.gains and len(self.gains) != len(self.labels):
            raise ModelError(f"{len(self.labels)} classes, {len(self.gains)} gains", cure="give one gain a class")
        if not math.isfinite(self.match) or (self.match and self.kind == "classes"):
            raise ModelError(f"a head of {self.kind} with match {self.match}", cure="train it again")
        if not (self.scale > 0 and math.isfinite(self.scale) and math.isfinite(self.shift) and self.low < self.high):
            raise ModelError(f"{self} has no scale", cure="train it again")

    @property
    def outputs(self) -> int:
        """Numbers a text."""
        return len(self.labels) if self.kind == "classes" else 1

    def relevance(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """How right each pair is, 0 to 1, from (n, outputs): (n,).

        Raises:
            ModelError: classes that have no gains.
        """
        if self.kind == "relevance":
            odds = np.clip(self.scale * outputs[:, 0].astype(np.float64) + self.shift, -30, 30)
            return (1 / (1 + np.exp(-odds))).astype(np.float32)
        if self.kind == "rating":
            share: NDArray[np.float32] = (outputs[:, 0] - self.low) / np.float32(self.high - self.low)
            return share.clip(0, 1)
        if not self.gains:
            raise ModelError(f"classes {', '.join(self.labels[:3])} are no relevance", cure="ask for probabilities")
        expected: NDArray[np.float32] = np.clip(softmax(outputs) @ np.asarray(self.gains, np.float32), 0, 1)
        return expected

    def to_config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """`config` with this head written into it."""
        mine = {**config.get("mercer", {}), "head": asdict(self)}
        return {**config, "mercer": mine}


def head_of(model: Model) -> Head:
    """The head that a model folder has.

    Raises:
        ModelError: it has none, or one that this Mercer does not know.
    """
    told = (model.config.get("mercer") or {}).get("head")
    if not isinstance(told, dict):
        raise ModelError(f"{model.folder} has no head", cure="give a model that mercer learn made as a reranker")
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    try:
        return Head(**fields)
    except TypeError as error:
        raise ModelError(f"{model.folder}: head {told}: {error}", cure="train it again") from error


class HeadEngine(Protocol):
    """Body and head: word vectors (n, tokens, hidden), mask and side (n, tokens) in, (n, outputs) out."""

    name: str

    def __call__(
        self, embedded: NDArray[np.float32], mask: NDArray[np.int64], side: NDArray[np.int64]
    ) -> NDArray[np.float32]: ...


class Judge:
    """Says what its head was trained to say of texts or pairs. Safe to call from several threads.

    Engines agree within `encode.TOLERANCE`, and a text alone gives what it gives in a batch.
    """

    def __init__(self, model: Model, head: Head, engine: HeadEngine, *, batch_tokens: int) -> None:
        self.name = f"{model.label}-{content_hash(model.hash)}"
        self.head = head
        self.engine = engine.name
        self._table = model.table
        self._run = engine
        self._batch_tokens = batch_tokens
        self.tokens = PairTokens(model.folder / "tokenizer.json", length=min(head.length, model.positions))
        if self.tokens.size > len(model.table):
            raise ModelError(
                f"{model.folder}: the tokenizer knows {self.tokens.size} pieces, the model {len(model.table)}",
                cure="give the tokenizer.json the model was trained with",
            )
        self(["probe"])  # broken weights fail here, not in a shopper's search

    def __call__(self, first: Sequence[str], second: Sequence[str] | None = None) -> NDArray[np.float32]:
        """What the head says of each text, or of each pair of texts, before any scale: (n, outputs) float32."""
        return self.outputs(self.tokens(first, second))

    def outputs(self, rows: Sequence[Pieces]) -> NDArray[np.float32]:
        """The same of word pieces; pairs of like length go together.

        Raises:
            ModelError: the model gave numbers that are not finite.
        """
        found = np.empty((len(rows), self.head.outputs), np.float32)
        for chosen in batches([len(row) for row in rows], self._batch_tokens):
            ids, mask, side = padded([rows[at] for at in chosen])
            found[chosen] = self._run(np.asarray(self._table[ids], np.float32), mask, side)
        if not np.isfinite(found).all():
            raise ModelError(f"model {self.name} gave NaN or infinite numbers", cure="train or install it again")
        return found

    def probabilities(self, first: Sequence[str], second: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Of each class by ``head.labels``: (n, classes), rows sum to 1; of relevance: (n, 1)."""
        said = self(first, second)
        return softmax(said) if self.head.kind == "classes" else self.head.relevance(said)[:, None]

    def relevance(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """How right each passage is for the query, 0 to 1: (n,)."""
        return self.head.relevance(self([query] * len(passages), passages))


def open_judge(folder: Path, *, settings: EncodeSettings | None = None, label: str = "") -> Judge:
    """Open a model folder that has a head; engine, threads, batch and cache are the encoder's settings.

    Raises:
        ModelError: a file is missing or damaged, or it has no head.
        MissingExtra: a package is needed; the error says how to install it.
    """
    chosen = settings or EncodeSettings()
    cache = Path(chosen.cache).expanduser() if chosen.cache else default_cache()
    model = read(folder, label=label)
    head = head_of(model)
    return Judge(model, head, _engine(model, head, chosen, cache), batch_tokens=chosen.batch_tokens)


def _engine(model: Model, head: Head, settings: EncodeSettings, cache: Path) -> HeadEngine:
    name = settings.engine
    if name == "auto":
        name = "onnx" if importlib.util.find_spec("onnxruntime") else "torch"
    if name == "torch":
        from mercer.encode.head_torch import TorchHead

        return TorchHead(model, head, threads=settings.threads)
    from mercer.encode.head_onnx import OnnxHead, exported

    return OnnxHead(exported(model, head, cache), threads=settings.threads or len(os.sched_getaffinity(0)))


def softmax(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities by row."""
    raised = np.exp(outputs - outputs.max(1, keepdims=True))
    found: NDArray[np.float32] = raised / raised.sum(1, keepdims=True)
    return found
