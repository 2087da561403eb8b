"""Products in; what ranking asks of each (words by field, price, kind, listing) as columns, for any query, out."""

from __future__ import annotations

import threading
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.records import Product
from mercer.retrieve.analyze import grams, normalise, words
from mercer.retrieve.arrays import load_arrays, save_arrays

__all__ = ["FIELDS", "PIECE", "Facts", "han"]

FIELDS: Mapping[str, int] = {
    "title": 1,
    "brand": 2,
    "category": 4,
    "attributes": 8,
    "bullets": 16,
    "description": 32,
}
"""Field → its bit in a mask."""
PIECE = "\x1f"
"""Before a piece of title or brand among the tokens."""
HEAD = 1500
"""Characters of bullets and of the description that are read."""
RARE = 30
"""Rows with a token by rows asked for, up to which looking at each is quicker than searching among them."""
NUMBERS = (
    "price",
    "list_price",
    "rating",
    "rating_count",
    "in_stock",
    "pictured",
    "title_words",
    "letters",
    "han",
    "findings",
)
CODES = ("brand", "category", "department")

Whole = NDArray[np.int64]
Real = NDArray[np.float64]


def han(text: str) -> bool:
    """Whether a text has a Han character."""
    return any("\u3400" <= letter <= "\u9fff" for letter in text)


class Facts:
    """One row a product; a product told again has a new row, and its old one is forgotten."""

    def __init__(self) -> None:
        self.place: dict[str, int] = {}
        self.titles: list[str] = []
        """Normalised."""
        self._token: dict[str, int] = {}
        self._start = np.zeros(1, np.int64)
        self._where, self._mask = np.zeros(0, np.int32), np.zeros(0, np.uint8)
        self._later: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._code: dict[tuple[str, str], int] = {}
        self._rows: list[tuple[float, ...]] = []
        self._numbers = np.zeros((0, len(NUMBERS) + len(CODES)))
        self._lock = threading.Lock()

    @classmethod
    def of(cls, products: Iterable[Product], findings: Mapping[str, int] | None = None) -> Facts:
        """Read a whole catalogue; `findings` is how many each product has, where its data was checked."""
        facts, code, place, mask = cls(), array("i"), array("i"), array("B")
        for product in products:
            masks = facts._row(
                product, float((findings or {}).get(product.id, 0)) if findings is not None else float("nan")
            )
            code.extend(masks)
            place.extend([len(facts) - 1] * len(masks))
            mask.extend(masks.values())
        order = np.argsort(np.asarray(code), kind="stable")  # places of one token stay in order
        counts = np.bincount(np.asarray(code), minlength=len(facts._token))
        facts._start = np.append(0, np.cumsum(counts)).astype(np.int64)
        facts._where, facts._mask = np.asarray(place)[order], np.asarray(mask)[order]
        facts.column("price", np.zeros(0, np.int64))
        return facts

    def __len__(self) -> int:
        return len(self.titles)

    def add(self, products: Iterable[Product]) -> None:
        """Read new or changed products."""
        for product in products:
            with self._lock:
                for token, mask in self._row(product).items():
                    self._later[token].append((len(self) - 1, mask))

    def forget(self, ids: Iterable[str]) -> None:
        """Products that changed since: they have no row until they are told again."""
        for id in ids:
            self.place.pop(id, None)

    def places(self, ids: Sequence[str]) -> Whole:
        """Row of each product, -1 where there is none; shape (ids,)."""
        known = self.place
        return np.fromiter((known.get(id, -1) for id in ids), np.int64, len(ids))

    def column(self, name: str, places: Whole) -> Real:
        """One of NUMBERS or CODES at these rows; NaN where unknown, or the row is -1."""
        if self._rows:
            with self._lock:
                self._numbers = np.concatenate([self._numbers, np.array(self._rows, dtype=np.float64)])
                self._rows = []
        at = (*NUMBERS, *CODES).index(name)
        if not len(self._numbers):
            return np.full(len(places), np.nan)
        return np.where(places >= 0, self._numbers[places, at], np.nan)

    def holding(self, token: str) -> int:
        """How many rows have a token."""
        code = self._token.get(token, -1)
        return 0 if code < 0 else len(self._of(code)[0])

    def masks(self, tokens: Sequence[str], places: Whole) -> NDArray[np.uint8]:
        """Which fields of which product have which token: bits of FIELDS, shape (tokens, places)."""
        found = np.zeros((len(tokens), len(places)), np.uint8)
        known = np.flatnonzero(places >= 0)
        at = np.full(len(self) + 1, -1, np.int64)
        at[places[known]] = known
        for row, token in enumerate(tokens):
            where, mask = self._of(self._token.get(token, -1))
            if len(where) > RARE * len(places):
                near = np.minimum(np.searchsorted(where, places), len(where) - 1)
                found[row] = np.where(where[near] == places, mask[near], 0)
            elif len(where):
                mine = at[where]
                hit = mine >= 0
                found[row, mine[hit]] = mask[hit]
        return found

    def medians(self) -> tuple[Real, Real]:
        """Median price by code of narrowest and of broadest category; NaN where fewer than three prices are known."""
        everything = np.arange(len(self))
        price = self.column("price", everything)
        return tuple(self._median(name, everything, price) for name in ("category", "department"))  # type: ignore[return-value]  # of two

    def _median(self, name: str, everything: Whole, price: Real) -> Real:
        code = self.column(name, everything)
        known = np.flatnonzero(~np.isnan(code) & (price > 0))
        found = np.full(len(self._code) + 1, np.nan)
        order = known[np.argsort(code[known], kind="stable")]
        edges = np.flatnonzero(np.diff(code[order], prepend=-1))
        for group in np.split(order, edges[1:]) if len(order) else ():
            if len(group) >= 3:
                found[int(code[group[0]])] = np.median(price[group])
        return found

    def _of(self, code: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        if code < 0:
            return self._where[:0], self._mask[:0]
        packed = slice(self._start[code], self._start[code + 1]) if code + 1 < len(self._start) else slice(0, 0)
        where, mask = self._where[packed], self._mask[packed]
        if later := self._later.get(code):
            more = np.array(later, dtype=np.int64)
            where, mask = np.append(where, more[:, 0].astype(np.int32)), np.append(mask, more[:, 1].astype(np.uint8))
        return where, mask

    def _coded(self, field: str, value: str) -> float:
        return self._code.setdefault((field, value), len(self._code)) if value else float("nan")

    def _row(self, product: Product, findings: float = float("nan")) -> dict[int, int]:
        """One product more; code of each of its tokens → bits of the fields that have it."""
        codes = [self._coded(field, value) for field, value in _kinds(product)]
        self._rows.append((*_numbers(product), findings, *codes))
        self.titles.append(normalise(product.title))
        self.place[product.id] = len(self.titles) - 1
        return {self._token.setdefault(token, len(self._token)): mask for token, mask in _masks(product).items()}

    def save(self, path: Path) -> None:
        """Write one npz file."""
        arrays: dict[str, NDArray[Any]] = {
            "start": self._start,
            "where": self._where,
            "mask": self._mask,
            "numbers": self._numbers,
            "ids": _bytes(sorted(self.place, key=self.place.__getitem__)),
            "places": np.array(sorted(self.place.values()), np.int64),
            "titles": _bytes(self.titles),
            "tokens": _bytes(self._token),
            "codes": _bytes(f"{field}\x1e{value}" for field, value in self._code),
        }
        save_arrays(path, arrays, {"numbers": [*NUMBERS, *CODES]})

    @classmethod
    def load(cls, path: Path) -> Facts:
        """Read what `save` wrote.

        Raises:
            ShopError: it is missing or damaged.
        """
        arrays, _ = load_arrays(path)
        facts = cls()
        facts._start, facts._where, facts._mask = arrays["start"], arrays["where"], arrays["mask"]
        facts._numbers = arrays["numbers"]
        facts.titles = _texts(arrays["titles"])
        facts.place = dict(zip(_texts(arrays["ids"]), arrays["places"].tolist(), strict=True))
        facts._token = {token: code for code, token in enumerate(_texts(arrays["tokens"]))}
        pairs = (text.partition("\x1e") for text in _texts(arrays["codes"]))
        facts._code = {(field, value): code for code, (field, _, value) in enumerate(pairs)}
        return facts


def _masks(product: Product) -> dict[str, int]:
    """Token → bits of the fields that have it."""
    texts = {
        "title": product.title,
        "brand": product.brand,
        "category": " ".join(product.category),
        "attributes": " ".join(product.attributes.values()),
        "bullets": product.bullets[:HEAD],
        "description": product.description[:HEAD],
    }
    found: Counter[str] = Counter()
    for field, bit in FIELDS.items():
        for token in set(words(texts[field])):
            found[token] |= bit
    for piece in grams(f"{product.title} {product.brand}"):
        found[PIECE + piece] = 1
    return found


def _numbers(product: Product) -> tuple[float, ...]:
    def known(value: float | None) -> float:
        return float("nan") if value is None else float(value)

    letters = len(product.bullets) + len(product.description)
    return (
        known(product.price),
        known(product.list_price),
        known(product.rating),
        known(product.rating_count),
        float(product.in_stock),
        float(bool(product.image)),
        float(len(words(product.title))),
        float(letters),
        float(han(product.title)),
    )


def _kinds(product: Product) -> tuple[tuple[str, str], ...]:
    path = product.category
    return (
        ("brand", product.brand),
        ("category", "\x1d".join(path)),
        ("department", path[0] if path else ""),
    )


def _bytes(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Texts in one array, a zero after each."""
    return np.frombuffer("".join(text.replace("\x00", " ") + "\x00" for text in texts).encode(), np.uint8)


def _texts(bytes_: NDArray[np.uint8]) -> list[str]:
    return bytes_.tobytes().decode().split("\x00")[:-1]
