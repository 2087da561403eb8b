"""Answers in; which language, device and popularity of query each belongs to, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mercer.encode.language import language_of
from mercer.watch.traffic import Traffic

__all__ = ["HEAD", "head", "normal", "slices"]

HEAD = 0.5
"""Share of all questions that the most frequent queries make, together: they are the head, others the tail."""
DEVICES = 6
"""Devices that are told apart; the rarer ones are one."""


def normal(query: str) -> str:
    """As queries are counted: lower case, one blank between words."""
    return " ".join(query.casefold().split())


def head(queries: NDArray[np.object_]) -> set[str]:
    """The most frequent queries, which make half of all questions together; a query asked once is never one."""
    counted = Counter(map(normal, queries))
    chosen: set[str] = set()
    made, all_ = 0, sum(counted.values())
    for query, count in counted.most_common():
        if made >= HEAD * all_ or count < 2:
            break
        chosen.add(query)
        made += count
    return chosen


def slices(traffic: Traffic) -> Mapping[str, NDArray[np.bool_]]:
    """Name → which answers, shape (answers,); all of them first."""
    found: dict[str, NDArray[np.bool_]] = {"all": np.ones(len(traffic), bool)}
    spoken = np.array([language_of(query) if query else "" for query in traffic.query], dtype=object)
    for name in ("zh", "en", "other"):
        found[f"language {name}"] = spoken == name
    for name, _ in Counter(traffic.device).most_common(DEVICES):
        if name:
            found[f"device {name}"] = traffic.device == name
    frequent = head(traffic.query)
    often = np.array([normal(query) in frequent for query in traffic.query], bool)
    found["head"], found["tail"] = often, ~often
    return {name: held for name, held in found.items() if held.any()}
