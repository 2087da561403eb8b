"""What every encoder promises, run on every model and engine."""

from __future__ import annotations

import importlib.util
import random
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mercer.encode import TOLERANCE, Encoder, EncodeSettings, load
from mercer.encode.source import KNOWN
from mercer.errors import UsageError

TEXTS = ["cat", "kitten", "invoice", "", "a longer text about a red dress " * 5, "红色连衣裙", "大红裙子", "手机充电器"]
ODD = [
    "",
    "  \n\t",
    "\x00\x01\x7f\u200b",
    "😀👩\u200d👩\u200d👧",
    "\ud83d",
    "x" * 1_000_000,
    "a b " * 250_000,
    " " * 100_000 + "end",
]
ENGINES = ("torch", "onnx")
MODELS = ("tiny", "minilm", "e5")
COMPRESSED = (("int8", "onnx"), ("static", "static"))
"""The tiny model with a body in int8, and with a table of queries; each runs in one way."""
NEEDS = {"torch": ("torch", "transformers"), "onnx": ("onnxruntime", "onnxscript")}


@cache
def opened(source: str, engine: str, folder: str) -> Encoder:
    settings = EncodeSettings(cache=folder, batch_tokens=256)
    return load(source, engine=engine, settings=settings)  # type: ignore[arg-type]


def member(model: str, engine: str, request: pytest.FixtureRequest) -> Encoder:
    packages = (*NEEDS.get(engine, NEEDS["onnx"]), *(KNOWN[model].packages if model in KNOWN else ()))
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"package {package} is not installed")
    if model in dict(COMPRESSED):
        return opened(str(request.getfixturevalue("compressed") / model), "auto", "")
    if model != "tiny":
        return opened(model, engine, "")
    tiny: Path = request.getfixturevalue("tiny_bert")
    return opened(str(tiny), engine, str(tiny.parent / "cache"))


@pytest.fixture(scope="session")
def compressed(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders int8 and static, as `mercer compress` writes them."""
    from mercer.encode.compress.distil import distil, with_table
    from mercer.encode.compress.folder import tensors_of
    from mercer.encode.compress.graph import Recipe
    from mercer.encode.compress.quantise import as_int8
    from mercer.encode.model import read

    folder, tiny = tmp_path_factory.mktemp("compressed"), read(tiny_bert)
    made = as_int8(tiny, tensors_of(tiny), folder / "int8", Recipe())
    with_table(made, folder / "static", distil(made, load(str(made.folder)), TEXTS, length=64))
    return folder


@pytest.fixture(params=[*((model, engine) for model in MODELS for engine in ENGINES), *COMPRESSED], ids="-".join)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return member(*request.param, request)


def test_rows_are_unit_float32(encoder: Encoder) -> None:
    vectors = encoder(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    vectors = encoder([])
    assert vectors.shape == (0, encoder.dimension)
    assert vectors.dtype == np.float32


def test_same_texts_same_bits(encoder: Encoder) -> None:
    np.testing.assert_array_equal(encoder(TEXTS), encoder(TEXTS))


def test_alone_as_in_a_batch_and_in_any_order(encoder: Encoder) -> None:
    vectors = encoder(TEXTS)
    alone = np.concatenate([encoder([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, vectors, atol=TOLERANCE)
    order = list(range(len(TEXTS)))
    random.Random(3).shuffle(order)
    np.testing.assert_allclose(encoder(TEXTS[row] for row in order), vectors[order], atol=TOLERANCE)
    assert abs(vectors[0] @ vectors[2]) < 1 - TOLERANCE, "different texts have different vectors"


def test_any_text_has_a_vector(encoder: Encoder) -> None:
    vectors = encoder(ODD, side="query")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=TOLERANCE)
    np.testing.assert_allclose(vectors[7], encoder(["end"], side="query")[0], atol=TOLERANCE)
    np.testing.assert_allclose(vectors[6], encoder(["a b " * 300], side="query")[0], atol=TOLERANCE)


def test_tick_hears_of_every_text(encoder: Encoder) -> None:
    heard: list[int] = []
    encoder(TEXTS, tick=heard.append)
    assert sum(heard) == len(TEXTS)


def test_one_string_is_refused(encoder: Encoder) -> None:
    with pytest.raises(UsageError, match="one string"):
        encoder("red dress")


def test_threads_may_share_it(encoder: Encoder) -> None:
    vectors = encoder(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(lambda text: encoder([text])[0], TEXTS), vectors, strict=True):
            np.testing.assert_allclose(found, wanted, atol=TOLERANCE)


@pytest.mark.parametrize("model", MODELS)
def test_engines_agree(model: str, request: pytest.FixtureRequest) -> None:
    torch, onnx = (member(model, engine, request) for engine in ENGINES)
    assert (torch.engine, onnx.engine) == ENGINES
    assert torch.name == onnx.name
    assert torch.dimension == onnx.dimension
    for side in ("query", "passage"):
        np.testing.assert_allclose(torch(TEXTS, side=side), onnx(TEXTS, side=side), atol=TOLERANCE)


@pytest.mark.parametrize("engine", ENGINES)
def test_sides_differ_where_the_model_has_prefixes(engine: str, request: pytest.FixtureRequest) -> None:
    for model, differ in (("e5", True), ("minilm", False)):
        encoder = member(model, engine, request)
        query, passage = encoder(["red dress"], side="query"), encoder(["red dress"], side="passage")
        assert (np.abs(query - passage).max() > TOLERANCE) == differ


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", ["minilm", "e5"])
def test_english_meaning(model: str, engine: str, request: pytest.FixtureRequest) -> None:
    cat, kitten, invoice = member(model, engine, request)(["cat", "kitten", "invoice"])
    assert cat @ kitten > cat @ invoice + 0.02


@pytest.mark.parametrize("engine", ENGINES)
def test_chinese_meaning(engine: str, request: pytest.FixtureRequest) -> None:
    encoder = member("e5", engine, request)
    pairs = {
        "大红裙子": "红色连衣裙 女 夏季新款",
        "手机快充头": "20W 充电器 Type-C 快充",
        "猫吃的": "全价猫粮 成猫幼猫 10斤",
        "办公室坐的": "人体工学椅 电脑椅 家用",
        "下雨天用": "全自动雨伞 晴雨两用",
        "小孩玩的积木": "儿童拼装玩具 大颗粒益智",
        "running shoes": "男士跑步鞋 透气 轻便",
        "煮咖啡": "意式咖啡机 家用小型 蒸汽奶泡",
    }
    scores = encoder(pairs, side="query") @ encoder(pairs.values()).T
    hits = int((scores.argmax(1) == np.arange(len(pairs))).sum())
    assert hits >= len(pairs) - 1, f"{hits} of {len(pairs)} queries find their title first"
