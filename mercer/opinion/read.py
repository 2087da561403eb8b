"""Documents in; sentiment, topic, aspects and entities of each, by what the shop has learned or by word lists, out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mercer.encode import Encoder
from mercer.encode.language import language_of
from mercer.opinion.document import Document, Reading
from mercer.opinion.entity import Names
from mercer.opinion.grams import plain
from mercer.opinion.head import Head, open_head
from mercer.opinion.lexicon import Lexicon, clauses, lexicon
from mercer.shop import Shop

__all__ = ["NEGATIVE", "NEUTRAL", "POSITIVE", "Reader", "open_reader", "side_of"]

POSITIVE, NEUTRAL, NEGATIVE = "positive", "neutral", "negative"
SIDES = {
    POSITIVE: ("positive", "pos", "正面", "积极", "好评", "正", "正向", "bullish", "good"),
    NEUTRAL: ("neutral", "neu", "中性", "中立", "中评", "中"),
    NEGATIVE: ("negative", "neg", "负面", "消极", "差评", "负", "负向", "bearish", "bad"),
}
"""What labels of other people are called on one side."""
SCALES = {
    ("0", "1"): (NEGATIVE, POSITIVE),
    ("-1", "1"): (NEGATIVE, POSITIVE),
    ("-1", "0", "1"): (NEGATIVE, NEUTRAL, POSITIVE),
    ("1", "2", "3"): (NEGATIVE, NEUTRAL, POSITIVE),
    ("1", "2", "3", "4", "5"): (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE),
}
"""Numbers whose meaning is beyond doubt; 0, 1, 2 is not: its owner must say."""
TONE = 1.1
"""Log odds that one more good word is worth without a learned head: a guess, which learning replaces."""


def side_of(label: str, labels: Iterable[str] = ()) -> str:
    """positive, neutral, negative, or "" for a label that is none of them; `labels` are all there are.

    >>> side_of("好评"), side_of("1", ["0", "1"]), side_of("1", ["0", "1", "2"])
    ('positive', 'positive', '')
    """
    scale = tuple(sorted(set(labels), key=_size))
    if label in scale and scale in SCALES:
        return SCALES[scale][scale.index(label)]
    return next((side for side, names in SIDES.items() if label.casefold() in names), "")


def _size(label: str) -> float:
    try:
        return float(label)
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads documents; a shop that has learned nothing is read by word lists."""

    sentiment: Head | None = None
    topic: Head | None = None
    names: Names = field(default_factory=Names)
    version: str = ""
    """Of what was learned; "" is nothing."""
    words: Lexicon | None = None

    def __call__(self, documents: Sequence[Document]) -> list[Reading]:
        """One reading a document, in their order."""
        texts = [one.text for one in documents]
        sides = self._sentiments(texts)
        topics = self._topics(texts)
        return [
            Reading(
                side, chance, topic, topic_chance, self.aspects(one.text, side), self.names(one.text, one.product),
                language_of(one.text),
            )
            for one, (side, chance), (topic, topic_chance) in zip(documents, sides, topics, strict=True)
        ]  # fmt: skip

    def aspects(self, text: str, side: str) -> tuple[tuple[str, str], ...]:
        """(aspect, sentiment) of each aspect named; a clause without a tone of its own has that of the text."""
        words = self.words or lexicon()
        tones: dict[str, int] = {}
        for clause in clauses(plain(text)):
            named = words.aspects(clause)
            if named:
                score = words.score(clause)
                for name in named:
                    tones[name] = tones.get(name, 0) + score
        return tuple((name, POSITIVE if tone > 0 else NEGATIVE if tone < 0 else side) for name, tone in tones.items())

    def _sentiments(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        if self.sentiment is None:
            words = self.words or lexicon()
            return [_by_words(words.score(plain(text)[:4000])) for text in texts]
        return _best(self.sentiment, texts)

    def _topics(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        return [("", 0.0)] * len(texts) if self.topic is None else _best(self.topic, texts)


def open_reader(shop: Shop, *, encoder: Encoder | None = None, names: Names | None = None) -> Reader:
    """What is live of the shop's opinion models, else word lists.

    Raises:
        ModelError: a model is damaged, or stands on another encoder.
    """
    live = shop.live("opinion")
    heads: dict[str, Any] = {}
    if live is not None:
        folder = shop.path("opinion", live.version)
        heads = {
            task: open_head(folder / task, encoder=encoder) for task in ("sentiment", "topic") if _is(folder / task)
        }
    return Reader(heads.get("sentiment"), heads.get("topic"), names or Names(), live.version if live else "")


def _is(folder: Path) -> bool:
    return folder.is_dir()


def _best(head: Head, texts: Sequence[str]) -> list[tuple[str, float]]:
    chances = head(texts)
    best = np.argmax(chances, 1) if len(chances) else []
    return [(head.labels[at], float(row[at])) for row, at in zip(chances, best, strict=True)]


def _by_words(score: int) -> tuple[str, float]:
    if score == 0:
        return NEUTRAL, 0.5
    return POSITIVE if score > 0 else NEGATIVE, 1 / (1 + math.exp(-TONE * abs(score)))
