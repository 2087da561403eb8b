"""A shop's products in, the words by which it names brands, categories and attributes out; then found in queries."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mercer.errors import FormatError
from mercer.records import Filter, Product
from mercer.shop import disk_errors, write_json
from mercer.understand.normalise import HAN
from mercer.understand.token import TOKEN, key, token

__all__ = ["Named", "Vocabulary"]

FORMAT = 1
"""Layout of the JSON file."""
LEAST = 2
"""Products that have a value before it is a word of the shop: a name of one product is a title, not a group."""
ENTRIES = 50_000
"""Most values kept, the most frequent first."""
LONGEST = 5
"""Tokens of a value; Chinese characters up to twice as many."""

_IS_HAN = re.compile(f"[{HAN}]")


@dataclass(frozen=True, slots=True)
class Named:
    """A value of the shop's own that a query names."""

    words: str
    start: int
    end: int
    filter: Filter
    products: int
    """That have the value."""
    confidence: float
    """Of the products that have the value or its words in the title, the share that has the value."""


class Vocabulary:
    """Brands, category levels and attribute values by the words that name them.

    >>> cups = [Product(str(n), "青山 保温杯 red", brand="青山", attributes={"color": "Red"}) for n in range(3)]
    >>> [(one.words, one.filter.field, one.products) for one in Vocabulary.build(cups)("reds 青山水壶")]
    [('reds', 'attributes.color', 3), ('青山', 'brand', 3)]
    """

    def __init__(
        self, entries: Iterable[tuple[str, str, int, int]], *, currency: str = "", priced: float = 1.0
    ) -> None:
        """Entries are (field, value, products with it, products with it or its words in the title)."""
        self.entries = list(entries)
        self.currency = currency
        """ISO 4217 code of most prices, "" where the shop does not say."""
        self.priced = priced
        """Share of the products with a price; 1 where nothing is known."""
        self._meant: dict[tuple[str, ...], tuple[str, str, int, int]] = {}
        for entry in self.entries:
            said = key(entry[1])
            if said and (said not in self._meant or _worth(entry) > _worth(self._meant[said])):
                self._meant[said] = entry
        self._longest = max(map(len, self._meant), default=0)

    @classmethod
    def build(cls, products: Iterable[Product]) -> Vocabulary:
        """Count values over a catalogue, and where else their words stand in titles."""
        whole = list(products)
        counts: Counter[tuple[str, str]] = Counter(pair for product in whole for pair in set(_values(product)))
        kept = [pair for pair, count in counts.most_common(ENTRIES) if count >= LEAST and _fits(key(pair[1]))]
        pairs: defaultdict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
        for pair in kept:
            pairs[key(pair[1])].append(pair)
        longest = max(map(len, pairs), default=0)
        either: Counter[tuple[str, str]] = Counter()
        for product in whole:
            own = set(_values(product))
            said = {pair for part in _parts(key(product.title), longest) for pair in pairs.get(part, ())}
            either.update(own | said)
        entries = [(field, value, counts[field, value], either[field, value]) for field, value in kept]
        currencies = Counter(product.currency for product in whole if product.price is not None)
        priced = sum(product.price is not None for product in whole) / max(len(whole), 1)
        currency = currencies.most_common(1)[0][0] if currencies else ""
        return cls(entries, currency=currency, priced=priced)

    def __call__(self, text: str) -> list[Named]:
        """What of the shop's own a text names, the longest first and none inside another; in the text's order."""
        tokens = list(TOKEN.finditer(text))
        keys = tuple(token(one.group()) for one in tokens)
        found: list[Named] = []
        at = 0
        while at < len(keys):
            for size in range(min(self._longest, len(keys) - at), 0, -1):
                entry = self._meant.get(keys[at : at + size])
                if entry:
                    start, end = tokens[at].start(), tokens[at + size - 1].end()
                    field, value, products, either = entry
                    wanted = Filter(field, values=(value,))
                    found.append(Named(text[start:end], start, end, wanted, products, products / (either + 1)))
                    at += size - 1
                    break
            at += 1
        return found

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all."""
        facts: Mapping[str, object] = {"format": FORMAT, "currency": self.currency, "priced": self.priced}
        with disk_errors(path):
            write_json(path, {**facts, "entries": self.entries})

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote; an index older than that knows no words.

        Raises:
            FormatError: the file is something else.
        """
        if not path.exists():
            return cls(())
        try:
            data = json.loads(path.read_text("utf-8"))
            if data["format"] != FORMAT:
                raise FormatError(f"{path.name} has format {data['format']!r}", cure="run: mercer index SHOP")
            entries = [
                (str(field), str(value), int(have), int(either)) for field, value, have, either in data["entries"]
            ]
            return cls(entries, currency=str(data["currency"]), priced=float(data["priced"]))
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{path.name} is damaged: {error}", cure="run: mercer index SHOP") from error


def _values(product: Product) -> Iterator[tuple[str, str]]:
    """(field, value) as a filter names them; a category counts by each level of its path."""
    if product.brand:
        yield "brand", product.brand
    for level in product.category:
        yield "category", level
    for name, value in product.attributes.items():
        if value and name.isprintable():
            yield f"attributes.{name}", value


def _worth(entry: tuple[str, str, int, int]) -> tuple[float, int]:
    """Where two values have the same words, the surer one is meant, then the more frequent."""
    return entry[2] / (entry[3] + 1), entry[2]


def _fits(said: tuple[str, ...]) -> bool:
    """Whether tokens name something: not one Han character, one letter, or a number alone."""
    size = sum(2 if not _IS_HAN.match(one) else 1 for one in said)
    return 1 < size <= 2 * LONGEST and not all((len(one) < 2 and one.isascii()) or one.isdigit() for one in said)


def _parts(said: tuple[str, ...], longest: int) -> Iterator[tuple[str, ...]]:
    for start in range(len(said)):
        for size in range(1, min(longest, len(said) - start) + 1):
            yield said[start : start + size]
