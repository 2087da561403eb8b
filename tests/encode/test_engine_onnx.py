"""The exported body: made once, whole or not at all, never another model's."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from mercer.encode import EncodeSettings, load
from mercer.encode.engine_onnx import OnnxEngine, beside, exported
from mercer.encode.model import read
from mercer.errors import ModelError

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def test_exported_once(tiny_bert: Path) -> None:
    cache = tiny_bert.parent / "cache"
    first = exported(read(tiny_bert), cache)
    before = first.stat().st_mtime_ns
    assert exported(read(tiny_bert), cache) == first
    assert first.stat().st_mtime_ns == before
    assert not list(cache.glob("onnx/.writing*"))


def test_body_beside_the_model_needs_no_cache(tiny_bert: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "copy"))
    (folder / "onnx").mkdir()
    made = exported(read(tiny_bert), tiny_bert.parent / "cache")
    shutil.copy(made, folder / "onnx")
    assert beside(read(folder)).parent == folder / "onnx"
    nowhere = tmp_path / "nowhere"
    encoder = load(str(folder), engine="onnx", settings=EncodeSettings(cache=str(nowhere)))
    assert encoder(["cat"]).shape == (1, 32)
    assert not nowhere.exists()


def test_failed_export_leaves_nothing(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(model: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("mercer.encode.engine_torch.export", fail)
    with pytest.raises(KeyboardInterrupt):
        exported(read(tiny_bert), tmp_path)
    assert not list((tmp_path / "onnx").iterdir())


def test_damaged_body_says_so(tmp_path: Path) -> None:
    path = tmp_path / "body.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match="no ONNX model"):
        OnnxEngine(path, threads=1)


def test_shapes_are_free(tiny_bert: Path) -> None:
    engine = OnnxEngine(exported(read(tiny_bert), tiny_bert.parent / "cache"), threads=1)
    rng = np.random.default_rng(0)
    for rows, tokens in ((1, 1), (1, 64), (5, 3)):
        vectors = engine(rng.random((rows, tokens, 32), np.float32), np.ones((rows, tokens), np.int64))
        assert vectors.shape == (rows, 32)
