"""A model with a trained prefix or adapters: what they change, engines that agree, and folders that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from mercer.encode import TOLERANCE, EncodeSettings, load
from mercer.encode.compress.dimension import cut, truncation
from mercer.encode.compress.folder import tensors_of
from mercer.encode.compress.graph import Recipe
from mercer.encode.compress.layers import drop
from mercer.encode.compress.quantise import as_int8, observe, recipes
from mercer.encode.compress.trim import trim
from mercer.encode.graft import Graft, graft_of
from mercer.encode.head import Head, open_judge
from mercer.encode.model import Model, read
from mercer.encode.save import save
from mercer.errors import ModelError

TEXTS = ["red dress", "红色连衣裙", "", "a longer text about a cup " * 5, "42"]
KINDS = (Graft("prefix", 3), Graft("adapter", 5))
Make = Callable[..., Path]


@pytest.fixture(scope="session")
def graft(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """``graft(Graft(...), **changes)``: the random BERT with random tensors of a graft, some of them replaced."""

    def make(graft: Graft, *, config: Any = None, scale: float = 1.0, **changes: Any) -> Path:
        rng, model = np.random.default_rng(5), read(tiny_bert)
        tensors = tensors_of(model)
        for layer in range(2):
            for name, shape in graft.shapes(32).items():
                tensors[f"graft.{layer}.{name}"] = (scale * rng.normal(0, 1.0, shape)).astype(np.float32)
        for name, value in changes.items():
            tensors[name.replace("__", ".")] = value
        folder = tmp_path_factory.mktemp("grafted") / "model"
        kept = {name: value for name, value in tensors.items() if value is not None}
        told = graft.to_config(model.config) if config is None else {**model.config, "mercer": {"graft": config}}
        tokenizer = model.folder / "tokenizer.json"
        save(folder, config=told, tensors=kept, tokenizer=tokenizer, prefixes=model.prefixes)
        return folder

    return make


def torch_of(folder: Path) -> Any:
    return load(str(folder), engine="torch", settings=EncodeSettings(threads=1))


def onnx_of(folder: Path, cache: Path) -> Any:
    return load(str(folder), engine="onnx", settings=EncodeSettings(threads=1, cache=str(cache)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_engines_agree_and_the_graft_counts(graft: Make, tiny_bert: Path, tmp_path: Path, kind: Graft) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    folder = graft(kind)
    assert graft_of(read(folder).config) == kind
    plain, torch, onnx = torch_of(tiny_bert), torch_of(folder), onnx_of(folder, tmp_path)
    assert np.abs(torch(TEXTS) - plain(TEXTS)).max() > 0.05
    for side in ("query", "passage"):
        np.testing.assert_allclose(onnx(TEXTS, side=side), torch(TEXTS, side=side), atol=TOLERANCE)
    for encoder in (torch, onnx):
        alone = np.concatenate([encoder([text]) for text in TEXTS])
        np.testing.assert_allclose(encoder(TEXTS), alone, atol=TOLERANCE)
    assert torch(["cup " * 100]).shape == (1, 32), "the longest text has room beside a prefix"
    assert plain.name != torch.name == onnx.name


def test_the_prefix_is_seen_as_the_formula_says(graft: Make, tiny_bert: Path) -> None:
    """softmax(q [K_own; K]^T / sqrt(d)) [V_own; V], by hand, on the first layer of one text."""
    from mercer.encode.engine_torch import bert_of
    from mercer.encode.engine_torch import tensors_of as in_torch

    model = read(graft(KINDS[0]))
    tensors = in_torch(model)
    bert = bert_of(model, dict(tensors)).eval()
    states = np.random.default_rng(0).normal(size=(1, 4, 32)).astype(np.float32)
    import torch

    with torch.no_grad():
        found = bert.encoder.layer[0].attention.self(torch.from_numpy(states))[0][0].numpy()
    parts = {}
    for name in ("query", "key", "value"):
        root = f"encoder.layer.0.attention.self.{name}"
        parts[name] = states[0] @ tensors[f"{root}.weight"].numpy().T + tensors[f"{root}.bias"].numpy()
    for name in ("key", "value"):
        parts[name] = np.concatenate([tensors[f"graft.0.{name}"].numpy(), parts[name]])
    for head in range(4):
        mine = {name: values[:, 8 * head : 8 * head + 8] for name, values in parts.items()}
        odds = np.exp(mine["query"] @ mine["key"].T / np.sqrt(8))
        wanted = odds / odds.sum(1, keepdims=True) @ mine["value"]
        np.testing.assert_allclose(found[:, 8 * head : 8 * head + 8], wanted, atol=1e-5)


def test_an_adapter_of_zeros_changes_nothing(graft: Make, tiny_bert: Path) -> None:
    zero = {f"graft.{layer}.up.{name}": 0 for layer in range(2) for name in ("weight", "bias")}
    nothing = {name: np.zeros((32, 5) if "weight" in name else 32, np.float32) for name in zero}
    np.testing.assert_array_equal(torch_of(graft(KINDS[1], **nothing))(TEXTS), torch_of(tiny_bert)(TEXTS))


def test_how_many_numbers_there_are() -> None:
    assert Graft("prefix", 16).count(384, 6) == 6 * 2 * 16 * 384
    assert Graft("adapter", 64).count(384, 12) == 12 * (2 * 384 * 64 + 64 + 384)


def test_the_hash_covers_it(graft: Make) -> None:
    one, same, other = (read(graft(KINDS[1], scale=scale)).hash for scale in (1.0, 1.0, 1.001))
    assert one == same != other


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_it_is_compressed_with_its_model(graft: Make, tmp_path: Path, kind: Graft) -> None:
    pytest.importorskip("onnxruntime")
    model = read(graft(kind))
    before = torch_of(model.folder)(TEXTS)
    trimmed = trim(model, tmp_path / "trim", TEXTS, extra=5, length=64).model
    np.testing.assert_allclose(torch_of(trimmed.folder)(TEXTS), before, atol=1e-6)
    short = torch_of(cut(model, tmp_path / "cut", truncation(32, 8)).folder)(TEXTS)
    wanted = before[:, :8] / np.linalg.norm(before[:, :8], axis=1, keepdims=True)
    np.testing.assert_allclose(short, wanted, atol=1e-5)
    tensors = tensors_of(model)
    whole = as_int8(model, tensors, tmp_path / "float", Recipe("float"))
    # word vectors are kept in half precision
    np.testing.assert_allclose(load(str(whole.folder))(TEXTS), before, atol=5e-3)
    for at, recipe in enumerate(recipes(observe(model, tensors, TEXTS, length=64), 2).values()):
        made = as_int8(model, tensors, tmp_path / str(at), recipe)
        assert (load(str(made.folder))(TEXTS) * before).sum(axis=1).min() > 0.95


def test_a_layer_that_is_dropped_takes_its_graft_with_it(graft: Make, tmp_path: Path) -> None:
    model = read(graft(KINDS[0]))
    made = tensors_of(drop(model, tmp_path / "dropped", keep=[1]))
    np.testing.assert_array_equal(made["graft.0.key"], tensors_of(model)["graft.1.key"])
    assert not any(name.startswith("graft.1.") for name in made)
    assert torch_of(tmp_path / "dropped")(TEXTS).shape == (5, 32)


def test_a_head_reads_through_it(graft: Make, tiny_bert: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model, head = read(graft(KINDS[0])), Head(length=48)
    weight = np.random.default_rng(3).normal(0, 0.5, (1, 32)).astype(np.float32)
    said = {}
    for name, kept in (("grafted", model), ("plain", read(tiny_bert))):
        tensors = {**tensors_of(kept), "head.weight": weight, "head.bias": np.zeros(1, np.float32)}
        told = head.to_config(kept.config)
        save(tmp_path / name, config=told, tensors=tensors, tokenizer=kept.folder / "tokenizer.json", prefixes={})
        said[name] = open_judge(tmp_path / name, settings=EncodeSettings(engine="torch"))(["red"] * 5, TEXTS)
    assert np.abs(said["grafted"] - said["plain"]).max() > 0.01
    onnx = open_judge(tmp_path / "grafted", settings=EncodeSettings(engine="onnx", cache=str(tmp_path / "cache")))
    np.testing.assert_allclose(onnx(["red"] * 5, TEXTS), said["grafted"], atol=TOLERANCE * 10)


WRONG = (
    ({"graft__1__key": None}, "graft.1.key has shape None"),
    ({"graft__1__value": np.zeros((4, 32), np.float32)}, r"shape \(4, 32\), not \(3, 32\)"),
    ({"graft__2__key": np.zeros((3, 32), np.float32)}, "graft.2.key, which config.json does not tell of"),
    ({"config": {"kind": "prefix", "size": 2}}, r"not \(2, 32\)"),
    ({"config": {"kind": "prompt", "size": 3}}, "kind 'prompt'"),
    ({"config": {"kind": "prefix", "size": 0}}, "size 0"),
    ({"config": {"kind": "prefix"}}, "tells of a graft"),
    ({"config": {"kind": "prefix", "size": 3, "gate": 1}}, "tells of a graft"),
)


@pytest.mark.parametrize(("changes", "problem"), WRONG)
def test_what_does_not_fit_is_refused(graft: Make, changes: dict[str, Any], problem: str) -> None:
    """On saving where config.json is wrong in itself, else on loading, by either engine and by the int8 graph."""
    with pytest.raises(ModelError, match=problem) as told:
        torch_of(graft(KINDS[0], **changes))
    assert "again" in str(told.value.cure)


def spoilt(folder: Path, name: str, number: float) -> Model:
    """One number of a tensor changed in the file itself: `save` would refuse to."""
    safetensors = pytest.importorskip("safetensors.numpy")
    path = folder / "model.safetensors"
    tensors = safetensors.load_file(path)
    tensors[name].flat[0] = number
    safetensors.save_file(tensors, path)
    return read(folder)


def test_a_graft_that_is_nothing_is_refused(graft: Make, tmp_path: Path) -> None:
    for number in (np.nan, -np.inf):
        model = spoilt(graft(KINDS[1]), "graft.0.down.weight", number)
        for engine in (torch_of, lambda folder: onnx_of(folder, tmp_path)):
            with pytest.raises(ModelError, match="weight has NaN"):
                engine(model.folder)
        with pytest.raises(ModelError, match="weight has NaN"):
            as_int8(model, tensors_of(model), tmp_path / "int8" / str(number), Recipe())


def test_a_config_that_forgot_the_graft_is_refused(graft: Make) -> None:
    folder = graft(KINDS[0])
    told = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**told, "mercer": {}}), "utf-8")
    with pytest.raises(ModelError, match="does not tell of"):
        torch_of(folder)


def test_sentence_transformers_does_not_open_it_without_the_graft(graft: Make) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    with pytest.raises(ValueError, match="Grafted"):
        sentence_transformers.SentenceTransformer(str(graft(KINDS[0])), device="cpu")
