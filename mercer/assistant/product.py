"""A question about products and what was shown before in; sentences from product data, each with its product, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mercer.assistant.answer import Language
from mercer.assistant.aspect import attribute, colour_asked, has_colour, quote
from mercer.assistant.entity import Entities
from mercer.assistant.memory import State
from mercer.assistant.reply import Reply, listed, source_of
from mercer.assistant.say import money, phrase, said
from mercer.assistant.shelf import SURE, Match, Shelf, asked_words, meant
from mercer.records import Product, Shopper

__all__ = ["HANDLERS", "Products", "Question"]

CHEAPER = re.compile(r"\bcheap\w*|less expensive|lower price|便宜|平价|低价|实惠", re.IGNORECASE)
CONTRAST = re.compile(r"\b(?:compare|versus|vs|difference|than)\b|比较|对比|区别|哪个|哪款", re.IGNORECASE)
CHEAPEST = re.compile(r"\bcheapest|lowest price\b|最便宜|最低价|最实惠", re.IGNORECASE)
DEAREST = re.compile(r"\bmost expensive\b|最贵", re.IGNORECASE)
AND = re.compile(r"\s+(?:and|or|vs\.?|versus|with|than|to)\s+|和|与|跟|还是|对比|比(?!较)|、|/", re.IGNORECASE)
SHOWN = 5
"""Attributes that two products have in common and that are compared."""


@dataclass(frozen=True, slots=True)
class Question:
    """One wish about products."""

    text: str
    language: Language
    entities: Entities
    shopper: Shopper


class Products:
    """Answers from product data. Every method takes a question and the state, which it may move."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def find(self, question: Question, state: State) -> Reply:
        """Which there are: those that have what was asked, else the nearest, said to be no more than that."""
        wanted = colour_asked(question.text)
        if not asked_words(question.text).strip() or (wanted and not _rest(question.text, wanted)):
            spoken = self._spoken(question, state)
            if spoken:
                return self.detail(question, state) if wanted else self.alternative(question, state)
            return _none(question.language)
        cheapest = bool(CHEAPEST.search(question.text))
        matches = self.shelf.find(question.text, question.shopper)
        right = [match for match in matches if match.share >= SURE]
        best = [match for match in right if match.share >= right[0].share - 0.1] if right else []
        if cheapest or DEAREST.search(question.text):
            best = sorted(best, key=lambda match: _price(match.product), reverse=not cheapest)
        chosen = [match.product for match in (best or matches)[: self.shelf.most]]
        if not chosen:
            return _none(question.language)
        opening = "found" if best else "nearest"
        reply = Reply().says(said(opening, question.language, *(one.id for one in chosen)))
        self._showed(state, chosen)
        return listed(reply, chosen, question.language)

    def price(self, question: Question, state: State) -> Reply:
        """What one product costs, or several that go by the name."""

        def tell(reply: Reply, product: Product) -> None:
            language, source = question.language, source_of(product)
            if product.price is None:
                reply.says(said("no_price", language, product.id, title=product.title), source)
                return
            price = money(product.price, product.currency)
            reply.says(said("price", language, product.id, title=product.title, price=price), source)
            if product.list_price and product.list_price > product.price:
                was = money(product.list_price, product.currency)
                reply.says(said("reduced", language, product.id, was=was), source)

        return self._about(question, state, tell)

    def stock(self, question: Question, state: State) -> Reply:
        """Whether one product can be bought now, and how many are left where the shop says."""

        def tell(reply: Reply, product: Product) -> None:
            name = "stock_in" if product.in_stock else "stock_out"
            if product.in_stock and product.stock is not None:
                name = "stock_count"
            elif product.in_stock and not product.availability:
                name = "stock_unsaid"
            line = said(name, question.language, product.id, title=product.title, count=product.stock)
            reply.says(line, source_of(product))

        return self._about(question, state, tell)

    def detail(self, question: Question, state: State) -> Reply:
        """What the shop says of one product: the attribute asked for, a sentence that has the words, or nothing."""
        language = question.language

        def tell(reply: Reply, product: Product) -> None:
            source = source_of(product)
            if wanted := colour_asked(question.text):
                self._colour(reply, product, wanted, question)
                return
            found = attribute(question.text, product, language)
            for name, value in found[:3]:
                told = " / ".join(value.split("\n"))
                line = said("attribute", language, product.id, name=name, title=product.title, value=told)
                reply.says(line, source)
            if not found and (text := quote(question.text, asked_words(question.text), product)):
                reply.says(said("quoted", language, product.id, title=product.title, text=text), source)
            elif not found:
                reply.says(said("unsaid", language, title=product.title))
                reply.handover = "unknown"

        return self._about(question, state, tell)

    def compare(self, question: Question, state: State) -> Reply:
        """Price, rating and common attributes of two products side by side."""
        both = self._two(question, state)
        if len(both) < 2:
            return Reply().says(said("which", question.language))
        first, second = both[:2]
        language, ids = question.language, (first.id, second.id)
        sources = [source_of(one) for one in (first, second)]
        reply = Reply(products=[first, second])
        one, two = (money(product.price, product.currency) or "–" for product in (first, second))
        reply.says(said("versus", language, *ids, first=first.title, second=second.title, one=one, two=two), *sources)
        if first.price is not None and second.price is not None and first.currency == second.currency:
            low = min((first, second), key=_price)
            gap = money(abs(first.price - second.price), low.currency)
            name = "cheaper" if first.price != second.price else "same_price"
            reply.says(said(name, language, *ids, title=low.title, gap=gap), *sources)
        for name, here, there in _common(first, second, language):
            reply.says(said("differ", language, *ids, name=name, one=here, two=there), *sources)
        self._showed(state, [first, second], focus=state.focus)
        return reply

    def alternative(self, question: Question, state: State) -> Reply:
        """Products like the one spoken of; cheaper ones where that was asked."""
        product = self._named(question, state)
        if isinstance(product, list) or product is None:
            return self.find(question, state) if asked_words(question.text) else _which(question.language)
        cheaper = bool(CHEAPER.search(question.text))
        chosen = self.shelf.alike(product, question.shopper, cheaper=cheaper)
        if not chosen:
            return Reply().says(said("no_cheaper" if cheaper else "none", question.language))
        opening = "cheaper_list" if cheaper else "alternatives"
        reply = Reply().says(said(opening, question.language, *(one.id for one in chosen)))
        self._showed(state, chosen, focus=product.id)
        return listed(reply, chosen, question.language)

    def _about(self, question: Question, state: State, tell: Callable[[Reply, Product], None]) -> Reply:
        """Tell of the product that is meant; list those that may be, where it is not clear; ask where none is."""
        product = self._named(question, state)
        reply = Reply()
        if isinstance(product, Product):
            state.focus = product.id
            if product.id not in state.shown:
                state.shown = [product.id]
            reply.products.append(product)
            tell(reply, product)
            return reply
        if product is None:
            return _which(question.language) if not asked_words(question.text) else _none(question.language)
        for one in product[: self.shelf.most]:
            tell(reply, one)
            reply.products.append(one)
        reply.handover = "" if any(line.sources != ("shop",) for line in reply.sentences) else reply.handover
        self._showed(state, product[: self.shelf.most])
        return reply

    def _named(self, question: Question, state: State) -> Product | list[Product] | None:
        """The product that is meant; several where the name fits several; None where it fits none."""
        spoken = self._spoken(question, state)
        words = asked_words(question.text)
        if spoken and (question.entities.ordinals or question.entities.products):
            return spoken[0]
        matches = self.shelf.find(question.text, question.shopper) if words else []
        sure = [match for match in matches if match.share >= SURE]
        if spoken and (question.entities.refers or not sure):
            return spoken[0]
        if (one := meant(sure)) is not None:
            return one
        if not sure:
            return [match.product for match in _plausible(matches)] or None
        return [match.product for match in sure if match.share >= sure[0].share - 0.05]

    def one(self, question: Question, state: State) -> bool:
        """Whether exactly one product is meant, and it has what is asked about."""
        if len([side for side in AND.split(question.text) if side and asked_words(side)]) > 1 and CONTRAST.search(
            question.text
        ):
            return False
        found = self._named(question, state)
        return isinstance(found, Product) and bool(attribute(question.text, found, question.language))

    def _spoken(self, question: Question, state: State) -> list[Product]:
        """Products named by id, by place in the last list, or by a pronoun."""
        if question.entities.products:
            return self.shelf.products(question.entities.products)
        places = [at for at in question.entities.ordinals if -len(state.shown) <= at < len(state.shown)]
        if places and state.shown:
            return self.shelf.products([state.shown[at] for at in places])
        return self.shelf.products([state.focus]) if state.focus else []

    def _two(self, question: Question, state: State) -> list[Product]:
        named = question.entities.products or ()
        if len(named) >= 2 or len(question.entities.ordinals) >= 2:
            return self._spoken(question, state)
        sides = [piece for piece in AND.split(question.text) if piece and asked_words(piece)]
        found: dict[str, Product] = {}
        for side in sides:
            matches = self.shelf.find(side, question.shopper)
            if matches and matches[0].share >= SURE:
                found.setdefault(matches[0].product.id, matches[0].product)
        if len(found) >= 2:
            return list(found.values())
        if len(found) == 1 and state.focus and state.focus not in found:
            return [*self.shelf.products([state.focus]), *found.values()]
        return self.shelf.products(state.shown[:2])

    def _colour(self, reply: Reply, product: Product, wanted: str, question: Question) -> None:
        """Whether a product is of a colour, and which like it are."""
        language, source = question.language, source_of(product)
        name, value = has_colour(product, wanted)
        if name:
            reply.says(said("colour_yes", language, product.id, name=name, title=product.title, value=value), source)
            return
        if value:
            reply.says(said("colour_no", language, product.id, title=product.title, value=value), source)
        leaf = product.category[-1] if product.category else product.title
        others = [match.product for match in self.shelf.find(f"{wanted} {leaf}", question.shopper)]
        kin = [one for one in others if one.category == product.category and has_colour(one, wanted)[0]]
        if kin:
            reply.says(said("colour_others", language, *(one.id for one in kin[:3]), wanted=wanted))
            listed(reply, kin[:3], language)
        elif not value:
            reply.says(said("unsaid", language, title=product.title))
            reply.handover = "unknown"

    def _showed(self, state: State, products: list[Product], focus: str = "") -> None:
        state.shown = [product.id for product in products]
        state.focus = focus or (products[0].id if products else "")


HANDLERS: Mapping[str, str] = {
    "product_find": "find", "product_price": "price", "product_stock": "stock", "product_detail": "detail",
    "compare": "compare", "alternative": "alternative",
}  # fmt: skip
"""Intent → method."""


def _none(language: Language) -> Reply:
    return Reply(intent="none").says(said("none", language))


def _which(language: Language) -> Reply:
    return Reply().says(said("which", language))


def _plausible(matches: list[Match]) -> list[Match]:
    """Where no product has half of the words: those that have a third, as names are often said in part."""
    return [match for match in matches if match.share >= 0.34 and match.share >= matches[0].share - 0.05][:1]


def _price(product: Product) -> float:
    return product.price if product.price is not None else float("inf")


def _rest(text: str, colour: str) -> str:
    return asked_words(re.sub(re.escape(colour) + "色?", " ", text, flags=re.IGNORECASE))


def _common(first: Product, second: Product, language: Language) -> list[tuple[str, str, str]]:
    """(name, value of one, of the other) of what both have and differ in."""
    rated = phrase("rating", language, title="", rating="", count="") and ("Rating" if language == "en" else "评分")
    found = []
    if first.rating is not None and second.rating is not None:
        found.append((rated, f"{first.rating:g}", f"{second.rating:g}"))
    if first.brand and second.brand and first.brand != second.brand:
        found.append(("Brand" if language == "en" else "品牌", first.brand, second.brand))
    for name, value in first.attributes.items():
        other = second.attributes.get(name, "")
        if other and other != value and len(value) + len(other) < 120:
            found.append((name, value, other))
    return found[:SHOWN]
