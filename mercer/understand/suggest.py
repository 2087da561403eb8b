"""Products and counted queries in; completions for what a shopper has typed so far out, below a millisecond."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path

from mercer.errors import FormatError, SettingsError
from mercer.records import Product
from mercer.shop import disk_errors, write_json
from mercer.understand.prefix import DEEPEST, Prefixes
from mercer.understand.sound import spoken

__all__ = ["Suggest", "SuggestSettings"]

FORMAT = 2
"""Layout of the JSON file; 1 had no products."""

FEW = 8
"""Products behind a completion up to which they are kept: it is not shown while all of them are sold out."""

WEIGHTS = {"query": 4.0, "category": 2.5, "brand": 2.0, "title": 0.0}
"""Added to log(1 + count): shoppers' own words first. A guess, until the query log of a real shop settles it."""

INSIDE = 2.0
"""Taken off where the typed letters begin a later word, not the first. A guess, as above."""

SPOKEN = 1.0
"""Taken off where the typed letters are pinyin of a completion. A guess, as above."""

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

    def __init__(self, entries: Mapping[str, float], products: Mapping[str, Sequence[str]] | None = None) -> None:
        """Entries are texts as they are shown, with weights of which only the order matters.

        `products` are the ids behind those texts that have few.
        """
        self.entries, self.products = dict(entries), {text: tuple(ids) for text, ids in (products or {}).items()}
        self._texts = list(self.entries)
        weights = list(enumerate(self.entries.values()))
        self._written = Prefixes(
            (key, number, weight - INSIDE * (start > 0))
            for number, weight in weights
            for start, key in _keys(normal(self._texts[number]))
        )
        self._spoken = Prefixes(
            (key, number, weight - SPOKEN) for number, weight in weights for key in spoken(normal(self._texts[number]))
        )

    @classmethod
    def build(
        cls,
        products: Iterable[Product],
        queries: Mapping[str, int],
        *,
        settings: SuggestSettings | None = None,
        wanted: Mapping[str, Collection[str]] | None = None,
    ) -> Suggest:
        """Take completions from queries (text to times asked), brands, categories and the heads of titles.

        A query with an e-mail address or seven digits in a row is left out: what one shopper typed about
        themselves is shown to nobody else. So is what has no product in stock; `wanted` are the products that were
        clicked or bought for a query.
        """
        settings = settings or SuggestSettings()
        counts: dict[str, Counter[str]] = {kind: Counter() for kind in WEIGHTS}
        behind: defaultdict[str, set[str]] = defaultdict(set)
        sold: set[str] = set()
        for text, count in queries.items():
            if count >= settings.least and not PRIVATE.search(text):
                counts["query"][tidy(text)] += count
        for text, ids in (wanted or {}).items():
            behind[normal(tidy(text))].update(ids)
        for product in products:
            if not product.in_stock:
                sold.add(product.id)
            named = {"brand": [product.brand], "category": product.category, "title": [head(product.title)]}
            for kind, texts in ((kind, [tidy(text) for text in texts]) for kind, texts in named.items()):
                counts[kind].update(texts)
                for text in texts:
                    behind[normal(text)].add(product.id)
        weights = _merged(counts, settings)
        ids = {text: behind.get(normal(text), set()) for text in weights}
        there = {text: weight for text, weight in weights.items() if not ids[text] or not ids[text] <= sold}
        return cls(there, {text: sorted(ids[text]) for text in there if 0 < len(ids[text]) <= FEW})

    def __call__(self, prefix: str, k: int = 10, *, gone: Callable[[str], bool] | None = None) -> list[str]:
        """At most k completions (never more than 20), best first; of nothing typed, the most common ones.

        `gone` says whether a product is sold out: a completion is left out while all the products behind it are.
        """
        key = normal(prefix)
        best = self._written(key)
        if typed := _letters(key):
            both: dict[int, float] = {}
            for weight, number in (*best, *self._spoken(typed)):
                both[number] = max(weight, both.get(number, weight))
            best = sorted(((weight, number) for number, weight in both.items()), key=lambda one: (-one[0], one[1]))
        texts = [self._texts[number] for _, number in best[:DEEPEST]]
        if gone:
            texts = [text for text in texts if not self.products.get(text) or not all(map(gone, self.products[text]))]
        return texts[: max(0, k)]

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all."""
        entries = [(text, weight, self.products.get(text, ())) for text, weight in self.entries.items()]
        with disk_errors(path):
            write_json(path, {"format": FORMAT, "entries": entries})

    @classmethod
    def load(cls, path: Path) -> Suggest:
        """Read what `save` wrote.

        Raises:
            FormatError: the file is something else.
        """
        try:
            data = json.loads(path.read_text("utf-8"))
            if data["format"] not in (1, FORMAT):
                raise FormatError(f"{path.name} has format {data['format']!r}", cure="run: mercer index SHOP")
            entries = [(str(text), float(weight), *rest) for text, weight, *rest in data["entries"]]
            behind = {text: tuple(map(str, rest[0])) for text, _, *rest in entries if rest and rest[0]}
            return cls({text: weight for text, weight, *_ in entries}, behind)
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{path.name} is damaged: {error}", cure="run: mercer index SHOP") from error


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


def _letters(typed: str) -> str:
    """What was typed as pinyin is compared: letters without spaces and apostrophes; "" where it is none."""
    letters = typed.replace(" ", "").replace("'", "")
    return letters if len(letters) > 1 and letters.isascii() and letters.isalnum() else ""


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
