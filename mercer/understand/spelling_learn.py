"""Products and counted queries in; counts of words, of their pairs and of pieces of Han text out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mercer.records import Product
from mercer.understand import spelling_han, spelling_words
from mercer.understand.spelling_words import folded

__all__ = ["KINDS", "LONGEST_RUN", "TOKEN", "learn", "names", "tokens_of"]

KINDS = ("titles", "texts", "asked", "pairs", "han")
"""Words of names, of longer text, of queries; pairs of words in titles; runs of 1 to 3 Han characters."""
_HAN = r"\u3400-\u9fff\uf900-\ufaff"
TOKEN = re.compile(rf"(?P<han>[{_HAN}]+)|(?P<word>[^\W_{_HAN}]+(?:['’][^\W_{_HAN}]+)*)")
_HYPHEN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
BODY = 600
"""Characters of bullets and of the description from which words are learned."""
TITLE_WORDS = 40
"""Words of a title that are read: what comes after is stuffing."""
LONGEST_RUN = 40
"""Han characters in a row; a longer run is not corrected."""


def learn(products: Iterable[Product], queries: Mapping[str, int], entries: int) -> dict[str, dict[str, int]]:
    """Counts by kind, at most `entries` words and pairs and three times as many runs."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in KINDS}
    for product in products:
        _read(product, counts)
        if len(counts["pairs"]) + len(counts["han"]) > 40 * entries:
            for name in ("pairs", "han"):  # once is chance in a catalogue so big
                counts[name] = Counter({key: count for key, count in counts[name].items() if count > 1})
    for text, count in queries.items():
        for kind, token in tokens_of(text):
            if kind == "word":
                counts["asked"][token] += count
            elif len(token) <= LONGEST_RUN:
                for gram in spelling_han.grams(token):
                    if gram in counts["han"]:  # a character that no product has is no evidence of itself
                        counts["han"][gram] += count
    for word in counts["titles"]:
        counts["texts"].pop(word, None)
    return _kept(counts, entries)


def tokens_of(text: str) -> Iterator[tuple[str, str]]:
    """Kind ("word" or "han") and normal form of each token."""
    return ((match.lastgroup or "", match.group()) for match in TOKEN.finditer(folded(text)))


def _glued(text: str) -> Iterator[str]:
    """Words written with a hyphen, as they are typed without it."""
    return (match.group().replace("-", "") for match in _HYPHEN.finditer(folded(text)))


def names(product: Product) -> str:
    """What names a product, a line each, so that no pair goes across."""
    return "\n".join((product.title, product.brand, *product.category, *product.attributes.values()))


def _read(product: Product, counts: Mapping[str, Counter[str]]) -> None:
    """Count a product's words, pairs of its title and Han pieces."""
    seen: set[str] = set(_glued(product.title))
    title: list[str] = []
    for number, line in enumerate(names(product).split("\n")):
        for kind, token in tokens_of(line):
            if kind == "word":
                seen.add(token)
                if not number and len(title) < TITLE_WORDS:
                    title.append(token)
            elif len(token) <= LONGEST_RUN:
                counts["han"].update(spelling_han.grams(token))
    counts["titles"].update(seen)
    counts["pairs"].update(spelling_words.bigrams(title))
    body = f"{product.bullets[:BODY]} {product.description[:BODY]}"
    counts["texts"].update({token for kind, token in tokens_of(body) if kind == "word"} - seen)


def _kept(counts: Mapping[str, Counter[str]], entries: int) -> dict[str, dict[str, int]]:
    """The most frequent of each; every single Han character stays."""
    most = {"han": 3 * entries}
    kept = {name: dict(counter.most_common(most.get(name, entries))) for name, counter in counts.items()}
    kept["texts"] = {word: count for word, count in kept["texts"].items() if count > 1}
    return kept
