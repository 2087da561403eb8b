"""A raw query in; the same in half-width and simplified characters with joined units, and its language, out."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence

from mercer.errors import RequestError
from mercer.records import Request
from mercer.understand.decoration import plain
from mercer.understand.query import Language

__all__ = ["HAN", "in_chinese", "language", "normalise", "readable", "simplified", "stem", "traditional"]

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

_UNITS = {"毫升": "ml", "公斤": "kg", "千克": "kg", "厘米": "cm", "毫米": "mm", "英寸": "寸"}
_CHINESE_UNIT = re.compile(rf"(\d)\s*({'|'.join(_UNITS)})")
_UNIT = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)\s+(ml|cl|kg|mg|mah|gb|tb|mb|oz|lbs|cm|mm|ghz|hz|寸|码|斤|米|升|克|片|支|瓶)(?!\w)", re.I
)
_INCH = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(?:\"|″|''|[- ]?inch(?:es)?\b)", re.I)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]{2}")
_IS_HAN = re.compile(f"[{HAN}]")


def readable(query: str, *, longest: int) -> str:
    """The query without control characters and outer space.

    Raises:
        RequestError: longer than `longest` characters.
    """
    if len(query) > longest:
        raise RequestError(f"the query has {len(query):,} characters", cure=f"give at most {longest}")
    kept = "".join(character if unicodedata.category(character)[0] != "C" else " " for character in query)
    return " ".join(kept.split())


def in_chinese(request: Request, query: str) -> bool:
    """Whether reasons are given in Chinese: as the shopper asked, else as the query is written."""
    asked = request.context.get("language", "")
    return asked.startswith("zh") if asked else any("\u3400" <= character <= "\u9fff" for character in query)


def normalise(query: str) -> str:
    """Half-width, simplified, no emoji, a number and its unit in one form; upper and lower case stay as they are.

    >>> normalise("５００ ＭＬ 保溫杯"), normalise('frame 12" x 10 inches'), normalise("水壶 500毫升")
    ('500ML 保温杯', 'frame 12 inch x 10 inch', '水壶 500ml')
    """
    text = simplified(unicodedata.normalize("NFKC", plain(query)))
    text = _CHINESE_UNIT.sub(lambda found: found[1] + _UNITS[found[2]], text)
    text = _INCH.sub(r"\1 inch", _UNIT.sub(r"\1\2", text))
    return " ".join(text.split())


def simplified(text: str) -> str:
    """Traditional Han characters as simplified ones, one by one.

    >>> simplified("無線耳機")
    '无线耳机'
    """
    return text if text.isascii() else text.translate(_table())


def traditional(character: str) -> str:
    """Every character that `simplified` makes this one, itself among them unless that makes it another.

    >>> traditional("发"), traditional("a")
    ('发發髮', 'a')
    """
    itself = character if simplified(character) == character else ""
    return itself + "".join(other for other in _simplified_from().get(character, ()) if other != character)


def language(text: str) -> Language:
    """What a text is written in.

    >>> language("红色 dress"), language("red dress"), language("连衣裙 M"), language("42")
    ('mixed', 'en', 'zh', '')
    """
    han, latin = bool(_IS_HAN.search(text)), bool(_LATIN.search(text))
    return "mixed" if han and latin else "zh" if han else "en" if latin else ""


@functools.lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a lower-case English word (Porter 2), as lexical search has it."""
    return str(_stemmer().stemWord(word))


@functools.cache
def _stemmer():  # type: ignore[no-untyped-def]  # PyStemmer has no types
    import Stemmer

    return Stemmer.Stemmer("english")


@functools.cache
def _table() -> Mapping[int, str]:
    """OpenCC's single characters (opencc-python-reimplemented, Apache 2.0), the table that the index was made with."""
    from importlib.resources import files

    table = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text("utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    return {ord(old): new.split()[0] for old, new in pairs if len(old) == 1}


@functools.cache
def _simplified_from() -> Mapping[str, Sequence[str]]:
    """Simplified character → what is written for it in traditional text."""
    found: dict[str, list[str]] = {}
    for old, new in _table().items():
        found.setdefault(new, []).append(chr(old))
    return found
