"""A model and texts of its shop in; the same with weights of 8 bits, in the fastest way that ranks as well, out."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.compress.folder import Tensors, described, tensors_of
from mercer.encode.compress.graph import OBSERVED, Recipe, inputs, write
from mercer.encode.engine_onnx import session
from mercer.encode.extra import need
from mercer.encode.model import BODY, WORDS, Model, read
from mercer.encode.save import sync
from mercer.encode.tokens import Tokens

__all__ = ["Observed", "Tried", "as_int8", "observe", "ordered", "quantise", "recipes", "speed"]

USUAL = 0.95
"""Share of channels that stay as they are. Of .9, .95 and .98 it kept most of the ranking of both models."""
TRIMMED = 0.001
"""Share of texts whose largest numbers a static range leaves out at either end."""
EQUAL = 1.15
"""Ways whose times differ by less are as fast as one another: then the one nearest to float32 comes first."""
PROBED = 48
"""Texts by which nearness is told."""
RUNS = 40
TOKENS = 10
"""Word pieces of the query that speed is told by."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the input of a matrix looks like over many texts."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    """Lowest and highest number of each channel, (inputs,)."""

    @property
    def largest(self) -> NDArray[np.float32]:
        """Of either sign, (inputs,)."""
        return np.asarray(np.maximum(-self.low, self.high), np.float32)


@dataclass(frozen=True, slots=True)
class Tried:
    """One way to quantise, and how it did."""

    name: str
    milliseconds: float
    """Of a query of ten word pieces on one thread, without tokens."""
    cosine: float
    """Mean, with the vectors in float32."""
    loss: float | None
    """None where it was not looked at, since a faster one was good enough."""


def observe(model: Model, tensors: Tensors, texts: Sequence[str], *, length: int) -> dict[str, Observed]:
    """Run the body in float32 over `texts` and note the range of every matrix's input."""
    tokens = Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=length)
    names = inputs(int(model.config["num_hidden_layers"]))
    seen: dict[str, tuple[list[Any], list[Any]]] = {name: ([], []) for name in names}
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "watched.onnx"
        write(model, tensors, path, Recipe("float"), watch=True)
        runs = session(path, threads=1)
        for ids in tokens(texts, "passage"):
            embedded = np.asarray(model.table[np.asarray(ids)], np.float32)[None]
            for name, values in zip(names, runs.run(names, {"embedded": embedded}), strict=True):
                seen[name][0].append(values[0].min(axis=0))
                seen[name][1].append(values[0].max(axis=0))
    return {
        name: Observed(np.quantile(lows, TRIMMED, axis=0), np.quantile(highs, 1 - TRIMMED, axis=0))
        for name, (lows, highs) in seen.items()
    }


def recipes(observed: Mapping[str, Observed], layers: int) -> dict[str, Recipe]:
    """Ways to quantise, by name."""
    even = {name: _even(one.largest) for name, one in observed.items()}
    ranges = {
        name: (float((one.low / even[name]).min()), float((one.high / even[name]).max()))
        for name, one in observed.items()
    }
    inner = frozenset(f"{layer}.{OBSERVED[-1]}" for layer in range(layers))
    return {
        "static, evened": Recipe("static", even=even, ranges=ranges),
        "dynamic": Recipe("dynamic"),
        "dynamic, evened": Recipe("dynamic", even=even),
        "dynamic, evened, inner matrices in float": Recipe("dynamic", even=even, floating=inner),
        "blocks of 32": Recipe("blocks"),
    }


def _even(largest: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each channel of a matrix's input is divided by: the few that stand out come down to the others.

    Evening out all of them, as SmoothQuant does, coarsens the weights more than it helps (benchmarks/RESULTS.md).
    """
    usual = max(float(np.quantile(largest, USUAL)), 1e-6)
    return np.asarray(np.maximum(1.0, largest / usual), np.float32)


def as_int8(model: Model, tensors: Tensors, folder: Path, recipe: Recipe) -> Model:
    """Write `model` with its body in int8 beside word vectors in half precision; the layers in float are left out."""
    safetensors = need("safetensors.numpy")
    folder.mkdir(parents=True)
    for path in model.folder.iterdir():
        if path.suffix == ".json":
            shutil.copyfile(path, folder / path.name)
        elif path.is_dir() and path.name[:1].isdigit():
            shutil.copytree(path, folder / path.name)
    half = {WORDS: np.asarray(model.table, np.float16)}
    safetensors.save_file(half, folder / "model.safetensors", metadata={"format": "pt"})
    write(model, tensors, folder / BODY, recipe)
    for name in ("model.safetensors", BODY):
        sync(folder / name)
    return described(model, folder)


def speed(path: Path, hidden: int) -> float:
    """Milliseconds of processor time for a query of ten word pieces."""
    runs, taken = session(path, threads=1), []
    embedded = np.random.default_rng(0).standard_normal((1, TOKENS, hidden)).astype(np.float32)
    for _ in range(RUNS):
        began = time.thread_time()
        runs.run(["vector"], {"embedded": embedded})
        taken.append(time.thread_time() - began)
    return 1000 * float(np.median(taken[RUNS // 4 :]))


@contextlib.contextmanager
def candidates(model: Model, texts: Sequence[str], *, length: int) -> Iterator[list[tuple[Tried, Model]]]:
    """Every way to quantise as a model folder, in the order to be tried; the folders vanish at the end."""
    tensors, hidden = tensors_of(model), int(model.config["hidden_size"])
    tokens = Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=length)
    probed = [np.asarray(model.table[np.asarray(ids)], np.float32) for ids in tokens(texts[:PROBED], "passage")]
    layers = int(model.config["num_hidden_layers"])
    with TemporaryDirectory(dir=model.folder.parent, prefix=".int8-") as scratch:
        write(model, tensors, Path(scratch) / "float.onnx", Recipe("float"))
        wanted = _vectors(Path(scratch) / "float.onnx", probed)
        found: list[tuple[Tried, Model]] = []
        for name, recipe in recipes(observe(model, tensors, texts, length=length), layers).items():
            made = as_int8(model, tensors, Path(scratch) / str(len(found)), recipe)
            body = made.folder / BODY
            cosine = float((_vectors(body, probed) * wanted).sum(axis=1).mean())
            found.append((Tried(name, speed(body, hidden), cosine, None), made))
        yield ordered(found)


def ordered(found: Sequence[tuple[Tried, Model]]) -> list[tuple[Tried, Model]]:
    """Fastest first; of those as fast as the fastest that is left, the one nearest to float32 first."""
    left, order = sorted(found, key=lambda one: one[0].milliseconds), []
    while left:
        alike = [one for one in left if one[0].milliseconds <= EQUAL * left[0][0].milliseconds]
        order += sorted(alike, key=lambda one: -one[0].cosine)
        left = left[len(alike) :]
    return order


def _vectors(path: Path, embedded: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    runs = session(path, threads=1)
    return np.concatenate([runs.run(["vector"], {"embedded": one[None]})[0] for one in embedded])


def quantise(
    model: Model, folder: Path, texts: Sequence[str], *, length: int, limit: float, loss: Callable[[Model], float]
) -> tuple[Model | None, list[Tried]]:
    """Write the fastest way whose `loss` is within `limit` into `folder`; None where there is none.

    Args:
        model: in float32.
        folder: a new one.
        texts: that show the range of activations.
        length: longest text in word pieces.
        limit: share of the figure that may be lost.
        loss: a model in, the share of the figure it loses out.
    """
    tried: list[Tried] = []
    chosen: Model | None = None
    with candidates(model, texts, length=length) as found:
        for way, made in found:
            lost = loss(made) if chosen is None else None
            tried.append(replace(way, loss=lost))
            if lost is not None and lost <= limit:
                chosen = made
        if chosen is not None:
            shutil.move(str(chosen.folder), folder)
            return read(folder), tried
    return None, tried
