"""Open doors, a query and a product in; what each word of both adds to the encoder's and the reranker's score out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.doors.build import encoder_settings
from mercer.encode import EncodeSettings
from mercer.errors import NotFoundError, RequestError
from mercer.records import Request
from mercer.retrieve.text import passage

if TYPE_CHECKING:
    from mercer.doors.open import Doors
    from mercer.doors.settings import Settings
    from mercer.encode.attribute import Attributed

__all__ = ["Attribution", "attribute"]


@dataclass(frozen=True, slots=True)
class Attribution:
    """One query and one product, word by word."""

    query: str
    """As it was understood, which is what the encoder reads."""
    product: str
    title: str
    encoder: tuple[Attributed, Attributed]
    """Of the cosine: the query's words, the product's."""
    reranker: tuple[Attributed, Attributed] | None
    """Of the cross-encoder's score; None where none is live."""

    def json(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return dataclasses.asdict(self)

    @property
    def parts(self) -> tuple[Attributed, ...]:
        """Everything that was attributed."""
        return self.encoder + (self.reranker or ())


def attribute(doors: Doors, query: str, product: str, settings: Settings) -> Attribution:
    """Attribute what the live index's models say of a pair. Takes a second or two, and torch.

    Raises:
        NotFoundError: no such product. RequestError: a query without words.
        ModelError: an encoder in int8 alone. MissingExtra: torch is not installed.
    """
    from mercer.encode.attribute import by_cosine, by_reranker
    from mercer.encode.model import read
    from mercer.encode.source import default_cache, resolve

    found = doors.product(product)
    if found is None:
        raise NotFoundError(f"product {product!r} is not in the index", cure="name one that search finds")
    asked = doors.searching.understood(Request(query=query)).text
    if not asked.strip():
        raise RequestError(f"query {query!r} has no word that the encoder reads", cure="give words")
    card, text = doors.shop.card("index", doors.version), passage(found)
    encoding: EncodeSettings = encoder_settings(doors.shop, settings.encode, card["encoder"])
    cache = Path(encoding.cache).expanduser() if encoding.cache else default_cache()
    model = resolve(encoding.source, cache=cache, timeout=encoding.hub_timeout)
    reads = None
    name = settings.rank.reranker or card.get("reranker", "")
    if settings.rank.rerank and name:
        folder = doors.shop.path("models", name) if name in doors.shop.versions("models") else Path(name).expanduser()
        reads = by_reranker(read(folder), asked, text)
    cosine = by_cosine(model, asked, text, length=encoding.max_length)
    return Attribution(asked, product, found.title, cosine, reads)
