"""A model and texts of its shop in; the same with a table that gives its query vectors in microseconds out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.compress.folder import described
from mercer.encode.encoder import Encoder
from mercer.encode.extra import need
from mercer.encode.model import STATIC, Model
from mercer.encode.save import sync
from mercer.encode.static import TENSOR
from mercer.encode.tokens import Tokens

__all__ = ["distil", "fit", "with_table"]

RIDGE = 0.005
"""What a row's length costs beside the errors of the texts that it occurs in."""
ROUNDS = 20
"""Steps of conjugate gradients."""
SCALES = 2
"""How often the targets' lengths are set to what the sums can reach, since only directions count."""
Vectors = NDArray[np.float32]


def distil(
    model: Model,
    encoder: Encoder,
    queries: Sequence[str],
    *,
    length: int,
    tick: Callable[[int], None] | None = None,
) -> Vectors:
    """A table (pieces, dimension) whose sums point where the encoder's query vectors do.

    Args:
        model: says the pieces.
        encoder: the same, open; it is asked about every query.
        queries: of the shop, and invented ones.
        length: longest text in word pieces.
        tick: told how many more queries are encoded.
    """
    tokens = Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=length)
    texts = list(dict.fromkeys([*queries, *_alone(model, tokens, queries)]))
    return fit(tokens(texts, "query"), encoder(texts, side="query", tick=tick), tokens.size)


def _alone(model: Model, tokens: Tokens, queries: Sequence[str]) -> list[str]:
    """Pieces that no query has, as queries of their own: a row that nothing is known of would be nothing."""
    told = json.loads((model.folder / "tokenizer.json").read_text("utf-8"))
    vocabulary = told["model"]["vocab"]
    pieces = list(vocabulary) if isinstance(vocabulary, dict) else [piece for piece, _ in vocabulary]
    seen = {number for ids in tokens(list(queries), "query") for number in ids} if queries else set()
    special = {added["id"] for added in told.get("added_tokens", [])}
    left = [piece for at, piece in enumerate(pieces) if at not in seen and at not in special]
    return [piece.removeprefix("##").replace("\u2581", " ").strip() for piece in left]


def fit(ids: Sequence[Sequence[int]], wanted: Vectors, pieces: int) -> Vectors:
    """Rows (pieces, dimension) whose mean over each text is nearest to `wanted` (texts, dimension): ridge regression.

    ``min_T sum_i |mean of T over ids_i - s_i wanted_i|^2 + RIDGE |T|^2``, s_i in turn the length that the mean has in
    that direction. Rows of telling pieces come out long and of empty ones short: the weights that SIF (Arora et al.
    2017) takes from frequencies are learned here.
    """
    from scipy.sparse import csr_matrix

    starts = np.cumsum([0, *(len(row) for row in ids)])
    share = np.repeat([1 / max(len(row), 1) for row in ids], [len(row) for row in ids])
    columns = np.fromiter((number for row in ids for number in row), np.int64, int(starts[-1]))
    means: Any = csr_matrix((share.astype(np.float32), columns, starts), shape=(len(ids), pieces))
    table, target = np.zeros((pieces, wanted.shape[1]), np.float32), wanted
    for _ in range(SCALES):
        table = _solve(means, means.T.tocsr(), target, table)
        reach = ((means @ table) * wanted).sum(axis=1, keepdims=True)
        target = wanted * np.maximum(reach, 0.1)
    return table


def _solve(means: Any, turned: Any, target: Vectors, start: Vectors) -> Vectors:
    """Conjugate gradients for all columns at once, with the diagonal as preconditioner (Hestenes and Stiefel 1952)."""
    diagonal = np.asarray(means.multiply(means).sum(axis=0), np.float32).reshape(-1, 1) + RIDGE

    def normal(rows: Vectors) -> Vectors:
        return np.asarray(turned @ (means @ rows) + np.float32(RIDGE) * rows, np.float32)

    found = start.copy()
    rest = turned @ target - normal(found)
    direction = rest / diagonal
    product = (rest * direction).sum(axis=0)
    for _ in range(ROUNDS):
        image = normal(direction)
        step = product / np.maximum((direction * image).sum(axis=0), 1e-30)
        found += step * direction
        rest -= step * image
        along = rest / diagonal
        product, before = (rest * along).sum(axis=0), product
        direction = along + (product / np.maximum(before, 1e-30)) * direction
    return np.asarray(found, np.float32)


def with_table(model: Model, folder: Path, table: Vectors) -> Model:
    """Write `model` with a table of query vectors beside it, in half precision."""
    safetensors = need("safetensors.numpy")
    shutil.copytree(model.folder, folder, ignore=shutil.ignore_patterns("onnx", "card.json", "*.png", "*.html"))
    safetensors.save_file({TENSOR: np.asarray(table, np.float16)}, folder / STATIC)
    sync(folder / STATIC)
    return described(model, folder)
