"""Products and counted queries in; completions for what a shopper has typed so far out, below a millisecond."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path

from mercer.errors import FormatError, SettingsError
from mercer.records import Product
from mercer.shop import disk_errors, write_json

__all__ = ["Suggest", "SuggestSettings"]

FORMAT = 1
"""Layout of the JSON file."""

LAST = "\U0010ffff"
"""Sorts after every character a key can hold."""

WIDE = 256
"""Keys under one prefix from which its best are worked out ahead: 256 to rank stay below .1 ms."""

DEEPEST = 20
"""Completions worked out ahead, so the most that one call gives."""

WEIGHTS = {"query": 4.0, "category": 2.5, "brand": 2.0, "title": 0.0}
"""Added to log(1 + count): shoppers' own words first. A guess, until the query log of a real shop settles it."""

INSIDE = 2.0
"""Taken off where the typed letters begin a later word, not the first. A guess, as above."""

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
WORD_START = re.compile(r"(?<![^\W_])[^\W_]")
DECORATION = re.compile(r"[【\[（(][^】\])）]{0,20}[】\])）]")
BREAK = re.compile(r"[,，;；:：|/、。!！?？\-–—·•]+(?=\s|$)|\s[\-–—|/·•]+\s|[，；：、。！？|]")
PRIVATE = re.compile(r"\d{7,}|\S@\S")


@dataclass(frozen=True, slots=True)
class SuggestSettings:
    """How much is kept."""

    entries: int = 20_000
    """Most completions kept, the weightiest first."""
    longest: int = 48
    """Characters; a longer phrase is no suggestion."""
    least: int = 1
    """Times that a query must have been asked."""

    def __post_init__(self) -> None:
        for name in ("entries", "longest", "least"):
            if getattr(self, name) < 1:
                raise SettingsError(f"[suggest] {name} is {getattr(self, name)}", cure="give 1 or more")


class Suggest:
    """Completions by prefix of any word; of any character in Chinese, where words have no spaces.

    >>> suggest = Suggest({"Tea cup": 3.0, "手冲咖啡壶": 2.0})
    >>> suggest("CU", 5), suggest("咖啡", 5)
    (['Tea cup'], ['手冲咖啡壶'])
    """

    def __init__(self, entries: Mapping[str, float]) -> None:
        """Entries are texts as they are shown, with weights of which only the order matters."""
        self.entries = dict(entries)
        self._texts = list(self.entries)
        keys = [
            (key, number, weight - INSIDE * (start > 0))
            for number, (text, weight) in enumerate(self.entries.items())
            for start, key in _keys(normal(text))
        ]
        keys.sort(key=lambda entry: entry[0])
        self._keys = [key for key, _, _ in keys]
        self._numbers = [number for _, number, _ in keys]
        self._weights = [weight for _, _, weight in keys]
        self._ahead: dict[str, list[int]] = {}
        self._look_ahead(0, len(keys), "")

    @classmethod
    def build(
        cls, products: Iterable[Product], queries: Mapping[str, int], *, settings: SuggestSettings | None = None
    ) -> Suggest:
        """Take completions from queries (text to times asked), brands, categories and the heads of titles.

        A query with an e-mail address or seven digits in a row is left out: what one shopper typed about
        themselves is shown to nobody else.
        """
        settings = settings or SuggestSettings()
        counts: dict[str, Counter[str]] = {kind: Counter() for kind in WEIGHTS}
        for text, count in queries.items():
            if count >= settings.least and not PRIVATE.search(text):
                counts["query"][tidy(text)] += count
        for product in products:
            counts["brand"][tidy(product.brand)] += 1
            counts["category"].update(tidy(level) for level in product.category)
            counts["title"][head(product.title)] += 1
        return cls(_merged(counts, settings))

    def __call__(self, prefix: str, k: int = 10) -> list[str]:
        """At most k completions (never more than 20), best first; of nothing typed, the most common ones."""
        key = normal(prefix)
        best = self._ahead.get(key)
        if best is None:
            best = self._best(bisect_left(self._keys, key), bisect_left(self._keys, key + LAST))
        return [self._texts[number] for number in best[: max(0, k)]]

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all."""
        with disk_errors(path):
            write_json(path, {"format": FORMAT, "entries": list(self.entries.items())})

    @classmethod
    def load(cls, path: Path) -> Suggest:
        """Read what `save` wrote.

        Raises:
            FormatError: the file is something else.
        """
        try:
            data = json.loads(path.read_text("utf-8"))
            if data["format"] != FORMAT:
                raise FormatError(f"{path.name} has format {data['format']!r}", cure="run: mercer index SHOP")
            return cls({str(text): float(weight) for text, weight in data["entries"]})
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{path.name} is damaged: {error}", cure="run: mercer index SHOP") from error

    def _best(self, low: int, high: int) -> list[int]:
        """Entries under keys [low, high), best first, each once."""
        best: dict[int, float] = {}
        for at in range(low, high):
            number, weight = self._numbers[at], self._weights[at]
            if weight > best.get(number, -math.inf):
                best[number] = weight
        return nlargest(DEEPEST, best, key=lambda number: (best[number], -number))

    def _look_ahead(self, low: int, high: int, prefix: str) -> None:
        """Work out the answers of every prefix that begins many keys."""
        self._ahead[prefix] = self._best(low, high)
        depth = len(prefix)
        while low < high:
            if len(self._keys[low]) == depth:
                low += 1
                continue
            longer = self._keys[low][: depth + 1]
            end = bisect_left(self._keys, longer + LAST, low, high)
            if end - low > WIDE and depth < DEEPEST:
                self._look_ahead(low, end, longer)
            low = end


def normal(text: str) -> str:
    """The form in which texts are compared: NFKC, no case, single spaces, nothing invisible.

    >>> normal("  Ｔｅａ\\u200b   CUP")
    'tea cup'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(" " if letter.isspace() else letter for letter in folded if _visible(letter))
    return " ".join(seen.split())


def tidy(text: str) -> str:
    """A text as it is shown: no control characters, single spaces."""
    return " ".join("".join(letter for letter in text if _visible(letter)).split())


def _visible(letter: str) -> bool:
    return letter.isspace() or not unicodedata.category(letter).startswith("C")


def head(title: str) -> str:
    """The phrase that a title begins with, without decoration; "" where there is none short enough.

    >>> head("【正品】手冲咖啡壶 600ml"), head("Oak Serving Board, oiled - 40 cm"), head("A gift for you and me")
    ('手冲咖啡壶', 'Oak Serving Board', '')
    """
    phrase = BREAK.split(DECORATION.sub(" ", tidy(title)).strip(), maxsplit=1)[0].strip()
    if HAN.search(phrase):
        phrase = phrase.split()[0]
        return phrase if len(phrase) <= 12 else ""
    return phrase if 1 <= len(phrase.split()) <= 4 else ""


def _keys(text: str) -> Iterator[tuple[int, str]]:
    """Every place from which a shopper may begin to type a text, and the rest of it from there."""
    starts = {0} | {match.start() for pattern in (WORD_START, HAN) for match in pattern.finditer(text)}
    for start in sorted(starts):
        yield start, text[start:]


def _merged(counts: Mapping[str, Counter[str]], settings: SuggestSettings) -> dict[str, float]:
    """One weight for each phrase, whatever its case, shown as it was written most often."""
    weights: dict[str, float] = {}
    spelled: dict[str, Counter[str]] = {}
    for kind, bonus in WEIGHTS.items():
        together: Counter[str] = Counter()
        for text, count in counts[kind].items():
            key = normal(text)
            if key and len(text) <= settings.longest:
                together[key] += count
                spelled.setdefault(key, Counter())[text] += count
        for key, count in together.items():
            weights[key] = max(weights.get(key, 0.0), bonus + math.log1p(count))
    kept = nlargest(settings.entries, weights, key=lambda key: (weights[key], key))
    return {spelled[key].most_common(1)[0][0]: round(weights[key], 4) for key in kept}
