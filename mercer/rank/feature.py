"""What a ranker knows of a product for a query: names in; unit, meaning, and which way is better, out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FEATURES", "NAMES", "SIGNALS", "Feature", "packed", "unpacked"]

Signal = Literal["wording", "likeness", "agreement", "wishes", "behaviour", "price", "shopper", "context", "listing"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column; NaN is what nobody knows, and never an error."""

    name: str
    signal: Signal
    """The line of a ledger that it counts for."""
    unit: str
    meaning: str
    better: int = 0
    """1 where more can only help, -1 where it can only hurt: trees are held to that; 0 where they are free."""


FEATURES: tuple[Feature, ...] = (
    Feature("words", "wording", "0 to 1", "BM25 of words and pieces, of what the query could get", 1),
    Feature("words_place", "wording", "log2(1 + place)", "place by words among the candidates"),
    Feature("title_words", "wording", "0 to 1", "query words in the title, rare ones counting more (idf)", 1),
    Feature("brand_words", "wording", "0 to 1", "query words in the brand, by idf"),
    Feature("category_words", "wording", "0 to 1", "query words in the category path, by idf"),
    Feature("attribute_words", "wording", "0 to 1", "query words among attribute values, by idf"),
    Feature("bullet_words", "wording", "0 to 1", "query words in the bullets, by idf"),
    Feature("description_words", "wording", "0 to 1", "query words in the description, by idf"),
    Feature("any_words", "wording", "0 to 1", "query words in any field, by idf", 1),
    Feature("title_pieces", "wording", "0 to 1", "query pieces (pairs of Han, threes of letters) in title or brand", 1),
    Feature("phrase", "wording", "0 or 1", "the whole query stands in the title as typed", 1),
    Feature("rarest_word", "wording", "0 to 2", "the query's rarest word: 2 in the title, 1 elsewhere, 0 nowhere", 1),
    Feature("last_word", "wording", "0 to 2", "the query's last word, which often names the thing: likewise", 1),
    Feature("numbers", "wording", "0 to 1", "query tokens with a digit that title, brand or attributes have", 1),
    Feature("title_precision", "wording", "0 to 1", "title words that the query has"),
    Feature("meaning", "likeness", "score", "cosine above chance, as the hybrid score counts it", 1),
    Feature("cosine", "likeness", "-1 to 1", "cosine of query and product"),
    Feature("cosine_gap", "likeness", "-2 to 0", "cosine less that of the best candidate"),
    Feature("meaning_place", "likeness", "log2(1 + place)", "place by meaning among the candidates"),
    Feature("hybrid", "likeness", "score", "hybrid score, wishes included"),
    Feature("hybrid_gap", "likeness", "score", "hybrid score less that of the best candidate"),
    Feature("hybrid_place", "likeness", "log2(1 + place)", "place by the hybrid score"),
    Feature("like_best", "agreement", "-1 to 1", "cosine with the mean of the five best candidates"),
    Feature("like_many", "agreement", "-1 to 1", "cosine with the mean of the thirty best candidates"),
    Feature(
        "category_share", "agreement", "0 to 1", "share of the twenty best candidates in the same narrowest category"
    ),
    Feature("department_share", "agreement", "0 to 1", "share of the twenty best in the same broadest category"),
    Feature("brand_share", "agreement", "0 to 1", "share of the twenty best of the same brand"),
    Feature("wishes", "wishes", "points", "what wishes read out of the query added or took", 1),
    Feature("brand_named", "wishes", "0 or 1", "has the brand that the query names", 1),
    Feature("category_named", "wishes", "0 or 1", "has the category that the query names", 1),
    Feature(
        "attribute_named", "wishes", "0 to 1", "share of the attribute values that the query names which it has", 1
    ),
    Feature("click_rate", "behaviour", "log ratio", "clicks a look by the shop's mean; positions corrected, shrunk", 1),
    Feature("buy_rate", "behaviour", "log ratio", "purchases a click by the shop's mean, shrunk", 1),
    Feature("query_click_rate", "behaviour", "log ratio", "clicks a look for this query by those of the query", 1),
    Feature("query_buy_rate", "behaviour", "log ratio", "purchases a look for this query by those of the query", 1),
    Feature("query_looks", "behaviour", "log2(1 + looks)", "times that it was looked at for this query"),
    Feature("popular", "behaviour", "log share", "share of what shoppers want", 1),
    Feature("trending", "behaviour", "score", "what rose lately"),
    Feature("age", "behaviour", "days", "since the first event of the product, where that was seen to happen"),
    Feature("price", "price", "log", "price, in the shop's currency"),
    Feature("price_category", "price", "log ratio", "price by the median of its category"),
    Feature("price_answer", "price", "log ratio", "price by the median of the candidates"),
    Feature("price_shopper", "price", "log ratio", "how far its price level lies from what this shopper looks at", -1),
    Feature("reduced", "price", "0 to 1", "share of the former price that was taken off"),
    Feature("shopper_brand", "shopper", "0 to 1", "share of the shopper's past that is of this brand", 1),
    Feature("shopper_category", "shopper", "0 to 1", "share of the shopper's past in this narrowest category", 1),
    Feature(
        "shopper_taste", "shopper", "-1 to 1", "cosine with the mean of the shopper's past, newer counting more", 1
    ),
    Feature(
        "shopper_language", "shopper", "0 to 1", "share of the shopper's past whose titles are in this one's script", 1
    ),
    Feature("session_category", "shopper", "0 to 1", "share of this session's products in this narrowest category", 1),
    Feature("session_taste", "shopper", "-1 to 1", "cosine with the mean of this session's products", 1),
    Feature("seen", "shopper", "0 or 1", "the shopper has looked at it before"),
    Feature("device", "context", "code", "0 phone, 1 desktop, 2 tablet"),
    Feature("hour", "context", "0 to 23", "hour of the day, UTC"),
    Feature("weekday", "context", "0 to 6", "Monday is 0, UTC"),
    Feature("query_words", "context", "words", "of the query"),
    Feature("query_script", "context", "0 or 1", "the query has Han characters"),
    Feature("same_script", "listing", "0 or 1", "title and query are both with Han characters, or both without", 1),
    Feature("rating", "listing", "stars", "mean rating, shrunk to the shop's by ten ratings", 1),
    Feature("ratings", "listing", "log2(1 + n)", "number of ratings"),
    Feature("in_stock", "listing", "0 or 1", "can be bought", 1),
    Feature("pictured", "listing", "0 or 1", "has a picture"),
    Feature("title_length", "listing", "words", "of the title"),
    Feature("text_length", "listing", "log2(1 + letters)", "of bullets and description"),
    Feature("findings", "listing", "count", "what quality checks found in its row and let pass", -1),
)
"""In the order of a matrix's columns. Another order or meaning is another `LAYOUT` of a model."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
SIGNALS: tuple[str, ...] = tuple(dict.fromkeys(feature.signal for feature in FEATURES))
"""Lines of a ledger, in order."""

MARK = zlib.crc32(",".join(NAMES).encode()).to_bytes(4, "little")
"""Begins what is packed: numbers of other features, or in another order, are not read as these."""


def packed(hybrid: float, row: NDArray[np.float64]) -> bytes:
    """The hybrid score of a product and its features, (features,), for a log: 4 bytes a number, and 4 before them.

    Single precision, so that check X05 (relative 1e-4) can hold a log against what training computes; half would not.
    """
    import numpy as np

    return MARK + np.concatenate(([hybrid], row)).astype("<f4").tobytes()


def unpacked(told: bytes) -> tuple[float, NDArray[np.float64]] | None:
    """(hybrid score, features) of what `packed` made; None of nothing, and of features that are not these.

    >>> import numpy as np
    >>> hybrid, row = unpacked(packed(0.5, np.arange(len(NAMES))))
    >>> hybrid, row[:3].tolist(), unpacked(b"")
    (0.5, [0.0, 1.0, 2.0], None)
    """
    import numpy as np

    if told[: len(MARK)] != MARK or len(told) != len(MARK) + 4 * (1 + len(NAMES)):
        return None
    numbers = np.frombuffer(told, "<f4", offset=len(MARK)).astype(np.float64)
    return float(numbers[0]), numbers[1:]
