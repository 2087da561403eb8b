"""What a customer asks and what is answered, as frozen records: sentences, their sources, actions, hand-over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as filled
from typing import Any, Literal

from mercer.records import Product

__all__ = ["Action", "Answer", "Ask", "Language", "Sentence", "Source"]

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One message of a customer."""

    text: str
    shopper: str = ""
    """Who asks, as the caller has authenticated them; "" is nobody known, who has no orders."""
    conversation: str = ""
    """"" begins a new one."""
    language: str = ""
    """zh or en; "" goes by the message."""
    confirm: str = ""
    """Token of an offered action that the customer confirms by a button."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sentence is from."""

    id: str
    kind: Literal["product", "faq", "policy", "dialogue", "order", "shop"]
    title: str
    text: str
    """What the sentence rests on."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer."""

    text: str
    sources: tuple[str, ...]
    """Ids of `Source`s; ``shop`` for what the assistant says of itself."""


@dataclass(frozen=True, slots=True)
class Action:
    """A tool that was offered, done or refused."""

    tool: str
    arguments: Mapping[str, str]
    status: Literal["offered", "done", "refused"]
    token: str = ""
    """Of an offered one: what confirms it by a button; it holds for the next message only."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    conversation: str
    language: Language
    sentences: tuple[Sentence, ...]
    sources: tuple[Source, ...] = ()
    intents: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    """Cards to show, in the order in which "the second one" counts them."""
    action: Action | None = None
    handover: str = ""
    """"" or why a person is called: asked, complaint, unknown, loop, abuse."""
    phrased: bool = False
    """Whether an outside model chose the words; its text was checked against the sources."""
    ended: bool = False
    """Whether the conversation is over."""
    degraded: str = ""
    entities: Mapping[str, Any] = filled(default_factory=dict)
    sentiment: str = "neutral"

    @property
    def text(self) -> str:
        """All sentences; a line each where one has a list."""
        return ("" if self.language == "zh" else " ").join(sentence.text for sentence in self.sentences)

    def to_json(self) -> dict[str, Any]:
        """As HTTP and ``--json`` give it."""
        return {
            "conversation": self.conversation,
            "language": self.language,
            "answer": self.text,
            "sentences": [{"text": one.text, "sources": list(one.sources)} for one in self.sentences],
            "sources": [
                {"id": one.id, "kind": one.kind, "title": one.title, "text": one.text, "url": one.url}
                for one in self.sources
            ],
            "intents": list(self.intents),
            "products": [_card(product) for product in self.products],
            "action": None
            if self.action is None
            else {
                "tool": self.action.tool,
                "arguments": dict(self.action.arguments),
                "status": self.action.status,
                "token": self.action.token,
                "detail": self.action.detail,
            },
            "handover": self.handover,
            "phrased": self.phrased,
            "ended": self.ended,
            "degraded": self.degraded,
            "entities": {name: list(values) for name, values in self.entities.items()},
            "sentiment": self.sentiment,
        }


def _card(product: Product) -> dict[str, Any]:
    return {
        "id": product.id, "title": product.title, "brand": product.brand, "price": product.price,
        "currency": product.currency, "in_stock": product.in_stock, "rating": product.rating, "image": product.image,
    }  # fmt: skip
