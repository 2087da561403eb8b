"""Texts and a label in; places in the text (after "rating", the last word …) whose word alone tells the label, out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mercer.quality.one_feature import Targets

__all__ = ["Slot", "area_of", "frequent", "masked", "tokens", "values"]

_TOKEN = re.compile(
    r"\d+(?:\.\d+)?|[\u3400-\u9fff\uf900-\ufaff]|[^\W\d_\u3400-\u9fff\uf900-\ufaff]+(?:\d+[^\W_]*)?|\s{2,}|[^\w\s]|_"
)
_WORD = re.compile(r"[^\W_]")
HEAD, TAIL = 48, 24
"""Words of a text that are read from its start and its end."""
MOST = 400
"""Places tried, the most frequent first."""
LOOKED = 4000
"""Rows, evenly spaced, from which the frequency of slots is known to within a percent."""
START, END = "^", "$"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a text: next to some words, or the number of times that one token stands in it."""

    words: tuple[str, ...]
    """The words beside it (one or two); the token itself where `kind` is count."""
    kind: str = "after"
    """after the words, before them, or count."""

    def __str__(self) -> str:
        words = " ".join(self.words)
        if self.kind == "count":
            return f"number of {words!r}"
        return f"{words} _" if self.kind == "after" else f"_ {words}"


def tokens(text: str | None) -> list[str]:
    """Numbers, Han characters, words with digits, marks, runs of blanks; lower case, long texts without their middle.

    >>> tokens("User 12 评分：4")
    ['user', '12', '评', '分', '：', '4']
    """
    found = _TOKEN.findall((text or "").casefold())
    return found if len(found) <= HEAD + TAIL else found[:HEAD] + found[-TAIL:]


def _places(row: Sequence[str]) -> dict[tuple[str, tuple[str, ...]], int]:
    """Slot of each word → its place among the tokens; the first place where a slot comes again."""
    where = [place for place, token in enumerate(row) if _WORD.match(token)]
    line = [START, *(row[place] for place in where), END]
    found: dict[tuple[str, tuple[str, ...]], int] = {}
    for number, place in enumerate(where, start=1):
        found.setdefault(("after", (line[number - 1],)), place)
        found.setdefault(("before", (line[number + 1],)), place)
        if number > 1:
            found.setdefault(("after", (line[number - 2], line[number - 1])), place)
        if number < len(where):
            found.setdefault(("before", (line[number + 1], line[number + 2])), place)
    return found


def frequent(rows: Sequence[Sequence[str]], *, coverage: float) -> list[Slot]:
    """Slots that at least a share `coverage` of the rows has, the most frequent first, at most `MOST` of each sort."""
    places: Counter[tuple[str, tuple[str, ...]]] = Counter()
    counted: Counter[str] = Counter()
    looked = rows[:: max(1, len(rows) // LOOKED)]
    for row in looked:
        places.update(_places(row).keys())
        counted.update(set(row))
    least = max(1.0, coverage * len(looked))
    kept = [key for key, count in sorted(places.items(), key=lambda item: (-item[1], item[0])) if count >= least]
    marks = [token for token, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])) if count >= least]
    return [Slot(words, kind) for kind, words in kept[:MOST]] + [Slot((mark,), "count") for mark in marks[:MOST]]


def values(rows: Iterable[Sequence[str]], slots: Sequence[Slot]) -> dict[Slot, list[str | None]]:
    """The word in each slot of each row, None where the row has no such place."""
    found: list[list[str | None]] = [[] for _ in slots]
    placed = [((slot.kind, slot.words), line) for slot, line in zip(slots, found, strict=True) if slot.kind != "count"]
    counted = [(slot.words[0], line) for slot, line in zip(slots, found, strict=True) if slot.kind == "count"]
    for row in rows:
        places, counts = _places(row), Counter(row)
        for key, line in placed:
            place = places.get(key)
            line.append(None if place is None else row[place])
        for token, line in counted:
            line.append(str(counts[token]))
    return dict(zip(slots, found, strict=True))


def area_of(words: Sequence[str | None], targets: Targets, folds: NDArray[np.int64]) -> tuple[float, NDArray[np.bool_]]:
    """AUC of the word in a slot, out of fold, among rows that have the slot; and which rows those are."""
    covered = np.array([word is not None for word in words], dtype=bool)
    _, codes = np.unique([word or "" for word in words], return_inverse=True)
    return targets[covered].told_by(codes[covered].astype(np.int64), folds[covered]), covered


def masked(rows: Iterable[Sequence[str]], slot: Slot) -> list[list[str]]:
    """The rows without the word in the slot."""
    changed = []
    for row in rows:
        if slot.kind == "count":
            changed.append([token for token in row if token != slot.words[0]])
            continue
        place = _places(row).get((slot.kind, slot.words))
        changed.append([token for number, token in enumerate(row) if number != place])
    return changed
