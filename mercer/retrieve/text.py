"""A product in, the text that the encoder reads and the tokens that lexical search counts out."""

from __future__ import annotations

from dataclasses import dataclass

from mercer.errors import SettingsError
from mercer.records import Product
from mercer.retrieve.analyze import grams, words

__all__ = ["TextSettings", "lexical_grams", "lexical_words", "passage"]


@dataclass(frozen=True, slots=True)
class TextSettings:
    """How much a token of each field counts: times it is repeated (BM25F, Robertson et al. 2004).

    Defaults were chosen on half of the queries of `esci150` and hold on the other half (LOG.md).
    """

    title: int = 3
    brand: int = 3
    category: int = 2
    attributes: int = 1
    bullets: int = 1
    description: int = 1

    def __post_init__(self) -> None:
        for name in self.__slots__:
            weight = getattr(self, name)
            if not 0 <= weight <= 20:
                raise SettingsError(f"text weight {name} is {weight}", cure="give a whole number from 0 to 20")


def lexical_words(product: Product, settings: TextSettings) -> list[str]:
    """Words of every field, each as often as its field counts."""
    fields = (
        (product.title, settings.title),
        (product.brand, settings.brand),
        (" ".join(product.category), settings.category),
        (" ".join(product.attributes.values()), settings.attributes),
        (product.bullets, settings.bullets),
        (product.description, settings.description),
    )
    return [word for text, weight in fields if text and weight for word in words(text) * weight]


def lexical_grams(product: Product) -> list[str]:
    """Pieces of the fields that name the product; longer text would drown them."""
    return grams(f"{product.title} {product.brand}")


BULLETS, DESCRIPTION = 600, 400
"""Characters of each that the encoder reads; with title and category they fill about 128 word pieces."""


def passage(product: Product) -> str:
    """What the encoder reads of a product, most telling first since it reads only the head.

    >>> passage(Product("1", "Steel cup", brand="Nord", category=("Home", "Cups"), attributes={"color": "red"}))
    'Steel cup. Nord. red. Home > Cups'
    """
    parts = (
        product.title,
        product.brand,
        " ".join(product.attributes.values())[:200],
        " > ".join(product.category),
        product.bullets[:BULLETS],
        product.description[:DESCRIPTION],
    )
    return ". ".join(part.strip() for part in parts if part.strip())
