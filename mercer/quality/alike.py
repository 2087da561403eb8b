"""Sets of pieces of texts in; pairs that share most of their pieces out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from sys import intern
from typing import TYPE_CHECKING

import numpy as np

from mercer.errors import MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["clusters", "jaccard", "pairs", "pieces", "plain", "stars"]

BANDS, ROWS = 20, 6
"""120 hashes: pairs of Jaccard .6 meet with probability .6, of .7 with .92, of .8 with .998. EVIDENCE.md:
16 to 20 bands, as 32 give too many candidates."""
CROWD = 40
"""Members of one bucket beyond which each is compared with the first and the next few, not with all."""
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+|[^\W\d_a-z\u3400-\u9fff]+")


def plain(text: str | None) -> str:
    """NFKC, small letters, blanks for marks.

    >>> plain("【正品】Ｒed-Mug!")
    '正品 red mug'
    """
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text or "").casefold()))


def pieces(text: str) -> frozenset[str]:
    """Pairs of Chinese letters, and words with their runs of three letters, of a `plain` text; their order is nothing.

    >>> sorted(pieces("mug 红杯子"))
    ['^mu', 'mug', 'ug$', '杯子', '红杯']
    """
    found: set[str] = set()
    for word in text.split():
        if word[0] > "\u33ff":
            found.update(intern(word[at : at + 2]) for at in range(max(1, len(word) - 1)))
        else:
            whole = f"^{word}$"
            found.update(intern(whole[at : at + 3]) for at in range(max(1, len(whole) - 2)))
    return frozenset(found)


def jaccard(one: Collection[str], other: Collection[str]) -> float:
    """Shared pieces of all pieces; 0 where there are none."""
    if not one or not other:
        return 0.0
    both = len(set(one) & set(other))
    return both / (len(one) + len(other) - both)


def pairs(sets: Sequence[Collection[str]], least: float) -> Iterator[tuple[int, int, float]]:
    """(place, later place, Jaccard) of pairs that share at least `least`; by MinHash bands, then counted exactly.

    Raises:
        MissingExtra: rensa is not installed.
    """
    seen: set[tuple[int, int]] = set()
    filled, signatures = _signatures(sets)
    if len(filled) < 2:
        return
    for band in range(BANDS):
        for bucket in _buckets(signatures[:, band * ROWS : (band + 1) * ROWS]):
            for one, other in _meetings(bucket):
                pair = (filled[one], filled[other])
                if pair not in seen:
                    seen.add(pair)
                    shared = jaccard(sets[pair[0]], sets[pair[1]])
                    if shared >= least:
                        yield (*pair, shared)


def _signatures(sets: Sequence[Collection[str]]) -> tuple[list[int], NDArray[np.uint32]]:
    """Places of the sets that are not empty, and their hashes."""
    try:
        import rensa
    except ImportError as error:
        raise MissingExtra("rensa", extra="quality") from error
    filled: list[int] = []
    rows = [np.zeros((0, BANDS * ROWS), np.uint32)]
    for start in range(0, len(sets), 20_000):
        places = range(start, min(start + 20_000, len(sets)))
        part = {place: sorted(found) for place in places if (found := sets[place])}
        if part:
            filled += part
            matrix = rensa.RMinHash.digest_matrix_from_token_sets([*part.values()], num_perm=BANDS * ROWS, seed=42)
            rows.append(np.asarray(matrix.to_rows(), np.uint32))
    return filled, np.concatenate(rows)


def _buckets(band: NDArray[np.uint32]) -> Iterator[list[int]]:
    """Places of rows that are equal, for each row that is not alone."""
    keys = np.ascontiguousarray(band).view(np.dtype((np.void, band.dtype.itemsize * band.shape[1]))).ravel()
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(ordered))
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        yield order[start:end].tolist()


def _meetings(bucket: Sequence[int]) -> Iterator[tuple[int, int]]:
    for at, one in enumerate(bucket):
        if len(bucket) <= CROWD:
            yield from ((one, other) for other in bucket[at + 1 :])
        else:
            yield from ((one, other) for other in bucket[at + 1 : at + 4])
            if at:
                yield bucket[0], one


def clusters(size: int, joined: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Places that hang together by pairs, each list in order, of two and more.

    >>> clusters(5, [(0, 3), (3, 4)])
    [[0, 3, 4]]
    """
    parent = list(range(size))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for one, other in joined:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    groups: dict[int, list[int]] = {}
    for place in range(size):
        groups.setdefault(root(place), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def stars(joined: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Places around one that all of them are joined to, the largest star first; no chains of what only its ends join.

    >>> stars([(0, 1), (0, 2), (2, 3)])
    [[0, 1, 2]]
    """
    beside: dict[int, set[int]] = {}
    for one, other in joined:
        beside.setdefault(one, set()).add(other)
        beside.setdefault(other, set()).add(one)
    taken: set[int] = set()
    found = []
    for place in sorted(beside, key=lambda place: (-len(beside[place]), place)):
        around = beside[place] - taken
        if place not in taken and around:
            found.append(sorted({place, *around}))
            taken |= {place, *around}
    return found
