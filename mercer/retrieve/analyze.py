"""Text in, the words and pieces that lexical search counts out, for Han and alphabetic scripts alike."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping

__all__ = ["grams", "normalise", "words"]

LONGEST_TEXT = 20_000
"""Characters of a field that are read: a description longer than this is a mistake, and its head says what it is."""

_HAN = r"\u3005\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_SYLLABLE = r"\u3040-\u30ff\uac00-\ud7af\u0e00-\u0e7f"
"""Kana, Hangul and Thai: written without spaces between words, or with endings glued on."""
_LETTER = rf"[^\W_{_HAN}{_SYLLABLE}]"
_WORD = re.compile(rf"(?P<run>[{_HAN}]+|[{_SYLLABLE}]+)|(?P<word>{_LETTER}+(?:['’.]{_LETTER}+)*)")
_PARTS = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")


def normalise(text: str) -> str:
    """Full-width to half-width, lower case, traditional to simplified Han, no accents on Latin letters.

    >>> normalise("ＬＥＤ檯燈 Café")
    'led台灯 cafe'
    """
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold()
    if text.isascii():
        return text
    text = text.translate(_simplified())
    return _ACCENTED.sub(lambda found: unicodedata.normalize("NFKD", found.group())[0], text)


_ACCENTED = re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]")


def words(text: str) -> list[str]:
    """Every word of a text in order: stems (Porter 2) of alphabetic words, single characters of Han runs.

    Letters and digits that were written together count together and apart.

    >>> words("running shoes")
    ['run', 'shoe']
    >>> words("iPhone13 手机壳")
    ['iphone13', 'iphon', '13', '手', '机', '壳']
    """
    found: list[str] = []
    stem = _stemmer()
    for match in _WORD.finditer(normalise(text)):
        run = match.group()
        if match.lastgroup == "run":
            found.extend(run)
            continue
        word = run.replace("’", "'").removesuffix("'s")
        found.append(stem(word))
        parts = _PARTS.findall(word)
        if len(parts) > 1 and not word.isalpha():
            found.extend(stem(part) for part in parts)
    return found


def grams(text: str) -> list[str]:
    """Pieces that forgive a typo and hold Han words together: pairs of Han characters, threes of letters.

    >>> grams("化妆包 case")
    ['化妆', '妆包', 'cas', 'ase']
    """
    found: list[str] = []
    for match in _WORD.finditer(normalise(text)):
        run = match.group()
        size = 2 if match.lastgroup == "run" else 3
        if size == 2 or len(run) > 3:
            found.extend(run[place : place + size] for place in range(len(run) - size + 1))
    return found


@functools.cache
def _stemmer() -> Callable[[str], str]:
    import Stemmer

    stem: Callable[[str], str] = Stemmer.Stemmer("english").stemWord
    return stem


@functools.cache
def _simplified() -> Mapping[int, str]:
    """OpenCC's table of single characters: enough for matching, and 100 times faster than its phrases."""
    from importlib.resources import files

    table = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text("utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    return {ord(old): new.split()[0] for old, new in pairs if len(old) == 1}
