"""Names in, their numbers out and back: a sorted Arrow column, so that a million names take tens of megabytes."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import ShopError

__all__ = ["Vocabulary"]


class Vocabulary:
    """Different names in the order of their code points; a name's place is its code.

    >>> names = Vocabulary.of(["tea", "cup"])
    >>> names.code("tea"), names.code("pot"), names[0]
    (1, -1, 'cup')
    """

    def __init__(self, names: Any) -> None:
        """Take a sorted Arrow array of different strings; `of` sorts."""
        self.names = names

    @classmethod
    def of(cls, names: Iterable[str]) -> Vocabulary:
        """Sort and take each once."""
        import pyarrow as pa

        return cls(pa.array(sorted(set(names)), pa.string()))

    @classmethod
    def encode(cls, column: Any) -> tuple[Vocabulary, NDArray[np.int32]]:
        """An Arrow column of strings as a vocabulary and codes, shape (rows,); null is -1."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(column, pa.ChunkedArray):
            column = column.unify_dictionaries().combine_chunks() if column.num_chunks else pa.array([], pa.string())
        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        places = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        names = column.dictionary.cast(pa.string())
        used = np.zeros(len(names) + 1, dtype=bool)
        used[places] = True
        order = pc.sort_indices(names).to_numpy()
        order = order[used[order]]
        new = np.full(len(names) + 1, -1, dtype=np.int32)
        new[order] = np.arange(len(order), dtype=np.int32)
        return cls(names.take(pa.array(order))), new[places]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, code: int) -> str:
        name: str = self.names[int(code)].as_py()
        return name

    def code(self, name: str) -> int:
        """The code of a name, -1 where it is unknown."""
        place = bisect.bisect_left(range(len(self)), name, key=self.__getitem__)
        return place if place < len(self) and self[place] == name else -1

    def codes(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Codes, shape (names,); -1 where unknown."""
        if len(names) <= 64:  # a binary search each; beyond that one hash table over all names is quicker
            return np.array([self.code(name) for name in names], dtype=np.int64)
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.index_in(pa.array(names, pa.string()), value_set=self.names).fill_null(-1)
        places: NDArray[np.int64] = found.to_numpy(zero_copy_only=False).astype(np.int64)
        return places

    def take(self, codes: NDArray[np.integer]) -> list[str]:
        """Names of codes."""
        import pyarrow as pa

        names: list[str] = self.names.take(pa.array(codes)).to_pylist()
        return names

    def save(self, path: Path) -> None:
        """Write one column of Parquet."""
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"name": self.names}), path)

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote.

        Raises:
            ShopError: the file is missing or damaged.
        """
        import pyarrow as pa
        from pyarrow import parquet

        try:
            column = parquet.read_table(path).column("name").combine_chunks()
        except (OSError, pa.ArrowException, KeyError) as error:
            raise ShopError(
                f"{path} cannot be read: {error}", cure="build the index again: mercer index SHOP"
            ) from error
        return cls(column)
