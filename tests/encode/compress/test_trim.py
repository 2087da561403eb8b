"""Fewer pieces: the same numbers and vectors for texts that need no other, a cure for tokenizers that cannot be cut."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.encode import load
from mercer.encode.compress.trim import outside, trim
from mercer.encode.model import Model, read
from mercer.encode.save import save
from mercer.encode.tokens import Tokens
from mercer.errors import ModelError

SHOP = ["red dress", "blue dress 42", "红色连衣裙"]


def tokens(model: Model) -> Tokens:
    return Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=64)


@pytest.fixture
def longer(tiny: Model, tmp_path: Path) -> Model:
    """The tiny model with whole words too: WordPiece that has something to leave out."""
    from safetensors.numpy import load_file

    told = json.loads((tiny.folder / "tokenizer.json").read_text("utf-8"))
    vocabulary = told["model"]["vocab"]
    for piece in ("red", "dress", "blue", "##lue", "cup", "连衣", "query", "passage"):
        vocabulary[piece] = len(vocabulary)
    return grown(tiny, told, len(vocabulary), tmp_path / "longer", load_file(tiny.weights))


def grown(tiny: Model, told: dict[str, Any], pieces: int, folder: Path, tensors: dict[str, Any]) -> Model:
    word = "embeddings.word_embeddings.weight"
    rng = np.random.default_rng(3)
    tensors[word] = rng.normal(0, 0.3, (pieces, 32)).astype(np.float32)
    written = folder.parent / "tokenizer.json"
    written.write_text(json.dumps(told), "utf-8")
    config = {**tiny.config, "vocab_size": pieces}
    save(folder, config=config, tensors=tensors, tokenizer=written, prefixes=tiny.prefixes)
    return read(folder)


@pytest.fixture
def unigram(tiny: Model, tmp_path: Path) -> Model:
    """SentencePiece's kind of tokenizer, as multilingual-e5 has it: marks at 0 to 3, blanks as pieces."""
    tokenizers = pytest.importorskip("tokenizers")
    from safetensors.numpy import load_file

    letters = sorted(set("abcdefghilmnopqrstuvwxyz:0123456789红色连衣裙"))
    scores = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -3.0)]
    scores += [(letter, -6.0 - at / 10) for at, letter in enumerate(letters)]
    scores += [("\u2581red", -4.0), ("\u2581dress", -4.5), ("dress", -5.0), ("\u2581cup", -4.2), ("连衣裙", -4.1)]
    scores += [("rare", -20.0)]
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(scores, unk_id=3, byte_fallback=False))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    made.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return grown(tiny, json.loads(made.to_str()), len(scores), tmp_path / "unigram", load_file(tiny.weights))


@pytest.mark.parametrize("kind", ["longer", "unigram"])
def test_covered_texts_keep_their_pieces_and_vectors(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: Model = request.getfixturevalue(kind)
    made = trim(model, tmp_path / "made", SHOP, extra=0, length=64)
    assert made.after < made.before
    assert len(made.model.table) == made.after == tokens(made.model).size
    for side in ("query", "passage"):
        old, new = tokens(model)(SHOP, side), tokens(made.model)(SHOP, side)
        assert [[made.renumbered[at] for at in ids] for ids in old] == new
        before, after = (load(str(one.folder), engine="torch")(SHOP, side=side) for one in (model, made.model))
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("kind", ["longer", "unigram"])
def test_other_texts_fall_into_smaller_pieces(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: Model = request.getfixturevalue(kind)
    made = trim(model, tmp_path / "made", ["red dress"], extra=0, length=64)
    (whole,), (split,) = tokens(model)(["cup"], "query"), tokens(made.model)(["cup"], "query")
    assert len(split) > len(whole)
    vocabulary = json.loads((made.model.folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    unknown = vocabulary["[UNK]"] if isinstance(vocabulary, dict) else [one for one, _ in vocabulary].index("<unk>")
    assert unknown not in split
    assert outside(model, made, ["cup", "red"], length=64) == 0.5


@pytest.mark.parametrize("kind", ["longer", "unigram"])
def test_unknown_characters_score_as_before(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: Model = request.getfixturevalue(kind)
    shop = ["red ☂ dress", "☂☂", "红☂裙"]
    made = trim(model, tmp_path / "made", shop, extra=0, length=64)
    old, new = tokens(model)(shop, "query"), tokens(made.model)(shop, "query")
    assert [[made.renumbered[at] for at in ids] for ids in old] == new


def test_extra_takes_the_likeliest_of_scripts_in_use(unigram: Model, tmp_path: Path) -> None:
    told = {}
    for extra in (0, 1, 1000):
        folder = tmp_path / str(extra)
        trim(unigram, folder, ["red dress"], extra=extra, length=64)
        vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
        told[extra] = {piece for piece, _ in vocabulary}
    assert told[1] - told[0] == {"\u2581cup"}
    assert "连衣裙" not in told[1000]


def test_another_kind_of_tokenizer_is_refused(tiny: Model, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny.folder, tmp_path / "copy"))
    told = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    told["model"]["type"] = "BPE"
    (folder / "tokenizer.json").write_text(json.dumps(told), "utf-8")
    with pytest.raises(ModelError, match=r"BPE|no tokenizer"):
        trim(read(folder), tmp_path / "made", SHOP, extra=0, length=64)
