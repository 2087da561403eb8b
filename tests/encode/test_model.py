"""A model folder is described, or refused with what is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mercer.encode.model import WORDS, read
from mercer.errors import ModelError


@pytest.fixture
def folder(tiny_bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bert, tmp_path / "copy"))


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


def test_words_are_the_tensor_itself(folder: Path) -> None:
    from safetensors.numpy import load_file

    model = read(folder)
    np.testing.assert_array_equal(model.table, load_file(folder / "model.safetensors")[WORDS])
    assert isinstance(model.table, np.memmap)
    assert model.pooling == "mean"


def test_hash_follows_the_content(folder: Path, tiny_bert: Path) -> None:
    assert read(folder).hash == read(tiny_bert).hash
    change(folder / "config_sentence_transformers.json", prompts={"query": "q: "})
    assert read(folder).hash != read(tiny_bert).hash


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"has no {name}"):
        read(folder)


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 5000])
def test_cut_weights(folder: Path, kept: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="damaged"):
        read(folder)


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("config.json", {"hidden_size": 64}, "shape"),
        ("config.json", {"vocab_size": 9}, "shape"),
        ("config.json", {"model_type": "gpt2"}, "gpt2"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "pools by 'mean\\+max'|pools by"),
    ],
)
def test_what_does_not_fit(folder: Path, file: str, values: dict[str, object], message: str) -> None:
    change(folder / file, **values)
    with pytest.raises(ModelError, match=message):
        read(folder)


def test_a_projection_is_not_left_out_silently(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    modules.append({"idx": 3, "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    with pytest.raises(ModelError, match="Dense"):
        read(folder)


def test_half_precision_words(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors[WORDS] = tensors[WORDS].astype(np.float16)
    save_file(tensors, folder / "model.safetensors")
    assert read(folder).table.dtype == np.float16


def test_e5_is_known_by_name(folder: Path) -> None:
    (folder / "config_sentence_transformers.json").unlink()
    assert read(folder, label="multilingual-e5-small").prefixes["query"] == "query: "
    assert read(folder, label="all-MiniLM-L6-v2").prefixes["query"] == ""
