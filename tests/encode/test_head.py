"""A head over texts and pairs: the pieces that it reads, engines that agree, and folders that are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from mercer.encode import TOLERANCE, EncodeSettings, load
from mercer.encode.head import Head, head_of, open_judge
from mercer.encode.model import read
from mercer.encode.pair import PairTokens, padded
from mercer.errors import ModelError, UsageError

QUERY = "red dress"
PASSAGES = ["red dress 1", "blue cup", "", "a much longer text about a red dress 123 " * 3, "红色连衣裙", "x"]
CLASSES = Head(kind="classes", labels=("irrelevant", "substitute", "exact"), gains=(0.0, 0.1, 1.0), length=48)


def tokens(folder: Path, length: int) -> PairTokens:
    return PairTokens(folder / "tokenizer.json", length=length)


def test_a_pair_is_read_as_bert_was_trained(tiny_bert: Path) -> None:
    made = tokens(tiny_bert, 64)(["cup"], ["dress"])[0]
    alone = tokens(tiny_bert, 64)(["cup"])[0]
    assert alone.ids[0] == made.ids[0] == 2
    assert made.ids[: made.first] == alone.ids
    assert made.ids[-1] == alone.ids[-1] == 3
    ids, mask, side = padded([made, alone])
    assert ids.shape == mask.shape == side.shape == (2, len(made))
    assert side[0].tolist() == [0] * made.first + [1] * (len(made) - made.first)
    assert mask[1].sum() == len(alone)
    assert not side[1].any()


@pytest.mark.parametrize(("one", "other", "kept"), [(4, 40, 4), (40, 4, 9), (40, 40, 6), (2, 3, 2)])
def test_the_second_text_is_cut_first(tiny_bert: Path, one: int, other: int, kept: int) -> None:
    made = tokens(tiny_bert, 16)(["a" * one], ["b" * other])[0]
    assert len(made) == min(16, one + other + 3)
    assert made.first == kept + 2


def test_pairs_need_two_texts_each(tiny_bert: Path) -> None:
    with pytest.raises(UsageError, match="2 first texts, 1 second"):
        tokens(tiny_bert, 16)(["a", "b"], ["c"])
    assert tokens(tiny_bert, 16)([], []) == []


def test_engines_agree_and_a_batch_changes_nothing(tiny_reranker: Path) -> None:
    torch, onnx = (
        open_judge(tiny_reranker, settings=EncodeSettings(engine=engine, batch_tokens=128, threads=1))  # type: ignore[arg-type]
        for engine in ("torch", "onnx")
    )
    said = torch([QUERY] * len(PASSAGES), PASSAGES)
    assert said.shape == (len(PASSAGES), 1)
    assert said.std() > 0.01
    np.testing.assert_allclose(onnx([QUERY] * len(PASSAGES), PASSAGES), said, atol=TOLERANCE)
    alone = np.concatenate([onnx([QUERY], [passage]) for passage in PASSAGES])
    np.testing.assert_allclose(alone, said, atol=TOLERANCE)
    assert torch.name == onnx.name
    swapped = torch(PASSAGES, [QUERY] * len(PASSAGES))
    assert np.abs(swapped - said).max() > 0.01, "which text is which must be seen"


def test_likeness_counts_in_pairs_alone(with_head: Callable[..., Path], tmp_path: Path) -> None:
    plain, liking = (with_head(tmp_path / str(match), Head(length=48, match=match)) for match in (0.0, 3.0))
    judges = [open_judge(folder, settings=EncodeSettings(engine="torch", threads=1)) for folder in (plain, liking)]
    pairs = [judge([QUERY] * len(PASSAGES), PASSAGES) for judge in judges]
    added = (pairs[1] - pairs[0])[:, 0] / 3
    assert (np.abs(added) <= 1 + 1e-5).all()
    assert added.std() > 0.01
    np.testing.assert_allclose(judges[1](PASSAGES), judges[0](PASSAGES), atol=1e-5)
    onnx = open_judge(liking, settings=EncodeSettings(engine="onnx", threads=1, cache=str(tmp_path)))
    np.testing.assert_allclose(onnx([QUERY] * len(PASSAGES), PASSAGES), pairs[1], atol=TOLERANCE)


def test_classes_are_probabilities_and_their_gains_relevance(with_head: Callable[..., Path], tmp_path: Path) -> None:
    judge = open_judge(with_head(tmp_path / "model", CLASSES), settings=EncodeSettings(engine="torch"))
    assert judge.head == CLASSES
    shares = judge.probabilities(PASSAGES)
    assert shares.shape == (len(PASSAGES), 3)
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
    assert shares.std() > 0.01
    pairs = judge.probabilities([QUERY] * len(PASSAGES), PASSAGES)
    np.testing.assert_allclose(judge.relevance(QUERY, PASSAGES), pairs @ [0.0, 0.1, 1.0], atol=1e-5)


def test_what_a_head_says_becomes_relevance() -> None:
    said = np.array([[-100.0], [0.0], [1.0], [100.0]], np.float32)
    assert Head().relevance(said) == pytest.approx([0, 0.5, 0.731, 1], abs=1e-3)
    assert Head(scale=2.0, shift=-2.0).relevance(said)[2] == pytest.approx(0.5)
    rating = Head(kind="rating", low=1.0, high=5.0)
    assert rating.relevance(np.array([[0.0], [3.0], [9.0]], np.float32)) == pytest.approx([0, 0.5, 1])
    with pytest.raises(ModelError, match="no relevance"):
        Head(kind="classes", labels=("good", "bad")).relevance(np.zeros((1, 2), np.float32))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "guess"},
        {"kind": "classes"},
        {"kind": "classes", "labels": ("a", "b"), "gains": (1.0,)},
        {"scale": -1.0},
        {"shift": float("nan")},
        {"low": 1.0},
    ],
)
def test_a_head_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ModelError):
        Head(**wrong)


def spoil(folder: Path, **head: object) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["mercer"]["head"] |= head
    (folder / "config.json").write_text(json.dumps(config), "utf-8")


def test_folders_that_do_not_fit_are_refused(tiny_bert: Path, tiny_reranker: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no head"):
        head_of(read(tiny_bert))
    for number, (wrong, said) in enumerate(
        (
            ({"kind": "classes", "labels": ["a", "b"]}, r"head.weight has shape \(1, 32\), not \(2, 32\)"),
            ({"flavour": "sweet"}, "flavour"),
        )
    ):
        copy = Path(shutil.copytree(tiny_reranker, tmp_path / str(number)))
        spoil(copy, **wrong)
        with pytest.raises(ModelError, match=said):
            open_judge(copy, settings=EncodeSettings(engine="torch"))


def test_infinite_numbers_are_refused(tiny_reranker: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copy = Path(shutil.copytree(tiny_reranker, tmp_path / "copy"))
    tensors = load_file(copy / "model.safetensors")
    tensors["head.bias"] = np.array([np.nan], np.float32)
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="NaN"):
        open_judge(copy, settings=EncodeSettings(engine="torch"))


def test_a_folder_with_a_head_is_no_encoder(tiny_reranker: Path) -> None:
    with pytest.raises(ModelError, match="gives no vectors"):
        load(str(tiny_reranker))
