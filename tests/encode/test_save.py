"""Model folders are written whole, and other libraries read them to the same vectors."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.encode import TOLERANCE, EncodeSettings, load
from mercer.encode.model import read
from mercer.encode.save import save
from mercer.errors import DiskFull, ModelError, UsageError


def parts(tiny_bert: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return {
        "config": json.loads((tiny_bert / "config.json").read_text("utf-8")),
        "tensors": load_file(tiny_bert / "model.safetensors"),
        "tokenizer": tiny_bert / "tokenizer.json",
        "prefixes": {"query": "query: ", "passage": "passage: "},
    }


def test_saved_again_is_the_same_model(tiny_bert: Path, tmp_path: Path) -> None:
    save(tmp_path / "new", **parts(tiny_bert))
    assert read(tmp_path / "new").hash == read(tiny_bert).hash


def test_cls_pooling_is_kept_and_used(tiny_bert: Path, tmp_path: Path) -> None:
    save(tmp_path / "cls", **parts(tiny_bert), pooling="cls")
    assert read(tmp_path / "cls").pooling == "cls"
    first, mean = (load(str(path), engine="torch")(["red dress"]) for path in (tmp_path / "cls", tiny_bert))
    assert np.abs(first - mean).max() > 0.01


def test_broken_weights_are_not_saved(tiny_bert: Path, tmp_path: Path) -> None:
    broken = parts(tiny_bert)
    broken["tensors"]["embeddings.LayerNorm.weight"][3] = np.inf
    with pytest.raises(ModelError, match="LayerNorm"):
        save(tmp_path / "new", **broken)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="not empty"):
        save(tmp_path, **parts(tiny_bert))


def test_failed_save_leaves_nothing(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "new", **{**parts(tiny_bert), "tokenizer": tmp_path / "nothing.json"})
    assert not list(tmp_path.iterdir())


def test_full_disk_says_so(tiny_bert: Path, tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(DiskFull, match="takes no model"):
            save(tmp_path / "new", **parts(tiny_bert))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


def test_remains_of_a_killed_process_go_after_an_hour(tiny_bert: Path, tmp_path: Path) -> None:
    old, young = tmp_path / ".writing-old", tmp_path / ".writing-young"
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    save(tmp_path / "new", **parts(tiny_bert))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".writing-young", "new"]


def test_transformers_gives_the_same_vectors(tiny_bert: Path) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from tokenizers import Tokenizer

    bert = transformers.BertModel.from_pretrained(tiny_bert).eval()
    tokenizer = Tokenizer.from_file(str(tiny_bert / "tokenizer.json"))
    encoder = load(str(tiny_bert), engine="torch", settings=EncodeSettings())
    for text in ("red dress", "红色连衣裙", "a"):
        ids = torch.tensor([tokenizer.encode("query: " + text).ids])
        with torch.no_grad():
            states = bert(ids)[0][0].mean(0)
        wanted = (states / states.norm()).numpy()
        np.testing.assert_allclose(encoder([text], side="query")[0], wanted, atol=TOLERANCE)


def test_sentence_transformers_gives_the_same_vectors(tiny_bert: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    other = library.SentenceTransformer(str(tiny_bert), device="cpu")
    encoder, texts = load(str(tiny_bert), engine="torch"), ["red dress", "红色连衣裙", "", "a longer text of a shop"]
    for side in ("query", "passage"):
        found = other.encode(texts, prompt_name=side)
        np.testing.assert_allclose(encoder(texts, side=side), found, atol=TOLERANCE)
