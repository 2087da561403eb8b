"""Some texts and others beside them in; the words that tell the first from the second out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from mercer.opinion.grams import HAN, plain

__all__ = ["distinctive", "terms"]

RUN = re.compile(r"[\u3400-\u9fff]+|[a-z][a-z'&-]{2,}")
COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for with that this was are but not you have has had its they were from very just too our all one out "
        "would will can get got been them there their what when which who your",
    )
)
STOP = re.compile(r"^[的了是我你他它们这那就都也还在有和没不很一个]+$|^[的了是就也都很]|[的了是就也都很]$")
LENGTHS = (2, 3, 4)
READ = 300
"""Characters of a text that names are taken from."""


def terms(text: str) -> set[str]:
    """Words of three letters and more, and runs of two to four Han characters."""
    found: set[str] = set()
    for run in RUN.findall(plain(text[:READ])):
        if HAN.match(run):
            found.update(run[at : at + size] for size in LENGTHS for at in range(len(run) - size + 1))
        elif run not in COMMON:
            found.add(run)
    return {one for one in found if not STOP.search(one)}


def distinctive(texts: Sequence[str], others: Sequence[str], k: int = 5) -> list[str]:
    """At most `k` terms that are commoner in `texts` than in `others`: smoothed log ratio times how many have it.

    A term inside a longer one that is about as common is left out.

    >>> distinctive(["包装破了", "包装破损", "包装很烂"], ["物流快", "质量好"], k=1)
    ['包装']
    """
    ours, theirs = (Counter(term for text in some for term in terms(text)) for some in (texts, others))
    least = 2 if len(texts) > 3 else 1
    scores = {}
    for term, count in ours.items():
        if count >= least:
            ratio = math.log(((count + 0.5) / (len(texts) + 1)) / ((theirs[term] + 0.5) / (len(others) + 1)))
            scores[term] = ratio * math.sqrt(count)
    kept: list[str] = []
    for term in sorted(scores, key=lambda one: (-scores[one], -len(one), one)):
        if scores[term] <= 0 or len(kept) >= k:
            break
        if not any(term in one or (one in term and ours[term] < 0.8 * ours[one]) for one in kept):
            kept = [one for one in kept if one not in term] + [term]
    return kept
