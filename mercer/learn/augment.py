"""A query in; the same wish typed otherwise (typos, order, synonyms, sounds, script) out."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mercer.errors import SettingsError
from mercer.understand.sound import missing_pinyin, readings

__all__ = ["WAYS", "Augment", "AugmentSettings", "Way"]

WAYS = ("typo", "drop", "order", "synonym", "homophone", "pinyin", "script", "rewrite")
OFTEN = {"typo": 8, "homophone": 4, "pinyin": 2, "script": 1, "synonym": 1, "order": 1, "drop": 0.5, "rewrite": 2}
"""How often a way is taken beside the others: as often as shoppers do it, about. A guess."""
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SLANT = 0.5
"""Keys that a row of the keyboard is moved to the right of the one above, about."""
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PAIR = re.compile(r"[\u4e00-\u9fff]{2,}")
_WORD = re.compile(r"[a-zA-Z]{3,}")

Way = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True)
class AugmentSettings:
    """Section ``[learn.augment]``: how queries are typed otherwise while training."""

    share: float = 0.0
    """Share of a step's queries that are, 0 to 1. Off until `benchmarks/robust_ablation.py` has shown a gain."""
    ways: tuple[str, ...] = WAYS
    """Of typo, drop, order, synonym, homophone, pinyin, script, rewrite; a query takes one that changes it."""
    rewriter: str = ""
    """Command that reads a query a line and writes it otherwise a line, as a back-translation does; "" is none."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise SettingsError(f"[learn.augment] share is {self.share}", cure="give a share between 0 and 1")
        if unknown := [name for name in self.ways if name not in WAYS]:
            raise SettingsError(f"[learn.augment] ways has {unknown[0]!r}", cure=f"name some of {', '.join(WAYS)}")
        if not self.ways:
            raise SettingsError("[learn.augment] ways is empty", cure="set share = 0 to have none")


@dataclass(frozen=True)
class Augment:
    """Call it with a query and a source of chance; what no way changes comes back as it was.

    >>> Augment(ways=("order",))("steel cup", random.Random(1))
    'cup steel'
    """

    ways: Sequence[str] = WAYS
    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Word or words → what may stand instead."""
    rewritten: Mapping[str, str] = field(default_factory=dict)
    """Query → the same otherwise, see `augment_rewrite`."""
    characters: frozenset[str] = frozenset()
    """Han characters that a homophone is taken from; the commonest 3,000 where empty."""

    def __call__(self, text: str, chance: random.Random) -> str:
        for name in sorted(self.ways, key=lambda name: chance.random() ** (1 / OFTEN[name]), reverse=True):
            changed = self._way(name)(text, chance)
            if changed != text and changed.strip():
                return changed
        return text

    def _way(self, name: str) -> Way:
        own: Mapping[str, Way] = {
            "synonym": self._synonym,
            "homophone": self._homophone,
            "rewrite": lambda text, _: self.rewritten.get(text, text),
        }
        return own.get(name) or PLAIN[name]

    def _synonym(self, text: str, chance: random.Random) -> str:
        words = f" {text} "
        known = [one for one in self.synonyms if (one in text if _HAN.search(one) else f" {one} " in words)]
        if not known:
            return text
        one = chance.choice(known)
        return text.replace(one, chance.choice(list(self.synonyms[one])), 1)

    def _homophone(self, text: str, chance: random.Random) -> str:
        """One Han character as another of the same sound."""
        places = [match.start() for match in _HAN.finditer(text)]
        if not places or missing_pinyin():
            return text
        sounds = _by_sound(self.characters or _common())
        for place in chance.sample(places, len(places)):
            said = readings(text[place])
            others = [one for sound in said for one in sounds.get(sound, ()) if one != text[place]]
            if others:
                return text[:place] + chance.choice(others) + text[place + 1 :]
        return text


@functools.cache
def _common() -> frozenset[str]:
    """What schools teach first lies first in Unicode's own order no more than elsewhere, so the simplified block of
    GB 2312, level 1: 3,755 characters in use."""
    found = (bytes((high, low)).decode("gb2312", "ignore") for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    return frozenset(one for one in found if one)


@functools.lru_cache(4)
def _by_sound(characters: frozenset[str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for one in sorted(characters):
        for sound in readings(one):
            found.setdefault(sound, []).append(one)
    return found


@functools.cache
def _beside() -> Mapping[str, str]:
    """Letter → letters whose keys touch."""
    places = {key: (column + SLANT * row, row) for row, keys in enumerate(KEYS) for column, key in enumerate(keys)}
    return {
        key: "".join(o for o, (x, y) in places.items() if o != key and abs(x - at[0]) <= 1 and abs(y - at[1]) <= 1)
        for key, at in places.items()
    }


def _typo(text: str, chance: random.Random) -> str:
    """A letter lost, doubled, put in, hit beside or swapped in one word; a Han character lost or doubled."""
    spans = [match.span() for match in _WORD.finditer(text)] or [match.span() for match in _PAIR.finditer(text)]
    if not spans:
        return text
    start, end = chance.choice(spans)
    at, han = chance.randrange(start, end), bool(_HAN.match(text[start]))
    kind = chance.choice(("lost", "doubled") if han else ("lost", "doubled", "put in", "beside", "swapped"))
    letter = text[at]
    if kind == "lost":
        return text[:at] + text[at + 1 :]
    if kind == "doubled":
        return text[:at] + letter + text[at:]
    if kind == "put in":
        return text[: at + 1] + chance.choice("".join(KEYS)) + text[at + 1 :]
    if kind == "beside":
        return text[:at] + chance.choice(_beside().get(letter.lower(), letter)) + text[at + 1 :]
    at = min(at, end - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _drop(text: str, chance: random.Random) -> str:
    """One word of three and more lost."""
    words = text.split()
    if len(words) < 3:
        return text
    gone = chance.randrange(len(words))
    return " ".join(word for at, word in enumerate(words) if at != gone)


def _order(text: str, chance: random.Random) -> str:
    """Two words that change places."""
    words = text.split()
    if len(words) < 2:
        return text
    one, other = chance.sample(range(len(words)), 2)
    words[one], words[other] = words[other], words[one]
    return " ".join(words)


def _pinyin(text: str, chance: random.Random) -> str:
    """Two or three Han characters that stand together as they are typed without choosing; now and then all of them."""
    runs = [match.span() for match in _PAIR.finditer(text)]
    if not runs or missing_pinyin():
        return text
    start, end = chance.choice(runs)
    if chance.random() > 0.25:
        size = min(chance.choice((2, 2, 3)), end - start)
        start = chance.randrange(start, end - size + 1)
        end = start + size
    return text[:start] + "".join(_spoken(one) for one in text[start:end]) + text[end:]


def _spoken(character: str) -> str:
    said = readings(character)
    return min(said, key=lambda sound: said[sound]) if said else character


def _script(text: str, _: random.Random) -> str:
    """Simplified characters as traditional ones, or the other way round."""
    if not _HAN.search(text):
        return text
    there, back = _converter("s2t"), _converter("t2s")
    changed: str = there(text)
    return changed if changed != text else back(text)


@functools.cache
def _converter(way: str) -> Callable[[str], str]:
    from opencc import OpenCC

    convert: Callable[[str], str] = OpenCC(way).convert
    return convert


PLAIN: Mapping[str, Way] = {"typo": _typo, "drop": _drop, "order": _order, "pinyin": _pinyin, "script": _script}


def instead_of(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """(word, what may stand instead) by word."""
    found: dict[str, list[str]] = {}
    for one, other in pairs:
        found.setdefault(one, []).append(other)
    return found
