"""A Han character in; its readings in pinyin and how rare each is out; syllables, and words that Chinese has."""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec

__all__ = ["missing_pinyin", "nearly", "phrases", "readings", "spoken", "syllables"]

NEARLY = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l"), ("h", "f"), ("ng", "n"))
"""Sounds that many speakers do not tell apart: initials, and finals with and without g."""
FIRST = 3.0
"""Phrases that the first reading of a dictionary counts as: most characters stand in none."""
RARE = 0.03
"""Share of a character's phrases that a reading has at least: dictionaries list even what nobody says, as nài of 能."""


def missing_pinyin() -> bool:
    """Whether characters have no sounds here."""
    return find_spec("pypinyin") is None


@functools.lru_cache(50_000)
def readings(character: str) -> Mapping[str, float]:
    """Readings of one character without tones, ü as v, each with its rarity in nats: 0 where it is the only one.

    >>> readings("杯"), min(readings("宿"), key=readings("宿").get)
    ({'bei': 0.0}, 'su')
    """
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore", v_to_u=False)
    listed = list(dict.fromkeys(found[0])) if found else []
    if not listed:
        return {}
    said = _said().get(character, {})
    counts = {sound: said.get(sound, 0) + (FIRST if sound == listed[0] else 0.0) for sound in listed}
    whole = sum(counts.values())
    return {sound: math.log(whole / max(count, RARE * whole)) for sound, count in counts.items()}


@functools.cache
def _said() -> Mapping[str, Mapping[str, int]]:
    """How often each character is read how, in the phrases of pypinyin."""
    from pypinyin.constants import PHRASES_DICT

    plain = functools.lru_cache(None)(_toneless)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for phrase, sounds in PHRASES_DICT.items():
        if len(phrase) == len(sounds):
            for character, sound in zip(phrase, sounds, strict=True):
                counts[character][plain(sound[0])] += 1
    return counts


def _toneless(sound: str) -> str:
    from pypinyin.contrib.tone_convert import to_normal

    return str(to_normal(sound, v_to_u=False))


@functools.cache
def syllables() -> frozenset[str]:
    """Every syllable of pinyin without tones; none without pypinyin."""
    if missing_pinyin():
        return frozenset()
    from pypinyin.constants import PINYIN_DICT

    common = range(0x4E00, 0x9FA6)
    listed = {sound for code, sounds in PINYIN_DICT.items() if code in common for sound in sounds.split(",")}
    return frozenset(plain for plain in map(_toneless, listed) if plain.isascii())


@functools.lru_cache(2_000)
def nearly(sound: str) -> tuple[str, ...]:
    """A syllable and those which it is taken for.

    >>> nearly("zen")
    ('zen', 'zhen', 'zeng')
    """
    found = [sound]
    for one, other in NEARLY[:-1]:
        for old, new in ((one, other), (other, one)):
            if sound.startswith(old) and not (len(old) == 1 and sound.startswith(old + "h")):
                found.append(new + sound[len(old) :])
    if sound.endswith("ng"):
        found.append(sound[:-1])
    elif sound.endswith("n"):
        found.append(sound + "g")
    return tuple(dict.fromkeys(found))


@functools.cache
def phrases() -> frozenset[str]:
    """Words of two characters that Chinese has, whether the shop has them or not."""
    listed = files("mercer.understand").joinpath("words.txt").read_text("utf-8")
    words = {word for line in listed.splitlines() if not line.startswith("#") for word in line.split()}
    if missing_pinyin():
        return frozenset(words)
    from pypinyin.constants import PHRASES_DICT

    return frozenset(words | {phrase for phrase in PHRASES_DICT if len(phrase) == 2})


def spoken(text: str) -> list[str]:
    """A text with Han characters as it is typed in pinyin: whole syllables, and their first letters.

    >>> spoken("红色连衣裙"), spoken("iphone手机壳"), spoken("cup")
    (['hongselianyiqun', 'hslyq'], ['iphoneshoujike', 'iphonesjk'], [])
    """
    if text.isascii() or missing_pinyin():
        return []
    from pypinyin import lazy_pinyin

    parts = lazy_pinyin(text.replace(" ", ""), v_to_u=False)
    whole = "".join(parts)
    if not (whole.isascii() and whole.isalnum()) or whole == text:
        return []
    firsts = "".join(part if part in text else part[0] for part in parts)
    return [whole, firsts] if len(firsts) > 1 else [whole]
