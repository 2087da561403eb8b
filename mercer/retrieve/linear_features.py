"""Products' tags and texts in; sparse features that say what products have in common out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mercer.records import Product
from mercer.retrieve.analyze import words
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Description", "Features", "read_descriptions"]


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of one product before anybody wanted it."""

    tags: frozenset[str] = frozenset()
    """Brand, levels of the category and attributes, each told apart by its field."""
    words: frozenset[str] = frozenset()
    """Of its name."""

    @classmethod
    def of(cls, product: Product) -> Description:
        """A catalogue's product.

        >>> sorted(Description.of(Product("1", "Steel cup", brand="Nord", category=("Home", "Cups"))).tags)
        ['brand=Nord', 'category=Cups', 'category=Home']
        """
        tags = [f"category={level}" for level in product.category]
        tags += [f"brand={product.brand}"] if product.brand else []
        tags += [f"{name}={value}" for name, value in product.attributes.items() if value]
        return cls(frozenset(tags), frozenset(words(product.title)))

    @classmethod
    def of_row(cls, row: Mapping[str, Any], *, but: Iterable[str] = ()) -> Description:
        """An item of a file nobody has mapped: lists and mappings are tags, texts are words; numbers say nothing.

        >>> Description.of_row({"item": 1, "attributes": [4, "Nails"], "phrase": "red lacquer"}, but=("item",))
        Description(tags=frozenset({...}), words=frozenset({...}))
        """
        tags: list[str] = []
        text: list[str] = []
        for name, value in row.items():
            if name in but or value is None:
                continue
            if isinstance(value, Mapping):
                tags += [f"{name}.{key}={one}" for key, one in value.items() if one is not None]
            elif isinstance(value, list | tuple):
                tags += [f"{name}={one}" for one in value if one is not None]
            elif name in ("brand", "category"):
                tags.append(f"{name}={value}")
            elif isinstance(value, str):
                text += words(value)
        return cls(frozenset(tags), frozenset(text))


@dataclass(frozen=True, slots=True)
class Features:
    """Tags and words of products; a row without a description is empty. None of either is a matrix without columns."""

    tags: Any
    """scipy CSR, shape (products, tags): 1 / √(products that have the tag + 1)."""
    words: Any
    """The same of words."""
    names: Vocabulary = field(default_factory=lambda: Vocabulary.of(()))
    """Products of the rows."""

    @classmethod
    def of(cls, products: Vocabulary, descriptions: Mapping[str, Description]) -> Features:
        """Number what at least two products share."""
        known = [descriptions.get(id, Description()) for id in products.names.to_pylist()]
        return cls(_matrix([one.tags for one in known]), _matrix([one.words for one in known]), products)

    @classmethod
    def none(cls, products: Vocabulary) -> Features:
        return cls.of(products, {})


def _matrix(rows: list[frozenset[str]]) -> Any:
    """Shape (products, features): what common features share counts little, as idf has it."""
    from scipy.sparse import csr_matrix

    names = Vocabulary.of(one for row in rows for one in row)
    ordered = [sorted(row) for row in rows]
    codes = names.codes([one for row in ordered for one in row])
    counts = np.bincount(codes, minlength=len(names))
    start = np.append(0, np.cumsum([len(row) for row in ordered])).astype(np.int64)
    matrix = csr_matrix((1 / np.sqrt(counts[codes] + 1), codes, start), shape=(len(rows), len(names)), dtype=np.float32)
    return matrix[:, np.flatnonzero(counts > 1)].tocsr()


def read_descriptions(path: Path) -> dict[str, Description]:
    """Of a Parquet file of checked products, by id; nothing where there is no file."""
    from pyarrow import parquet

    rows = parquet.read_table(path).to_pylist() if path.exists() else []
    return {str(row["id"]): Description.of(Product.from_row(row)) for row in rows}
