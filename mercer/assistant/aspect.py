"""A question about one product in; the attributes, colours or sentence of its listing that answer out."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from mercer.assistant.answer import Language
from mercer.assistant.guard import quotable
from mercer.assistant.model import terms
from mercer.assistant.say import money
from mercer.records import Product

__all__ = ["aspect", "attribute", "colour_asked", "has_colour", "quote"]


@cache
def _known() -> dict[str, Any]:
    """aspects: words of a question, names of attributes that answer it, or the product's own field; colours."""
    text = importlib.resources.files("mercer.assistant").joinpath("aspects.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


MORE = re.compile(
    r"tell me (?:more )?about|more about|describe|details?|features?|介绍|详细|特点|功能|卖点|怎么样", re.IGNORECASE
)
ASKS_COLOUR = re.compile(
    r"\b(?:in|come in|have it in|is it|are they|a)\s+(?:a\s+)?([a-z]+)\b|"
    r"有没有?\s*([\u4e00-\u9fff]{1,3}?)色?的|[它这那款件有是要来]*([\u4e00-\u9fff]{1,2}?)色的?有?吗",
    re.IGNORECASE,
)
NAMES: Mapping[str, tuple[str, str]] = {
    "brand": ("Brand", "品牌"), "rating": ("Rating", "评分"), "category": ("Category", "类目"),
    "price": ("Price", "价格"),
}  # fmt: skip
SENTENCE = re.compile(r"[^.!?。！？\n;；]+[.!?。！？;；]?")
TITLE_PARTS = re.compile(r"[:：–—，（(]")
FEW = 2
"""Words of a question that a selling point in the title must have."""
MANY = 4
"""Attributes told where a product is asked about in general."""


def attribute(text: str, product: Product, language: Language) -> list[tuple[str, str]]:
    """(name, value) of the attributes that a question is about, the surest first.

    >>> attribute("what is it made of", Product("1", "Mug", attributes={"Material": "clay"}), "en")
    [('Material', 'clay')]
    """
    own = [name for name in product.attributes if name.lower() in text.lower() and len(name) > 1]
    found = [(name, product.attributes[name]) for name in own]
    for asked, names, field in _known()["aspects"]:
        if not re.search(asked, text, re.IGNORECASE):
            continue
        if field:
            found += _field(field, product, language)
        else:
            found += [(name, value) for name, value in product.attributes.items() if re.search(names, name, re.I)]
    if not found and MORE.search(text):
        found = _field("brand", product, language) + _field("rating", product, language)
        found = [*list(product.attributes.items())[:MANY], *found]
    clean = [(name, value) for name, value in dict(found).items() if value and quotable(f"{name} {value}")]
    return clean[: MANY + 2]


def aspect(text: str) -> bool:
    """Whether a question is about some attribute of a product.

    >>> aspect("what is it made of"), aspect("do you have desks")
    (True, False)
    """
    return any(re.search(asked, text, re.IGNORECASE) for asked, _, _ in _known()["aspects"][:-1])


def quote(text: str, words: str, product: Product) -> str:
    """The sentence of the listing that has most of the question's own words; "" where none has any.

    Words of the title do not count: every sentence about the product has them.
    """
    wanted = set(terms(text)) | set(terms(words))
    wanted -= set(terms(f"{product.title} {product.brand}"))
    best, most = "", 0
    for sentence in SENTENCE.findall(f"{product.bullets}\n{product.description}"):
        shared = len(wanted & set(terms(sentence)))
        if shared > most and quotable(sentence):
            best, most = sentence.strip(), shared
    if best:
        return best
    for piece in TITLE_PARTS.split(product.title)[1:]:
        if len((set(terms(text)) | set(terms(words))) & set(terms(piece))) >= FEW:
            return piece.strip()
    return ""


def colour_asked(text: str) -> str:
    """The colour that a question asks for as another one, as the question writes it; "" where it asks for none.

    >>> colour_asked("does it come in red?"), colour_asked("它有红色的吗"), colour_asked("红色连衣裙多少钱")
    ('red', '红', '')
    """
    for match in ASKS_COLOUR.finditer(text):
        word = next(group for group in match.groups() if group)
        if any(re.search(pattern, word, re.IGNORECASE) for pattern in _known()["colours"].values()):
            return word
    return ""


def has_colour(product: Product, wanted: str) -> tuple[str, str]:
    """(attribute's name, its value) where the product is of that colour; ("", value) where it is of another."""
    pattern = next(
        (one for one in _known()["colours"].values() if re.search(one, wanted, re.IGNORECASE)), re.escape(wanted)
    )
    value = ""
    for name, held in product.attributes.items():
        if re.search(r"colou?r|颜色", name, re.IGNORECASE):
            value = held
            if re.search(pattern, held, re.IGNORECASE):
                return name, held
    return "", value


def _field(field: str, product: Product, language: Language) -> list[tuple[str, str]]:
    name = NAMES[field][language == "zh"]
    if field == "brand":
        return [(name, product.brand)] if product.brand else []
    if field == "category":
        return [(name, " > ".join(product.category))] if product.category else []
    if field == "price":
        return [(name, money(product.price, product.currency))] if product.price is not None else []
    if product.rating is None:
        return []
    return [(name, f"{product.rating:g}/5 ({product.rating_count or 0})")]
