"""Judgments, behaviour and the catalogue in; weighted (query, product) pairs with their lineage out."""

from __future__ import annotations

from mercer.learn.pairs.behaviour import BehaviourPairs, from_events
from mercer.learn.pairs.catalogue import CataloguePairs, from_catalogue
from mercer.learn.pairs.judged import from_judgments
from mercer.learn.pairs.pair import empty, gains_of, group_of, joined, schema
from mercer.learn.pairs.split import PARTS, apart

__all__ = [
    "PARTS",
    "BehaviourPairs",
    "CataloguePairs",
    "apart",
    "empty",
    "from_catalogue",
    "from_events",
    "from_judgments",
    "gains_of",
    "group_of",
    "joined",
    "schema",
]
