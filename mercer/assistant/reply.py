"""Sentences, sources and products of several parts in; one reply, each source once, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mercer.assistant.answer import Action, Language, Sentence, Source
from mercer.assistant.say import money, said, stock
from mercer.records import Product

__all__ = ["Reply", "listed", "source_of"]

LONGEST = 600
"""Characters of a source that are shown."""


@dataclass(slots=True)
class Reply:
    """What one part of a message is answered."""

    sentences: list[Sentence] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    products: list[Product] = field(default_factory=list)
    handover: str = ""
    action: Action | None = None
    degraded: str = ""
    intent: str = ""
    """What it was taken for, where that differs from what the head said."""

    def says(self, sentence: Sentence, *sources: Source) -> Reply:
        """Add a sentence with what it rests on."""
        self.sentences.append(sentence)
        self.sources |= {source.id: source for source in sources}
        return self

    def joined(self, other: Reply) -> Reply:
        """Both, one after the other."""
        self.sentences += [one for one in other.sentences if one not in self.sentences]
        self.sources |= other.sources
        self.products += [one for one in other.products if one.id not in {mine.id for mine in self.products}]
        self.handover = self.handover or other.handover
        self.action = self.action or other.action
        self.degraded = self.degraded or other.degraded
        return self


def source_of(product: Product) -> Source:
    """A product as the evidence of a sentence."""
    price, was = (money(amount, product.currency) for amount in (product.price, product.list_price))
    told = [product.title, f"{price} ({was})" if was and was != price else price]
    told += [str(product.stock) if product.stock is not None else "", product.availability, _rated(product)]
    told += [product.brand, " > ".join(product.category)]
    told += [f"{name}: {value}" for name, value in product.attributes.items()]
    told += [product.bullets, product.description]
    text = "\n".join(piece for piece in told if piece)
    return Source(product.id, "product", product.title, text[:LONGEST], product.url)


def _rated(product: Product) -> str:
    return "" if product.rating is None else f"{product.rating:g}/5 ({product.rating_count or 0})"


def listed(reply: Reply, products: Iterable[Product], language: Language) -> Reply:
    """One line a product, numbered as "the second one" counts them."""
    for number, product in enumerate(products, start=1):
        price = money(product.price, product.currency) or "–"
        line = said(
            "item", language, product.id, n=number, title=product.title, price=price, stock=stock(product, language)
        )
        reply.says(line, source_of(product))
        reply.products.append(product)
    return reply
