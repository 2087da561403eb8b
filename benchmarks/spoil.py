"""A clean query and a random number generator in; the query with one mistake of a kind out.

Mistakes are made without the corrector's tables: keys that touch come from a drawing of the keyboard written here,
homophones are drawn by how frequent jieba's word list has them, look-alike letters and wordy frames are written here.
Shared are the readings of characters (pypinyin) and OpenCC's characters, which both sides have, and nothing else.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

__all__ = ["OTHERS", "TYPOS", "Spoil"]

TOUCHING = (
    "q:wa w:qes e:wrd r:etf t:ryg y:tuh u:yij i:uok o:ipl p:ol a:qsz s:awdx d:sefc f:drgv g:fthb h:gyjn j:hukm k:jil "
    "l:kop z:asx x:zsdc c:xdfv v:cfgb b:vghn n:bhjm m:njk"
)
KEYS = dict(pair.split(":") for pair in TOUCHING.split())
EMOJI = "🔥👍✨💖🎁"
ALIKE = dict(zip("aeopcxyABEHKMOPCTX", "аеорсхуАВЕНКМОРСТХ", strict=True))
"""Latin letters and the Cyrillic ones that look the same."""
FRAMES_EN = ("i am looking for {}", "can you show me {} please", "what is the best {} to buy", "where can i find {}",
             "i need to buy {} for my home")  # fmt: skip
FRAMES_ZH = ("我想买{}", "请问有没有{}", "{}哪个牌子好", "帮我找一下{}", "有什么好用的{}推荐吗")
Spoil = Callable[[str, random.Random], str]


def han(text: str) -> list[tuple[int, int]]:
    """Runs of two Han characters and more, as (start, end)."""
    return [match.span() for match in re.finditer(r"[\u4e00-\u9fff]{2,}", text)]


def latin(change: Callable[[str, random.Random], str]) -> Spoil:
    """A mistake in one word of four letters or more, of three where there is none longer."""

    def spoil(query: str, chance: random.Random) -> str:
        parts = query.split(" ")
        for least in (4, 3):
            places = [n for n, part in enumerate(parts) if len(part) >= least and part.isascii() and part.isalpha()]
            if places:
                place = chance.choice(places)
                return " ".join([*parts[:place], change(parts[place], chance), *parts[place + 1 :]])
        return query

    return spoil


def insert(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word) + 1)
    return word[:place] + chance.choice("abcdefghijklmnopqrstuvwxyz") + word[place:]


def delete(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word))
    return word[:place] + word[place + 1 :]


def neighbour(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word))
    return word[:place] + chance.choice(KEYS[word[place].lower()]) + word[place + 1 :]


def swap(word: str, chance: random.Random) -> str:
    places = [n for n in range(len(word) - 1) if word[n] != word[n + 1]]
    place = chance.choice(places)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def spacing(query: str, chance: random.Random) -> str:
    """A space lost, or one too many inside a word."""
    spaces = [n for n, letter in enumerate(query) if letter == " "]
    inside = [n for n in range(2, len(query) - 1) if query[n - 1 : n + 1].isalpha() and query[n - 2 : n].isalpha()]
    if spaces and (chance.random() < 0.5 or not inside):
        place = chance.choice(spaces)
        return query[:place] + query[place + 1 :]
    place = chance.choice(inside) if inside else 0
    return query[:place] + " " + query[place:] if place else query


def order(query: str, chance: random.Random) -> str:
    parts = query.split()
    chance.shuffle(parts)
    return " ".join(parts)


def emoji(query: str, chance: random.Random) -> str:
    """One before and one behind."""
    return f"{chance.choice(EMOJI)}{query} {chance.choice(EMOJI)}"


def wide(query: str, _: random.Random) -> str:
    """Every letter, digit and sign of full width, and the space."""
    whole = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in query)
    return whole.replace(" ", "\u3000")


def alike(query: str, chance: random.Random) -> str:
    """One word with letters of another script that look the same, as copied texts have them."""
    parts = query.split(" ")
    places = [n for n, part in enumerate(parts) if len(part) > 2 and set(part) & set(ALIKE)]
    if not places:
        return query
    place = chance.choice(places)
    return " ".join([*parts[:place], "".join(ALIKE.get(one, one) for one in parts[place]), *parts[place + 1 :]])


def wordy(query: str, chance: random.Random) -> str:
    """As the long tail has it: a sentence around what is wanted."""
    return chance.choice(FRAMES_ZH if han(query) else FRAMES_EN).format(query)


def traditional(query: str, _: random.Random) -> str:
    return _opencc().convert(query)


@cache
def _opencc():
    import opencc

    return opencc.OpenCC("s2t")


@cache
def frequent() -> Mapping[str, Sequence[tuple[str, int]]]:
    """Characters of each syllable with their counts in jieba's words."""
    import jieba
    from pypinyin import lazy_pinyin

    counts: Counter[str] = Counter()
    for line in (Path(jieba.__file__).parent / "dict.txt").read_text("utf-8").splitlines():
        word, count = line.split(" ")[:2]
        for letter in word:
            if "\u4e00" <= letter <= "\u9fff":
                counts[letter] += int(count)
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for letter, count in counts.items():
        found[lazy_pinyin(letter)[0]].append((letter, count))
    return found


def homophone(query: str, chance: random.Random) -> str:
    from pypinyin import lazy_pinyin

    places = [n for start, end in han(query) for n in range(start, end)]
    chance.shuffle(places)
    for place in places:
        others = [pair for pair in frequent()[lazy_pinyin(query[place])[0]] if pair[0] != query[place]]
        if others:
            letters, counts = zip(*others, strict=True)
            return query[:place] + chance.choices(letters, counts)[0] + query[place + 1 :]
    return query


def dropped(query: str, chance: random.Random) -> str:
    places = [n for start, end in han(query) for n in range(start, end)]
    place = chance.choice(places) if len(places) > 2 else -1
    return query if place < 0 else query[:place] + query[place + 1 :]


def doubled(query: str, chance: random.Random) -> str:
    places = [n for start, end in han(query) for n in range(start, end)]
    place = chance.choice(places) if places else -1
    return query if place < 0 else query[:place] + query[place] + query[place:]


def pinyin_word(query: str, chance: random.Random) -> str:
    """One word of two characters and more as its pinyin."""
    import jieba
    from pypinyin import lazy_pinyin

    parts = list(jieba.cut(query))
    places = [n for n, part in enumerate(parts) if len(part) > 1 and all("\u4e00" <= one <= "\u9fff" for one in part)]
    if not places:
        return query
    place = chance.choice(places)
    return "".join([*parts[:place], "".join(lazy_pinyin(parts[place])), *parts[place + 1 :]])


def pinyin_all(query: str, _: random.Random) -> str:
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(query))


TYPOS: Mapping[str, Mapping[str, Spoil]] = {
    "esci150": {"insert": latin(insert), "delete": latin(delete), "neighbour": latin(neighbour), "swap": latin(swap)},
    "taobao250": {"homophone": homophone, "dropped": dropped, "doubled": doubled, "pinyin of a word": pinyin_word},
}
"""What "one typo" is the mean of."""
OTHERS: Mapping[str, Mapping[str, Spoil]] = {
    "esci150": {
        "spacing": spacing, "word order": order, "emoji": emoji, "mixed scripts": alike, "full width": wide,
        "long tail": wordy,
    },
    "taobao250": {
        "pinyin of all": pinyin_all, "spacing": spacing, "word order": order, "emoji": emoji, "full width": wide,
        "traditional": traditional, "long tail": wordy,
    },
}  # fmt: skip
