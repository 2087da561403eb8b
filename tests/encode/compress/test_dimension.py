"""Shorter vectors: the model gives what the arithmetic says, and sentence-transformers could open it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mercer.encode import load
from mercer.encode.compress.dimension import cut, rotation, shortened, truncation
from mercer.encode.model import Model, read
from mercer.errors import ModelError

TEXTS = ["red dress", "blue cup", "红色连衣裙", "steel lamp 42"]


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_model_gives_shortened_vectors(tiny: Model, tmp_path: Path, engine: str) -> None:
    full = load(str(tiny.folder), engine="torch")(TEXTS)
    for name, matrix in (("first", truncation(32, 8)), ("turned", rotation(full, 3))):
        made = cut(tiny, tmp_path / name, matrix)
        from mercer.encode import EncodeSettings

        encoder = load(str(made.folder), engine=engine, settings=EncodeSettings(cache=str(tmp_path / "cache")))  # type: ignore[arg-type]  # parametrised
        assert encoder.dimension == len(matrix)
        np.testing.assert_allclose(encoder(TEXTS), shortened(full, matrix), atol=1e-4)


def test_cut_twice_is_one_map(tiny: Model, tmp_path: Path) -> None:
    once = cut(tiny, tmp_path / "once", truncation(32, 16))
    twice = cut(once, tmp_path / "twice", truncation(16, 4))
    full = load(str(tiny.folder), engine="torch")(TEXTS)
    np.testing.assert_allclose(
        load(str(twice.folder), engine="torch")(TEXTS), shortened(full, truncation(32, 4)), atol=1e-5
    )


def test_rotation_keeps_more_than_truncation() -> None:
    rng = np.random.default_rng(5)
    vectors = (rng.normal(size=(200, 4)) @ rng.normal(size=(4, 32))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wanted = vectors @ vectors.T
    errors = []
    for matrix in (rotation(vectors, 4), truncation(32, 4)):
        made = shortened(vectors, matrix)
        errors.append(float(np.abs(made @ made.T - wanted).max()))
    assert errors[0] < 1e-4 < errors[1]


def test_longer_or_other_is_refused(tiny: Model, tmp_path: Path) -> None:
    for shape in ((33, 32), (8, 31)):
        with pytest.raises(ModelError, match=str(shape[0])):
            cut(tiny, tmp_path / "made", np.zeros(shape, np.float32))


def test_another_kind_of_dense_is_refused(tiny: Model, tmp_path: Path) -> None:
    made = cut(tiny, tmp_path / "made", truncation(32, 8))
    path = made.folder / "2_Dense" / "config.json"
    said = json.loads(path.read_text("utf-8"))
    for change in ({"bias": True}, {"activation_function": "torch.nn.modules.activation.Tanh"}):
        path.write_text(json.dumps({**said, **change}), "utf-8")
        with pytest.raises(ModelError, match="Dense"):
            read(made.folder)
