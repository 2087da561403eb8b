"""Texts and a tokenizer.json in, word-piece numbers out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mercer.encode.extra import need
from mercer.errors import ModelError

__all__ = ["Tokens"]

CHARACTERS_A_PIECE = 16
"""Texts are cut to this many characters a word piece before they are tokenized, so that 1 MB costs little.

Real text has at most 5 or 6 characters a piece; the cut is seen only in text that is mostly blanks."""

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which JSON can smuggle into a string and no tokenizer takes."""


class Tokens:
    """A tokenizer that puts the side's prefix before a text and cuts it to `max_length` pieces."""

    def __init__(self, path: Path, *, prefixes: Mapping[str, str], max_length: int) -> None:
        """Read ``tokenizer.json``.

        Raises:
            ModelError: the file is missing or no tokenizer.
            MissingExtra: package tokenizers is not installed.
        """
        tokenizers = need("tokenizers")
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the Rust binding raises bare Exception
            raise ModelError(f"{path} is no tokenizer: {error}", cure="install or save the model again") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)
        self._prefixes = dict(prefixes)
        self._cut = max_length * CHARACTERS_A_PIECE

    @property
    def size(self) -> int:
        """Pieces in the vocabulary."""
        return int(self._tokenizer.get_vocab_size())

    def __call__(self, texts: Sequence[str], side: str) -> list[list[int]]:
        """Piece numbers of each text, with the model's marks at both ends; an empty text has only those."""
        prefix = self._prefixes.get(side, "")
        prepared = [prefix + self._prepare(text) for text in texts]
        if len(prepared) == 1:
            return [self._tokenizer.encode(prepared[0]).ids]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(prepared)]

    def spans(self, text: str, side: str) -> list[tuple[int, int, int, int]]:
        """Of each piece of `text` alone its number, where it begins and ends in the text, and which word it is of.

        Marks and the prefix have -1 as their word.
        """
        prefix = self._prefixes.get(side, "")
        encoding = self._tokenizer.encode(prefix + self._prepare(text))
        found, own = [], len(prefix)
        for id, (start, end), word in zip(encoding.ids, encoding.offsets, encoding.word_ids, strict=True):
            inside = word is not None and end > own
            found.append((id, max(0, start - own), end - own, int(word)) if inside else (id, 0, 0, -1))
        return found

    def _prepare(self, text: str) -> str:
        cut = text.strip()[: self._cut]
        return cut if cut.isascii() else _LONE_SURROGATES.sub("\ufffd", cut)
