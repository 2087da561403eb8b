"""A message, a fitted head and an encoder in; language, parts with their intents, entities and mood out."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.assistant.answer import Language
from mercer.assistant.entity import Entities, entities
from mercer.assistant.head import Head
from mercer.encode import language_of

__all__ = ["ORDERS", "SMALL", "Part", "Reading", "read"]

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

PARTS = 4
"""Most wishes read out of one message."""
UNSURE = 0.35
"""Chance below which a part says nothing on its own."""
BREAK = re.compile(
    r"[.!?。！？；;\n]+(?=\s|$|[\u4e00-\u9fff])|(?:，|,)?\s*(?:另外|还有就是|顺便|并且帮我|同时|再帮我|还想问)|"
    r",?\s+(?:and also|also,|and another thing|by the way|and can you|and could you|and please|and what|and how|"
    r"and where|and do you|and when|and is)\s+|，(?=.{0,8}(?:多少钱|有货|能退|包邮|多久|怎么|吗))",
    re.IGNORECASE,
)
SMALL = ("greet", "thanks", "bye", "affirm", "deny")
"""Intents that say nothing beside another one."""
ORDERS = ("order_status", "cancel_order", "return_order", "change_address", "refund_status")
NEGATIVE = re.compile(
    r"\b(?:angry|terrible|awful|worst|unacceptable|disappointed|furious|useless|broken|rude|scam|never again|"
    r"ridiculous|annoy\w*|hate)\b|太差|生气|失望|投诉|骗|垃圾|恶劣|坏了|气死|过分|差劲|没人管|受不了",
    re.IGNORECASE,
)
POSITIVE = re.compile(
    r"\b(?:great|love|perfect|excellent|happy|wonderful|thank\w*)\b|喜欢|满意|很好|太棒|谢谢|感谢|不错", re.I
)
RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("complaint", re.compile(r"我要投诉|要举报|\b(?:make|file|lodge) a complaint\b|\bcomplain about\b", re.I)),
    (
        "human",
        re.compile(
            r"人工客服|转人工|真人|找人工|\b(?:human|live|real) (?:agent|person|being)\b|\bspeak to (?:a|some)", re.I
        ),
    ),
    (
        "compare",
        re.compile(
            r"\b(?:compare|versus|vs\.?|difference between)\b|比较|对比|区别|有什么不同|哪个更|哪款更|哪个好", re.I
        ),
    ),
    (
        "alternative",
        re.compile(
            r"\b(?:cheaper|alternatives?|similar|something else|instead)\b|便宜点|更便宜|类似|同类|替代|平替|还有别的",
            re.I,
        ),
    ),
)
"""Words that settle what is meant where the head hesitates between a few."""


@dataclass(frozen=True, slots=True)
class Part:
    """One wish."""

    text: str
    intent: str
    chance: float
    familiar: bool
    """Whether it is like anything that the assistant has learned."""
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as it was understood."""

    language: Language
    parts: tuple[Part, ...]
    entities: Entities
    sentiment: str
    """negative, neutral or positive."""


def read(text: str, head: Head, encode: Encode, *, known: Container[str], language: str = "") -> Reading:
    """Understand one message; pure, and the same text is always understood alike."""
    pieces = _pieces(text)
    asked = [text, *pieces] if len(pieces) > 1 else [text]
    vectors = encode(asked)
    chances, familiar = head(vectors), head.familiarity(vectors) >= head.floor
    found = entities(text, known)
    parts = [
        _settled(Part(piece, "", 0.0, bool(near), vector), head.labels, own, entities(piece, known))
        for piece, own, near, vector in zip(asked, chances, familiar, vectors, strict=True)
    ]
    spoken: Language = "zh" if (language or language_of(text)) == "zh" else "en"
    return Reading(spoken, tuple(_wishes(parts)), found, _mood(text))


def _pieces(text: str) -> list[str]:
    """Clauses that may be wishes of their own."""
    found = [piece.strip(" ,，、") for piece in BREAK.split(text) if piece]
    return [piece for piece in found if len(piece) > 1][:PARTS]


def _settled(part: Part, labels: Sequence[str], chances: NDArray[np.float64], named: Entities) -> Part:
    """The part with its intent: the head's, unless an order number or plain words say more."""
    said = dict(zip(labels, chances.tolist(), strict=True))
    intent = max(said, key=lambda name: said[name])
    chance = said[intent]
    own = {name: said[name] for name in ORDERS if name in said}
    if named.orders and own and intent not in (*ORDERS, "complaint", "human"):
        intent, chance = max(own, key=lambda name: own[name]), max(chance, UNSURE)
    for name, pattern in RULES:
        may = name in ("human", "complaint") or intent.startswith(("product", "compare", "alternative", "other"))
        if may and name in said and intent != name and pattern.search(part.text):
            intent, chance = name, max(chance, 0.6)
    return Part(part.text, intent, chance, part.familiar or bool(named.orders or named.products), part.vector)


def _wishes(parts: list[Part]) -> list[Part]:
    """The whole message where its clauses say one thing or nothing sure; else each wish once."""
    whole, pieces = parts[0], [part for part in parts[1:] if part.chance >= UNSURE]
    wishes = [part for part in pieces if part.intent not in SMALL]
    if len({part.intent for part in wishes}) < 2:
        if wishes and whole.intent in SMALL:
            return [wishes[0]]
        if wishes and whole.chance < wishes[0].chance and len(wishes) == 1:
            chosen = wishes[0]
            return [Part(whole.text, chosen.intent, chosen.chance, whole.familiar or chosen.familiar, whole.vector)]
        return [whole]
    once: dict[str, Part] = {}
    for part in wishes:
        held = once.get(part.intent)
        once[part.intent] = part if held is None else Part(
            f"{held.text} {part.text}", part.intent, max(held.chance, part.chance), held.familiar, held.vector
        )  # fmt: skip
    return list(once.values())


def _mood(text: str) -> str:
    if NEGATIVE.search(text):
        return "negative"
    return "positive" if POSITIVE.search(text) else "neutral"
