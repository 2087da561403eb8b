"""A model and the shop's texts in; the same model with only the word pieces that are needed out."""

from __future__ import annotations

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mercer.encode.compress.folder import rewritten, tensors_of
from mercer.encode.model import WORDS, Model
from mercer.encode.tokens import Tokens
from mercer.errors import ModelError

__all__ = ["Trimmed", "outside", "trim"]

BATCH = 1024
MARKS = ("##", "\u2581")
"""What WordPiece puts before a piece inside a word, and SentencePiece before one that begins a word."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A model with fewer word pieces."""

    model: Model
    before: int
    """Pieces in the vocabulary."""
    after: int
    renumbered: Mapping[int, int]
    """Old number → new number of the pieces that stay."""


def trim(model: Model, folder: Path, texts: Iterable[str], *, extra: int, length: int) -> Trimmed:
    """Write the model with the pieces of `texts`, all single characters, and the `extra` most frequent others.

    Texts that only need pieces that stay give the same pieces and the same vectors: WordPiece takes the longest piece
    that fits, Unigram the likeliest split, and neither is changed by leaving out what it did not choose. Other texts
    fall into smaller pieces; the single characters are there for them.

    Args:
        model: to be trimmed.
        folder: a new one.
        texts: of the shop: products and queries.
        extra: others that stay, of the scripts that occur in `texts`, in the vocabulary's own order of frequency.
        length: longest text in word pieces.

    Raises:
        ModelError: a tokenizer that is neither WordPiece nor Unigram, or a text whose pieces changed.
    """
    held = list(dict.fromkeys(texts))
    path = model.folder / "tokenizer.json"
    told = json.loads(path.read_text("utf-8"))
    pieces = _pieces(told, path)
    tokens = Tokens(path, prefixes=model.prefixes, max_length=length)
    used = {number for side in ("query", "passage") for ids in _ids(tokens, held, side) for number in ids}
    kept = used | _needed(told, pieces)
    kept |= set(_further(pieces, kept, used, extra))
    order = sorted(kept)
    renumbered = {old: new for new, old in enumerate(order)}
    _rewrite(told, pieces, renumbered)
    tensors = tensors_of(model)
    tensors[WORDS] = tensors[WORDS][order]
    config = {**model.config, "vocab_size": len(order)}
    for name, value in model.config.items():
        if name.endswith("_token_id") and isinstance(value, int):
            config[name] = renumbered.get(value, 0)
    with TemporaryDirectory() as scratch:
        written = Path(scratch) / "tokenizer.json"
        written.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
        made = rewritten(model, folder, config=config, tensors=tensors, tokenizer=written)
    _same(tokens, Tokens(folder / "tokenizer.json", prefixes=model.prefixes, max_length=length), held, renumbered)
    return Trimmed(made, len(pieces), len(order), renumbered)


def outside(model: Model, trimmed: Trimmed, texts: Sequence[str], *, length: int) -> float:
    """Share of `texts` that need a piece which was left out; they are still encoded, from smaller pieces."""
    tokens = Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=length)
    found = [not set(ids) <= trimmed.renumbered.keys() for ids in _ids(tokens, texts, "query")]
    return float(np.mean(found)) if found else 0.0


def _ids(tokens: Tokens, texts: Sequence[str], side: str) -> Iterable[list[int]]:
    for start in range(0, len(texts), BATCH):
        yield from tokens(texts[start : start + BATCH], side)


def _pieces(told: Mapping[str, Any], path: Path) -> list[tuple[str, float]]:
    """Pieces and scores by number; WordPiece's own order is one of frequency."""
    kind, vocabulary = told["model"].get("type"), told["model"].get("vocab")
    if kind == "WordPiece":
        return [(piece, -math.log(at + 1)) for piece, at in sorted(vocabulary.items(), key=lambda pair: pair[1])]
    if kind == "Unigram" and not told["model"].get("byte_fallback"):
        return [(piece, float(score)) for piece, score in vocabulary]
    raise ModelError(f"{path} has a tokenizer of type {kind}", cure="leave --trim out; WordPiece and Unigram can be")


def _needed(told: Mapping[str, Any], pieces: Sequence[tuple[str, float]]) -> set[int]:
    """Special and added pieces, what stands for the unknown, single characters, and Unigram's least likely piece.

    Unigram takes the score of an unknown character from its least likely piece.
    """
    number = {piece: at for at, (piece, _) in enumerate(pieces)}
    needed = {int(added["id"]) for added in told.get("added_tokens", [])}
    needed |= {at for at, (piece, _) in enumerate(pieces) if len(_bare(piece)) <= 1}
    model = told["model"]
    if model["type"] == "WordPiece":
        needed.add(number[model["unk_token"]])
    else:
        needed.add(int(model["unk_id"]))
        needed.add(min(range(len(pieces)), key=lambda at: pieces[at][1]))
    return {at for at in needed if at < len(pieces)}


def _bare(piece: str) -> str:
    for mark in MARKS:
        piece = piece.removeprefix(mark)
    return piece


def _further(pieces: Sequence[tuple[str, float]], kept: set[int], used: set[int], extra: int) -> list[int]:
    """The `extra` pieces not kept yet that such a shop is likeliest to need.

    How often a piece occurs (logarithms, as Unigram keeps them; WordPiece's order by Zipf) in what the model was
    trained on, by how much more the shop uses its script than that did.
    """
    scripts = [_script(piece) for piece, _ in pieces]
    shop, world = Counter(scripts[at] for at in used), dict.fromkeys(scripts, 0.0)
    for (_, score), script in zip(pieces, scripts, strict=True):
        world[script] += math.exp(score)
    weight = {script: math.log(number / world[script]) for script, number in shop.items() if world[script] > 0}
    open_ = [at for at, script in enumerate(scripts) if at not in kept and script in weight]
    open_.sort(key=lambda at: -pieces[at][1] - weight[scripts[at]])
    return open_[:extra]


def _script(piece: str) -> str:
    """The first word of the name of a piece's first character: LATIN, CJK, HIRAGANA, DIGIT."""
    return unicodedata.name(_bare(piece)[:1] or " ", "?").partition(" ")[0]


def _rewrite(told: dict[str, Any], pieces: Sequence[tuple[str, float]], renumbered: Mapping[int, int]) -> None:
    """Change `told`, the tokenizer, to the pieces that stay and their new numbers."""
    model = told["model"]
    if model["type"] == "WordPiece":
        model["vocab"] = {pieces[old][0]: new for old, new in renumbered.items()}
    else:
        model["vocab"] = [list(pieces[old]) for old in renumbered]
        model["unk_id"] = renumbered[int(model["unk_id"])]
    told["added_tokens"] = [
        {**added, "id": renumbered[int(added["id"])]}
        for added in told.get("added_tokens", [])
        if added["id"] in renumbered
    ]
    told["padding"] = told["truncation"] = None
    _renumber(told.get("post_processor"), renumbered)


def _renumber(part: Any, renumbered: Mapping[int, int]) -> None:
    """Numbers of the marks that post-processors put around a text."""
    if not isinstance(part, dict):
        return
    for one in part.get("processors") or ():
        _renumber(one, renumbered)
    for side in ("sep", "cls"):
        if isinstance(part.get(side), list):
            part[side][1] = renumbered[part[side][1]]
    special = part.get("special_tokens")
    for mark in special.values() if isinstance(special, dict) else ():
        mark["ids"] = [renumbered[old] for old in mark["ids"]]


def _same(before: Tokens, after: Tokens, texts: Sequence[str], renumbered: Mapping[int, int]) -> None:
    """Nothing that is told above is taken on trust."""
    for text, old, new in zip(texts, _ids(before, texts, "query"), _ids(after, texts, "query"), strict=True):
        if [renumbered[at] for at in old] != new:
            raise ModelError(f"trimming changed the pieces of {text!r:.80}", cure="leave --trim out")
