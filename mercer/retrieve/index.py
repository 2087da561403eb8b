"""Products with vectors in, candidates by meaning and by words out: the promise that every index keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from mercer.errors import SettingsError
from mercer.records import Candidate, Filter, Product
from mercer.retrieve.text import TextSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.retrieve.columns import Columns

__all__ = ["Index", "IndexSettings", "open_index"]


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Which engine holds the products, and how it searches."""

    engine: Literal["zvec", "exact"] = "zvec"
    """`exact` compares with every product: right by construction, and fast up to some thousands."""
    grams: float = 0.3
    """Weight of pieces (pairs of Han characters, threes of letters) beside words (1.0)."""
    links: int = 16
    """Neighbours a product keeps in the HNSW graph: more is better recall, more memory, slower building."""
    building: int = 200
    """Candidates looked at when a product is linked into the graph (ef_construction)."""
    searching: int = 400
    """Candidates looked at when the graph is searched (ef); never fewer than asked for."""
    leave_out_copies: bool = True
    """Whether of listings that say (nearly) the same, check C03, only one is indexed. On `esci150` with 20 % mixed dirt
    that wins back another 34 to 40 % of the lost nDCG (development seeds 1 to 3); untouched sets lose nothing."""
    text: TextSettings = field(default_factory=TextSettings)

    def __post_init__(self) -> None:
        for name, low, high in (("links", 4, 128), ("building", 16, 2000), ("searching", 16, 2000)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[retrieve] {name} is {value}", cure=f"give a whole number from {low} to {high}")
        if not 0 <= self.grams <= 1:
            raise SettingsError(f"[retrieve] grams is {self.grams}", cure="give a number from 0 to 1")


class Index(Protocol):
    """Search by vector and by words over the same products, with the same filters.

    A product put in or taken out is seen by the next call and survives a kill. Candidates come best first;
    equal scores are in the order of their ids. Calls may come from several threads.
    """

    settings: IndexSettings
    dimension: int

    @property
    def columns(self) -> Columns:
        """Filter and facet columns, and the row number of each id."""

    def upsert(
        self, products: Sequence[Product], vectors: NDArray[np.float32], *, tick: Callable[[int], None] | None = None
    ) -> None:
        """Insert or replace; vectors are unit rows, shape (products, dimension)."""

    def delete(self, ids: Iterable[str]) -> int:
        """Take out; how many were there comes back."""

    def dense(self, vector: NDArray[np.float32], k: int, *, filters: Sequence[Filter] = ()) -> list[Candidate]:
        """The k products nearest by cosine."""

    def lexical(self, query: str, k: int, *, filters: Sequence[Filter] = ()) -> list[Candidate]:
        """The k products highest by BM25 over words, plus `grams` times BM25 over pieces."""

    def attainable(self, query: str) -> float:
        """A lexical score that no product can exceed for this query; 0 where the query has no token."""

    def background(self) -> NDArray[np.float32]:
        """Vectors of a sample of the products, shape (at most 512, dimension): what a chance cosine looks like."""

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ids that are there, in order."""

    def products(self, ids: Iterable[str]) -> list[Product]:
        """Products of ids that are there, in order."""

    def texts(self, ids: Iterable[str]) -> dict[str, tuple[str, str, str]]:
        """Title, bullets and description of ids that are there, without the rest of the product."""

    def ids(self) -> list[str]:
        """Every product's id, in the order they came."""

    def count(self, filters: Sequence[Filter] = ()) -> int:
        """How many products meet the filters."""

    def merge(self) -> None:
        """Fold what was added into the main structure: slow, and searches go on meanwhile."""

    def flush(self) -> None:
        """Bring everything to disk."""

    def close(self) -> None:
        """Flush and let go of the files."""


def open_index(
    folder: Path, *, dimension: int, settings: IndexSettings | None = None, read_only: bool = False
) -> Index:
    """Open, or make, the index in a folder; several processes may hold it at once if all only read.

    Raises:
        ShopLocked: another process holds it.
        ShopError: its files are damaged.
    """
    chosen = settings or IndexSettings()
    if chosen.engine == "exact":
        from mercer.retrieve.exact import ExactIndex

        return ExactIndex(folder, dimension=dimension, settings=chosen, read_only=read_only)
    from mercer.retrieve.zvec import ZvecIndex

    return ZvecIndex(folder, dimension=dimension, settings=chosen, read_only=read_only)
