"""The name of a phrase and what fills it in; a sentence in the customer's language, with its sources, out."""

from __future__ import annotations

import importlib.resources
import json
from functools import cache

from mercer.assistant.answer import Language, Sentence
from mercer.records import Product

__all__ = ["money", "phrase", "said", "stock"]

OWN = ("shop",)
"""Source of what the assistant says of itself."""
SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}


@cache
def _phrases() -> dict[str, list[str]]:
    text = importlib.resources.files("mercer.assistant").joinpath("phrases.json").read_text("utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found


def phrase(name: str, language: Language, /, **values: object) -> str:
    """The phrase with its slots filled.

    >>> phrase("stock_count", "en", title="Mug", count=3)
    'Mug is in stock, 3 left.'
    """
    return _phrases()[name][language == "zh"].format(**values)


def said(name: str, language: Language, /, *sources: str, **values: object) -> Sentence:
    """A sentence from a phrase; without sources it is the assistant's own."""
    return Sentence(phrase(name, language, **values), sources or OWN)


def money(amount: float | None, currency: str) -> str:
    """An amount as people write it.

    >>> money(499.0, "CNY"), money(12.5, "EUR"), money(3.0, "")
    ('¥499', '€12.50', '3')
    """
    if amount is None:
        return ""
    figure = f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"
    sign = SIGNS.get(currency, "")
    return f"{sign}{figure}" if sign or not currency else f"{figure} {currency}"


def stock(product: Product, language: Language) -> str:
    """Whether it can be bought, in two words."""
    return phrase("in" if product.in_stock else "out", language)
