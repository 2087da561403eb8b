"""Counts of a shop's Han characters in; what a mistyped run of them, or pinyin, most likely was out."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.resources import files

from mercer.understand.sound import missing_pinyin, nearly, phrases, readings

__all__ = ["Han", "grams"]

SAME, NEAR, SHAPE, LOST, ADDED, TWICE = 4.0, 5.5, 7.0, 7.5, 17.0, 4.0
"""Costs in nats: a character of the same sound, of a near one, of like shape; one left out, one too many, one twice.
One too many makes a run shorter, so it pays for the character that need not be explained any more."""
PINYIN = 1.0
"""Cost of each syllable typed instead of its character."""
UNSEEN = -9.5
"""Log probability of a character in a place where the shop never has it: some 10,000 are in use."""
BEAM = 24
"""Readings of typed pinyin that are held at a time."""


class Han:
    """Characters of one shop's titles, and how they follow one another."""

    def __init__(self, counts: dict[str, int]) -> None:
        """Counts of runs of one, two and three characters."""
        self.counts = counts
        self.total = sum(count for gram, count in counts.items() if len(gram) == 1) or 1
        self._next: dict[str, list[str]] = defaultdict(list)
        for gram in counts:
            if len(gram) == 2:
                self._next[gram[0]].append(gram[1])
        self._by_sound: dict[str, list[tuple[str, float]]] = defaultdict(list)
        if not missing_pinyin():
            for gram in counts:
                if len(gram) == 1:
                    for sound, rare in readings(gram).items():
                        self._by_sound[sound].append((gram, rare))

    def add(self, gram: str) -> None:
        """One more title has it."""
        if gram not in self.counts and len(gram) == 2:
            self._next[gram[0]].append(gram[1])
        self.counts[gram] = self.counts.get(gram, 0) + 1

    def torn(self, left: str, right: str) -> bool:
        """Whether a space between two runs tore a word: its edges belong together, and one to nothing else."""
        if not self.together(left[-1] + right[0]):
            return False
        return not (self.held(left, len(left) - 1) and self.held(right, 0))

    def score(self, run: str, start: int = 0, end: int | None = None) -> float:
        """Log probability of the characters [start, end) of a run, each after the two before it."""
        return sum(self._one(run, place) for place in range(max(0, start), min(len(run), end or len(run))))

    def _one(self, run: str, place: int) -> float:
        counts = self.counts
        alone = counts.get(run[place], 0)
        if not alone:
            return UNSEEN - math.log(4)
        chance = 0.1 * alone / self.total
        if place > 0:
            chance += 0.3 * counts.get(run[place - 1 : place + 1], 0) / (counts.get(run[place - 1], 0) + 2)
        if place > 1:
            before = counts.get(run[place - 2 : place], 0)
            chance += 0.6 * counts.get(run[place - 2 : place + 1], 0) / (before + 2)
        return math.log(chance)

    def together(self, pair: str) -> bool:
        """Whether the shop has two characters side by side more often than chance would."""
        seen = self.counts.get(pair, 0)
        return seen * self.total > self.counts.get(pair[0], 0) * self.counts.get(pair[1], 0) if seen else False

    def held(self, run: str, place: int) -> bool:
        """Whether a character belongs to a word, the shop's or the language's, with a neighbour of its."""
        pairs = [run[at : at + 2] for at in (place - 1, place) if 0 <= at < len(run) - 1]
        return any(self.together(pair) or pair in phrases() for pair in pairs)

    def edits(self, run: str) -> Iterator[tuple[str, float]]:
        """Runs one slip away, each with its log probability beside that of the run as typed, less the slip's cost."""
        loose = [place for place in range(len(run)) if not self.held(run, place)]
        for place in loose:
            for other, cost in self._alike(run[place]).items():
                yield self._gain(run, run[:place] + other + run[place + 1 :], place, 0, cost)
            if 0 < place < len(run) - 1 and self.together(run[place - 1] + run[place + 1]):
                yield self._gain(run, run[:place] + run[place + 1 :], place, -1, ADDED)
        for place in range(1, len(run)):
            left, right = run[place - 1], run[place]
            if left == right:
                if self._once(run, place):
                    yield self._gain(run, run[:place] + run[place + 1 :], place, -1, TWICE)
            elif (place in loose or place - 1 in loose) and not self.counts.get(left + right):
                for other in self._next.get(left, ()):
                    if self.counts.get(left + other + right):
                        yield self._gain(run, run[:place] + other + run[place:], place, 1, LOST)

    def _once(self, run: str, place: int) -> bool:
        """Whether a character typed twice belongs once to a neighbour, and is never doubled itself."""
        twice, around = run[place] * 2, [run[max(0, place - 2) : place], run[place : place + 2]]
        pairs = [pair for pair in around if len(pair) == 2]
        return not self.together(twice) and twice not in phrases() and any(map(self.together, pairs))

    def _gain(self, run: str, new: str, place: int, grown: int, cost: float) -> tuple[str, float]:
        before = self.score(run, place, place + 3 - min(grown, 0))
        return new, self.score(new, place, place + 3 + max(grown, 0)) - before - cost

    def _alike(self, character: str) -> dict[str, float]:
        found = {other: SHAPE for other in shapes().get(character, "") if other in self.counts}
        if not missing_pinyin():
            for sound, odd in readings(character).items():
                for near in nearly(sound):
                    for other, rare in self._by_sound.get(near, ()):
                        cost = (SAME if near == sound else NEAR) + rare + odd
                        found[other] = min(cost, found.get(other, cost))
        found.pop(character, None)
        return found

    def written(self, typed: str, left: str = "", right: str = "") -> tuple[str, float]:
        """What typed pinyin stands for, between the Han characters around it, and its log probability.

        ("", -inf) where the shop has nothing such.
        """
        left, right = left[-2:], right[:2]
        held: list[list[tuple[float, str]]] = [[] for _ in range(len(typed) + 1)]
        held[0] = [(0.0, left)]
        for start in range(len(typed)):
            held[start] = sorted(held[start], reverse=True)[:BEAM]
            for end in range(start + 1, min(len(typed), start + 6) + 1):
                for other, rare in self._by_sound.get(typed[start:end], ()) if held[start] else ():
                    held[end] += [
                        (score + self._one(text + other, len(text)) - PINYIN - rare, text + other)
                        for score, text in held[start]
                    ]
        alone = self.score(right)
        ended = [(score + self.score(text + right, len(text)) - alone, text[len(left) :]) for score, text in held[-1]]
        score, text = max(ended, default=(-math.inf, ""))
        pairs = [text[place : place + 2] for place in range(len(text) - 1)]
        known = sum(self.together(pair) for pair in pairs)
        return (text, score) if pairs and known * 5 >= len(pairs) * 3 else ("", -math.inf)


def grams(run: str) -> Iterator[str]:
    """All runs of one to three characters."""
    return (run[place : place + size] for size in (1, 2, 3) for place in range(len(run) - size + 1))


@functools.cache
def shapes() -> Mapping[str, str]:
    """Characters that are taken for one another by their looks."""
    text = files("mercer.understand").joinpath("similar.txt").read_text("utf-8")
    found: dict[str, str] = {}
    for group in text.split():
        for character in group:
            found[character] = found.get(character, "") + group.replace(character, "")
    return found
