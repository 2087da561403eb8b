"""Products and counted queries in; what a shopper meant to type out: a noisy-channel model of the shop's own words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mercer.errors import FormatError, SettingsError
from mercer.records import Product
from mercer.shop import disk_errors, write_json
from mercer.understand import sound, spelling_han, spelling_words
from mercer.understand.spelling_han import Han
from mercer.understand.spelling_learn import KINDS, LONGEST_RUN, TOKEN, learn, names, tokens_of
from mercer.understand.spelling_words import SPACE, Alphabetic, folded

__all__ = ["Change", "Corrected", "Spelling", "SpellingSettings"]

FORMAT = 1
"""Layout of the JSON file."""

GLUED = 3.0
"""Nats that an unknown word loses where Han characters touch it: there it is pinyin more often than a new brand."""
ROUNDS = 6
"""Times that a corrected query is looked at again, for its other mistakes."""


@dataclass(frozen=True, slots=True)
class SpellingSettings:
    """When a query is corrected, and how much is learned for it."""

    correct: bool = True
    """Whether queries are corrected at all."""
    silent: float = 0.9
    """Confidence from 0 to 1 from which the corrected query is asked, and the page says so."""
    offer: float = 0.5
    """Confidence from 0 to 1 from which the page only asks "did you mean"."""
    entries: int = 100_000
    """Most words, and most pairs of words, that are kept, the most frequent first; of Han pieces three times this."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.offer <= self.silent <= 1:
            raise SettingsError(
                f"[spelling] offer is {self.offer}, silent {self.silent}", cure="give 0.5 <= offer <= silent <= 1"
            )
        if self.entries < 100:
            raise SettingsError(f"[spelling] entries is {self.entries}", cure="give 100 or more")


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a query that may be wrong."""

    start: int
    """Place of its first character in the text that was looked at."""
    end: int
    before: str
    after: str
    confidence: float
    """Share of all readings' probability, 0 to 1."""
    made: bool = True
    """False where it is only offered."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a query."""

    text: str
    """The query, silently corrected where that is sure; else as it was given."""
    suggestion: str = ""
    """A query to offer as "did you mean", or ""."""
    changes: tuple[Change, ...] = ()
    """Those made silently, then those that the suggestion adds."""


class Spelling:
    """Call it with a query. Words that titles have, numbers and codes stay as they are; it never raises.

    >>> cups = [Product(str(n), "Ceramic tea cup, porcelain") for n in range(9)]
    >>> Spelling.build(cups, {})("cermaic cup").text
    'ceramic cup'
    """

    def __init__(self, counts: Mapping[str, dict[str, int]], *, settings: SpellingSettings | None = None) -> None:
        """Counts by kind: titles, texts, asked, pairs (of words), and han (runs of 1 to 3 characters)."""
        self.settings = settings or SpellingSettings()
        self.counts = counts
        self.words = Alphabetic(counts["titles"], counts["texts"], counts["asked"], counts["pairs"])
        self.han = Han(counts["han"])
        self._searches = "rapidfuzz" not in spelling_words.missing_words()

    @classmethod
    def build(
        cls, products: Iterable[Product], queries: Mapping[str, int], *, settings: SpellingSettings | None = None
    ) -> Spelling:
        """Learn from names of products and from queries with times asked; queries never make a word right alone."""
        settings = settings or SpellingSettings()
        return cls(learn(products, queries, settings.entries), settings=settings)

    def __call__(self, query: str) -> Corrected:
        """The query as it should be asked, and what to offer beside it."""
        if not self.settings.correct:
            return Corrected(query)
        text, made = self._settled(query, self.settings.silent)
        offered, more = self._settled(text, self.settings.offer)
        return Corrected(text, "" if offered == text else offered, (*made, *(replace(one, made=False) for one in more)))

    def add(self, products: Iterable[Product]) -> None:
        """Words of new titles are right from now on."""
        self.know(map(names, products))

    def know(self, texts: Iterable[str]) -> None:
        """Words of these texts are right from now on, as the owner's synonyms are."""
        for text in texts:
            for kind, token in tokens_of(text):
                if kind == "word":
                    self.words.add(token)
                elif len(token) <= LONGEST_RUN:
                    for gram in spelling_han.grams(token):
                        self.han.add(gram)

    @property
    def missing(self) -> list[str]:
        """Packages without which less is corrected."""
        return [*spelling_words.missing_words(), *(["pypinyin"] if sound.missing_pinyin() else [])]

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all."""
        with disk_errors(path):
            write_json(path, {"format": FORMAT, "counts": self.counts})

    @classmethod
    def load(cls, path: Path, *, settings: SpellingSettings | None = None) -> Spelling:
        """Read what `save` wrote; an index made before there was such a file corrects nothing.

        Raises:
            FormatError: the file is something else.
        """
        if not path.exists():
            return cls({name: {} for name in KINDS}, settings=settings)
        try:
            data = json.loads(path.read_text("utf-8"))
            if data["format"] != FORMAT:
                raise FormatError(f"{path.name} has format {data['format']!r}", cure="run: mercer index SHOP")
            return cls(data["counts"], settings=settings)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"{path.name} is damaged: {error}", cure="run: mercer index SHOP") from error

    def _settled(self, query: str, least: float) -> tuple[str, tuple[Change, ...]]:
        """The query with every change of that confidence, until none is left; as it was where that has no end."""
        text, made = query, list[Change]()
        for _ in range(ROUNDS):
            changes = self._changes(text, least)
            if not changes:
                return text, tuple(made)
            for change in changes:
                text = text[: change.start] + change.after + text[change.end :]
            made += changes
        return query, ()

    def _changes(self, text: str, least: float) -> list[Change]:
        """Changes that do not touch one another, the last place first."""
        found = sorted(self._found(text), key=lambda change: -change.confidence)
        kept: list[Change] = []
        for change in found:
            if change.confidence >= least and all(change.end <= o.start or o.end <= change.start for o in kept):
                kept.append(change)
        return sorted(kept, key=lambda change: -change.start)

    def _found(self, text: str) -> Iterator[Change]:
        matches = list(TOKEN.finditer(text))
        tokens = [folded(match.group()) if match.lastgroup == "word" else "" for match in matches]
        yield from self._spoken(text, matches, tokens)
        for place, match in enumerate(matches):
            start, end = match.span()
            if match.lastgroup == "han":
                best = self._han(folded(match.group()))
                if place and text[matches[place - 1].end() : start].isspace() and matches[place - 1].lastgroup == "han":
                    before = matches[place - 1].group()
                    if self.han.torn(folded(before), folded(match.group())):
                        yield Change(matches[place - 1].start(), end, text[matches[place - 1].start() : end],
                                     before + match.group(), 0.99)  # fmt: skip
            else:
                beside = [tokens[at] if 0 <= at < len(tokens) else "" for at in (place - 1, place + 1)]
                best = self._word(tokens[place], beside[0], beside[1], _touching(matches, place))
                if beside[0] and text[matches[place - 1].end() : start].isspace():
                    yield from self._join(text, matches[place - 1].start(), end, beside[0], tokens[place])
            if best:
                yield Change(start, end, match.group(), *best)

    def _word(self, word: str, left: str, right: str, between: tuple[str, str]) -> tuple[str, float] | None:
        """The likeliest reading of one word and its share, or None where it is right as it is."""
        words = self.words
        if not self._searches or not (3 <= len(word) <= 40 and word.isascii() and word.isalpha()) or words.known(word):
            return None
        found = {other: words.here(other, left, right) - cost for other, cost in words.near(word).items()}
        for one, two in words.splits(word):
            found[f"{one} {two}"] = words.here(one, left, two) + words.here(two, "", right) - SPACE
        read, score = self.han.written(word, *between)
        if read:
            found[read] = score
        return _likeliest(found, words.here(word, left, right) - (GLUED if any(between) else 0.0))

    def _join(self, text: str, start: int, end: int, left: str, right: str) -> Iterator[Change]:
        words = self.words
        if not words.joined(left, right):
            return
        apart = words.here(left, "", right) + words.here(right, "", "")
        best = _likeliest({left + right: words.frequency(left + right) - SPACE}, apart)
        if best:
            yield Change(start, end, text[start:end], *best)

    def _spoken(self, text: str, matches: list[re.Match[str]], tokens: list[str]) -> Iterator[Change]:
        """Pinyin with a space after each syllable: words side by side that are syllables all, and the shop's none."""
        spoken = [token in sound.syllables() and not self.words.known(token) for token in tokens]
        start = 0
        for place in range(len(tokens) + 1):
            if place < len(tokens) and spoken[place]:
                continue
            run = tokens[start:place]
            read, score = self.han.written("".join(run)) if len(run) > 1 else ("", 0.0)
            best = _likeliest({read: score} if read else {}, sum(self.words.frequency(token) for token in run))
            if best and run:
                first, last = matches[start].start(), matches[place - 1].end()
                yield Change(first, last, text[first:last], *best)
            start = place + 1

    def _han(self, run: str) -> tuple[str, float] | None:
        if not 2 <= len(run) <= LONGEST_RUN:
            return None
        return _likeliest(dict(self.han.edits(run)), 0.0)


def _touching(matches: list[re.Match[str]], place: int) -> tuple[str, str]:
    """Han characters that stand right before and right behind a word, "" where there are none."""
    start, end = matches[place].span()
    before = matches[place - 1] if place and matches[place - 1].end() == start else None
    after = matches[place + 1] if place + 1 < len(matches) and matches[place + 1].start() == end else None
    left, right = (one.group() if one and one.lastgroup == "han" else "" for one in (before, after))
    return folded(left), folded(right)


def _likeliest(found: Mapping[str, float], stays: float) -> tuple[str, float] | None:
    """The best of several readings and its share of the probability of all, the typed one's among them."""
    if not found:
        return None
    best = max(found, key=lambda text: (found[text], text))
    top = max(found[best], stays)
    whole = sum(math.exp(score - top) for score in found.values()) + math.exp(stays - top)
    return best, math.exp(found[best] - top) / whole
