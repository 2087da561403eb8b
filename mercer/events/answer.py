"""What was asked and found in; one frozen record of an answer as the log keeps it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as filled

__all__ = ["Answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One page that was given, with or without products on it: what was asked, and by what it was answered."""

    query_id: str
    time: int
    scene: str = ""
    query: str = ""
    """As it was typed, personal numbers masked."""
    total: int = 0
    """Products of the whole answer."""
    offset: int = 0
    shopper: str = ""
    session: str = ""
    device: str = ""
    version: str = ""
    """Of the index."""
    models: Mapping[str, str] = filled(default_factory=dict)
    """encoder, ranker, reranker → the name of each that the shop had."""
    arm: str | None = None
    """Of an experiment, such as "prices/b"; None where the answer was part of none."""
    degraded: str = ""
