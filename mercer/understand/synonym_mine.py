"""Titles, queries and what shoppers clicked in; pairs of words that may mean the same, with evidence, out."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations, pairwise

from mercer.understand.normalise import HAN, normalise
from mercer.understand.token import key

__all__ = ["Candidate", "from_clicks", "from_retyped", "from_titles"]

LEAST = 2
"""Products, or visits, that must say a pair: one is a slip."""
ALIKE = 0.5
"""Cosine of two queries' clicks from which they are taken to want the same. A guess, looked at in the invented shop."""
SHARED = 2
"""Products that both queries were clicked for."""
LONGEST = 4
"""Tokens of either side; of Han characters as many."""
PAIRS = 2_000_000
"""Pairs of queries that are compared at most."""

_WORD = rf"[A-Za-z][A-Za-z0-9'’&-]*|[{HAN}]{{2,8}}"
_BOTH = (
    re.compile(rf"(?P<one>{_WORD})\s*[(（]\s*(?P<other>{_WORD})\s*[)）]"),
    re.compile(rf"(?<![\w/])(?P<one>{_WORD})\s*/\s*(?P<other>{_WORD})(?![\w/])"),
)
_BRACKET = re.compile(r"((?:[A-Za-z][a-z]+[\s-]+){1,4}[A-Za-z][a-z]+)\s*[(（]\s*([A-Z]{2,5})\s*[)）]")
_TOKEN = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_IS_HAN = re.compile(f"[{HAN}]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two words or phrases that a person should look at."""

    one: str
    other: str
    source: str
    """clicks, retyped or titles."""
    evidence: str
    score: float
    """From 0 to 1; the likeliest come first."""


def from_titles(titles: Iterable[str]) -> list[Candidate]:
    """Pairs that titles write beside each other: 联想/Lenovo, 保温杯（水杯）, Bluetooth Low Energy (BLE).

    A slash also stands between things that are not the same (black/white), so there one side has to be in another
    script than the other.
    """
    said: Counter[tuple[str, str]] = Counter()
    for title in titles:
        said.update(set(_beside(normalise(title))))
    return sorted(
        (
            Candidate(one, other, "titles", f"{count} titles say both", 1 - 1 / (1 + count))
            for (one, other), count in said.items()
            if count >= LEAST
        ),
        key=lambda found: (-found.score, found.one),
    )


def _beside(title: str) -> Iterator[tuple[str, str]]:
    for found in _BRACKET.finditer(title):
        words = re.split(r"[\s-]+", found[1])[-len(found[2]) :]
        if "".join(word[0] for word in words).upper() == found[2]:
            yield " ".join(words).lower(), found[2].lower()
    for pattern in _BOTH:
        for found in pattern.finditer(title):
            one, other = found["one"].lower(), found["other"].lower()
            if bool(_IS_HAN.match(one)) != bool(_IS_HAN.match(other)):
                yield tuple(sorted((one, other)))  # type: ignore[misc]  # two of them


def from_clicks(queries: Mapping[str, str], clicks: Iterable[tuple[str, str]]) -> list[Candidate]:
    """Pairs in which two queries differ that were clicked for the same products.

    Args:
        queries: id → text.
        clicks: (query id, product) of each click or purchase.
    """
    wanted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for id, product in clicks:
        if id in queries:
            wanted[normalise(queries[id]).lower()][product] += 1
    found: defaultdict[tuple[str, str], list[tuple[float, int, str, str]]] = defaultdict(list)
    for first, second in _neighbours(wanted):
        alike, shared = _cosine(wanted[first], wanted[second])
        if alike >= ALIKE and shared >= SHARED and (pair := difference(first, second)):
            found[pair].append((alike, shared, first, second))
    return sorted(
        (
            Candidate(one, other, "clicks", _clicked(seen), 1 - math.prod(1 - min(alike, 0.95) for alike, *_ in seen))
            for (one, other), seen in found.items()
        ),
        key=lambda candidate: (-candidate.score, candidate.one),
    )


def _clicked(seen: Sequence[tuple[float, int, str, str]]) -> str:
    alike, shared, first, second = max(seen)
    more = f" and {len(seen) - 1} more pairs of queries" if len(seen) > 1 else ""
    return f"“{first}” and “{second}”: {shared} products clicked for both, cosine {alike:.2f}{more}"


def from_retyped(visits: Iterable[Sequence[str]]) -> list[Candidate]:
    """Pairs in which a query differs from the one typed just before it, in several visits; a word stays the same."""
    counts: Counter[tuple[str, str]] = Counter()
    for texts in visits:
        both = [(normalise(one).lower(), normalise(other).lower()) for one, other in pairwise(texts)]
        pairs = (difference(one, other) for one, other in both if set(key(one)) & set(key(other)))
        counts.update({pair for pair in pairs if pair})
    return sorted(
        (
            Candidate(one, other, "retyped", f"one typed after the other in {count} visits", 1 - 1 / (1 + count))
            for (one, other), count in counts.items()
            if count >= LEAST
        ),
        key=lambda found: (-found.score, found.one),
    )


def difference(first: str, second: str) -> tuple[str, str] | None:
    """The one place in which two queries differ, both sides filled; None where there is none, or several.

    >>> difference("red sofa cover", "red couch cover"), difference("sofa", "red sofa")
    (('couch', 'sofa'), None)
    """
    ones, others = list(_TOKEN.finditer(first)), list(_TOKEN.finditer(second))
    keys = [key(one.group()) for one in ones], [key(other.group()) for other in others]
    steps = [step for step in SequenceMatcher(None, *keys, autojunk=False).get_opcodes() if step[0] != "equal"]
    if len(steps) != 1 or steps[0][0] != "replace":
        return None
    _, low, high, start, end = steps[0]
    if high - low > LONGEST or end - start > LONGEST:
        return None
    one, other = first[ones[low].start() : ones[high - 1].end()], second[others[start].start() : others[end - 1].end()]
    if not all(any(letter.isalpha() for letter in side) for side in (one, other)):
        return None  # 12 and 14 are not the same
    return (one, other) if one < other else (other, one)


def _neighbours(wanted: Mapping[str, Counter[str]]) -> Iterator[tuple[str, str]]:
    """Pairs of queries that share a product, each once."""
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for text, products in wanted.items():
        for product in products:
            asked[product].append(text)
    seen: set[tuple[str, str]] = set()
    for texts in asked.values():
        for pair in combinations(sorted(texts), 2):
            if pair not in seen:
                seen.add(pair)
                yield pair
        if len(seen) > PAIRS:
            return


def _cosine(one: Counter[str], other: Counter[str]) -> tuple[float, int]:
    both = one.keys() & other.keys()
    dot = sum(one[product] * other[product] for product in both)
    norms = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return (dot / norms if norms else 0.0), len(both)
