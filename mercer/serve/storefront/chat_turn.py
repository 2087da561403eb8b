"""Turns of a conversation and answers with their evidence in; what the chat shows of each out."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from mercer.assistant.answer import Answer, Source
from mercer.assistant.memory import Turn
from mercer.records import Product
from mercer.serve.storefront import card
from mercer.serve.storefront.words import Words

__all__ = ["Pick", "Recent", "Spoken", "answered", "trouble", "turns_of"]

LISTED = re.compile(r"^\d+\. ")
"""A sentence that only names a product; its card says the same."""
MASKED = re.compile(r"\[[a-z_]+-[a-z0-9]+\]")
"""What `mercer.quality.personal.mask` puts in the place of a number or a name."""
TALKS, ANSWERS = 500, 30
"""Conversations, and answers of each, whose cards and sources are remembered."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One product beside an answer."""

    title: str
    url: str
    image: str
    price: str
    stock: str
    in_stock: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """One turn, ready to print."""

    role: str
    """shopper, assistant, agent, or wrong where nothing could be answered."""
    speaker: str
    lines: tuple[str, ...]
    time: int = 0
    """UTC milliseconds."""
    tag: str = ""
    """Language of an answer, for the lang attribute."""
    picks: tuple[Pick, ...] = ()
    sources: tuple[tuple[str, str, str], ...] = ()
    """Title, address in this shop ("" for none), words that were rested on."""
    token: str = ""
    """Of an action that waits for a yes."""
    yes: str = ""
    done: str = ""
    """What became of an action."""
    handed: bool = False
    ended: bool = False


class Recent:
    """Answers as they were given, for pages opened later; the conversation's memory keeps their words alone, masked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._talks: OrderedDict[str, deque[Answer]] = OrderedDict()

    def keep(self, answer: Answer) -> None:
        """Remember one; the oldest make room."""
        with self._lock:
            self._talks.setdefault(answer.conversation, deque(maxlen=ANSWERS)).append(answer)
            self._talks.move_to_end(answer.conversation)
            while len(self._talks) > TALKS:
                self._talks.popitem(last=False)

    def of(self, talk: str) -> list[Answer]:
        """Those of one conversation, oldest first."""
        with self._lock:
            return list(self._talks.get(talk, ()))


def turns_of(turns: Sequence[Turn], recent: Recent, talk: str, words: Words) -> list[Spoken]:
    """Everything said, oldest first; only the last answer's action can still be confirmed."""
    found, left = [], recent.of(talk)
    for turn in reversed(turns):
        whole = _taken(left, turn.text) if turn.role == "assistant" else None
        spoken = answered(whole, words) if whole else _plain(turn, words)
        found.append(replace(spoken, time=turn.time, token=spoken.token if turn is turns[-1] else ""))
    return found[::-1]


def _taken(left: list[Answer], text: str) -> Answer | None:
    """The latest answer of these words, whatever stood where they are masked; it and those after it are taken out."""
    like = re.compile(".+".join(re.escape(piece) for piece in MASKED.split(text)), re.DOTALL)
    place = next((at for at in reversed(range(len(left))) if like.fullmatch(left[at].text)), None)
    if place is None:
        return None
    found = left[place]
    del left[place:]
    return found


def answered(answer: Answer, words: Words) -> Spoken:
    """An answer with its cards, sources and action."""
    shown = {product.id for product in answer.products}
    sentences = [one for one in answer.sentences if not (LISTED.match(one.text) and shown.issuperset(one.sources))]
    action = answer.action
    return Spoken(
        "assistant",
        words("ask_assistant"),
        tuple(one.text for one in sentences),
        tag=Words(answer.language).tag,
        picks=tuple(_pick(product, words) for product in answer.products),
        sources=tuple(_source(source) for source in answer.sources),
        token=action.token if action and action.status == "offered" else "",
        yes=words(f"ask_{action.tool}") if action and action.status == "offered" else "",
        done=words("ask_done") if action and action.status == "done" else "",
        handed=bool(answer.handover),
        ended=answer.ended,
    )


def trouble(phrase: str, words: Words) -> Spoken:
    """Why there is no answer, and what to do."""
    return Spoken("wrong", words("ask_assistant"), (words(phrase),))


def _plain(turn: Turn, words: Words) -> Spoken:
    role = turn.role if turn.role in ("shopper", "agent") else "assistant"
    said = words("ask_yes") if role == "shopper" and turn.text == "✓" else turn.text
    return Spoken(role, words(f"ask_{role}"), tuple(said.splitlines()))


def _pick(product: Product, words: Words) -> Pick:
    where = quote(product.id, safe="")
    price = card.amount(product.price, product.currency)
    return Pick(
        product.title, f"/p/{where}", f"/images/{where}", price, card.stock_line(product, words), product.in_stock
    )


def _source(source: Source) -> tuple[str, str, str]:
    if source.kind == "product":
        return source.title, f"/p/{quote(source.id, safe='')}", ""
    return source.title or source.id, "", source.text
