"""A query's words and its candidates' scores in; how well each candidate's words, meaning and kind fit, out."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from mercer.rank.hybrid import Scored
from mercer.retrieve.analyze import grams, normalise, words
from mercer.retrieve.facts import FIELDS, PIECE, Facts, han

__all__ = ["agreement", "likeness", "place", "wording"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Columns = dict[str, Real]
LONGEST = 24
"""Tokens of a query that are looked at."""
BEST, MANY, KIND = 5, 30, 20
"""Best candidates whose mean is the answer's middle, narrow and wide, and whose kinds are the answer's."""
NAMED = FIELDS["title"] | FIELDS["brand"] | FIELDS["attributes"]


def place(values: Real) -> Real:
    """log2(1 + place) by falling value, equal ones alike."""
    order = np.sort(-values)
    return np.log2(1 + 1 + np.searchsorted(order, -values, side="left"))


def wording(facts: Facts, query: str, scored: Scored, places: Whole) -> Columns:
    """Columns of signal ``wording``."""
    by_words = scored.parts.get("words", np.zeros(len(places)))
    columns: Columns = {"words": by_words, "words_place": place(by_words)}
    tokens = list(dict.fromkeys(words(query)))[:LONGEST]
    if not tokens:
        return columns
    masks = facts.masks(tokens, places)
    rare = np.array([_idf(facts, token) for token in tokens])
    share = rare / rare.sum()
    for field, bit in FIELDS.items():
        name = {"attributes": "attribute", "bullets": "bullet"}.get(field, field)
        columns[f"{name}_words"] = share @ ((masks & bit) > 0)
    columns["any_words"] = share @ (masks > 0)
    in_title = (masks & FIELDS["title"]) > 0
    columns["title_precision"] = in_title.sum(axis=0) / np.maximum(facts.column("title_words", places), 1)
    digits = [row for row, token in enumerate(tokens) if any(letter.isdigit() for letter in token)]
    if digits:
        columns["numbers"] = ((masks[digits] & NAMED) > 0).mean(axis=0)
    pieces = [PIECE + piece for piece in dict.fromkeys(grams(query))][: 2 * LONGEST]
    held = facts.masks(pieces, places) > 0
    if pieces:
        columns["title_pieces"] = held.mean(axis=0)
    if han(query) and pieces:  # single Han characters say little: pairs stand for words
        columns["rarest_word"] = 2.0 * held[int(np.argmax([_idf(facts, piece) for piece in pieces]))]
        columns["last_word"] = 2.0 * held[-1]
    else:
        columns["rarest_word"] = _somewhere(masks[int(np.argmax(rare))])
        if len(tokens) < LONGEST:
            columns["last_word"] = _somewhere(masks[tokens.index(words(query)[-1])])
    phrase = normalise(query).strip()
    whole = re.compile(rf"(?<![a-z0-9]){re.escape(phrase)}(?![a-z0-9])")
    titles = (facts.titles[at] if at >= 0 else "" for at in places.tolist())
    columns["phrase"] = np.array([phrase in title and whole.search(title) is not None for title in titles], np.float64)
    return {name: np.where(places >= 0, values, np.nan) for name, values in columns.items()}


def likeness(scored: Scored) -> Columns:
    """Columns of signal ``likeness``."""
    scores = scored.scores
    top = scores.max(initial=0.0)
    columns: Columns = {"hybrid": scores, "hybrid_gap": scores - top, "hybrid_place": place(scores)}
    cosine = scored.values.get("meaning")
    if cosine is not None and len(cosine):
        columns |= {"meaning": scored.parts["meaning"], "cosine": cosine, "cosine_gap": cosine - cosine.max()}
        columns["meaning_place"] = place(cosine)
    return columns


def agreement(facts: Facts, scores: Real, places: Whole, vectors: NDArray[np.float32] | None) -> Columns:
    """Columns of signal ``agreement``: how a candidate fits what most of the best candidates are."""
    order = np.argsort(-scores, kind="stable")
    columns: Columns = {}
    if vectors is not None and len(order):
        for name, many in (("like_best", BEST), ("like_many", MANY)):
            middle = vectors[order[:many]].mean(axis=0)
            length = float(np.linalg.norm(middle))
            columns[name] = (vectors @ (middle / max(length, 1e-9))).astype(np.float64)
    for name, field in (("category_share", "category"), ("department_share", "department"), ("brand_share", "brand")):
        codes = facts.column(field, places)
        best = codes[order[:KIND]]
        known = np.unique(best[~np.isnan(best)])
        share = np.zeros(len(places))
        for code in known:
            share[codes == code] = float((best == code).mean())
        columns[name] = np.where(np.isnan(codes), np.nan, share)
    return columns


def _somewhere(mask: NDArray[np.uint8]) -> Real:
    """2 where the title has it, 1 where another field has, else 0."""
    return np.where(mask & FIELDS["title"], 2.0, np.where(mask, 1.0, 0.0))


def _idf(facts: Facts, token: str) -> float:
    held = facts.holding(token)
    return math.log(1 + (len(facts) - held + 0.5) / (held + 0.5))
