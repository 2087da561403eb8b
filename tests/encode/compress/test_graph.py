"""The body that is written by hand says what torch says; in int8 it says nearly the same, alone or in a batch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mercer.encode import load
from mercer.encode.compress.folder import rewritten, tensors_of
from mercer.encode.compress.graph import Recipe, inputs
from mercer.encode.compress.quantise import Tried, as_int8, observe, ordered, recipes
from mercer.encode.model import Model, read
from mercer.errors import ModelError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
TEXTS = ["red dress", "红色连衣裙", "", "a longer text about a cup " * 5, "42"]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("projected", [False, True])
def test_in_float_it_is_the_same_model(tiny: Model, tmp_path: Path, pooling: str, projected: bool) -> None:
    matrix = np.random.default_rng(0).normal(size=(8, 32)).astype(np.float32) if projected else None
    given = dataclasses.replace(tiny, pooling=pooling)
    model = rewritten(given, tmp_path / "model", projection=matrix)
    made = as_int8(model, tensors_of(model), tmp_path / "made", Recipe("float"))
    before, after = load(str(model.folder), engine="torch"), load(str(made.folder))
    assert after.dimension == before.dimension == (8 if projected else 32)
    for side in ("query", "passage"):
        # word vectors are kept in half precision
        np.testing.assert_allclose(before(TEXTS, side=side), after(TEXTS, side=side), atol=5e-3)


def test_every_way_stays_near(tiny: Model, tmp_path: Path) -> None:
    tensors = tensors_of(tiny)
    before = load(str(tiny.folder), engine="torch")(TEXTS)
    observed = observe(tiny, tensors, TEXTS, length=64)
    assert set(observed) == set(inputs(2))
    for at, (name, recipe) in enumerate(recipes(observed, 2).items()):
        made = as_int8(tiny, tensors, tmp_path / str(at), recipe)
        cosine = (load(str(made.folder))(TEXTS) * before).sum(axis=1)
        assert cosine.min() > 0.97, name
        assert cosine.min() < 1 - 1e-7, f"{name}: nothing is quantised"


def test_evening_out_helps_where_a_channel_stands_out(tiny: Model, tmp_path: Path) -> None:
    tensors = {name: values.copy() for name, values in tensors_of(tiny).items()}
    for layer in range(2):
        tensors[f"encoder.layer.{layer}.attention.output.LayerNorm.weight"][3] = 60.0
    model = rewritten(tiny, tmp_path / "model", tensors=tensors)
    before = load(str(model.folder), engine="torch")(TEXTS)
    found = recipes(observe(model, tensors, TEXTS, length=64), 2)
    far = {}
    for name in ("dynamic", "dynamic, evened"):
        made = as_int8(model, tensors, tmp_path / name, found[name])
        far[name] = float(np.abs(load(str(made.folder))(TEXTS) - before).max())
    assert far["dynamic, evened"] < far["dynamic"] / 1.5


def test_vector_does_not_depend_on_the_batch(tiny: Model, tmp_path: Path) -> None:
    made = as_int8(tiny, tensors_of(tiny), tmp_path / "made", Recipe())
    encoder = load(str(made.folder))
    np.testing.assert_array_equal(encoder(TEXTS), np.concatenate([encoder([text]) for text in TEXTS]))


def test_name_differs_and_torch_says_why_it_cannot(tiny: Model, tmp_path: Path) -> None:
    made = as_int8(tiny, tensors_of(tiny), tmp_path / "made", Recipe())
    assert load(str(made.folder)).name.split("-")[-1] != load(str(tiny.folder), engine="torch").name.split("-")[-1]
    with pytest.raises(ModelError, match="int8 alone"):
        load(str(made.folder), engine="torch")
    with pytest.raises(ModelError, match="int8 alone"):
        tensors_of(made)


def test_an_activation_that_is_not_known_is_refused(tiny: Model, tmp_path: Path) -> None:
    model = rewritten(tiny, tmp_path / "model", config={**tiny.config, "hidden_act": "relu"})
    with pytest.raises(ModelError, match="relu"):
        as_int8(model, tensors_of(model), tmp_path / "made", Recipe())


def test_a_damaged_body_is_refused(tiny: Model, tmp_path: Path) -> None:
    made = as_int8(tiny, tensors_of(tiny), tmp_path / "made", Recipe())
    assert made.body is not None
    made.body.write_bytes(made.body.read_bytes()[:1000])
    with pytest.raises(ModelError, match="no ONNX model"):
        load(str(read(made.folder).folder))


def test_of_ways_as_fast_the_nearest_comes_first(tiny: Model) -> None:
    ways = [("slow", 9.0, 1.0), ("near", 1.1, 0.99), ("fast", 1.0, 0.9), ("slower", 10.0, 0.999), ("next", 1.2, 0.95)]
    order = [way.name for way, _ in ordered([(Tried(*way, None), tiny) for way in ways])]
    assert order == ["near", "fast", "next", "slow", "slower"]
