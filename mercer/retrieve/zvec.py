"""The index on zvec, in this process: HNSW for vectors, BM25 for words, repaired from its rows when it opens."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.records import Candidate, Filter, Product
from mercer.retrieve.analyze import grams, words
from mercer.retrieve.bm25 import Postings, Statistics
from mercer.retrieve.columns import NUMBERS, Columns, tags
from mercer.retrieve.exact import BACKGROUND, best
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.store import Store
from mercer.retrieve.text import lexical_grams, lexical_words
from mercer.retrieve.zvec_schema import AT_ONCE, FIELDS, engine_errors, expression, hashed, key, open_engine, refusal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ZvecIndex"]

BATCH = 1000
"""Products handed to zvec at once."""
FRESH = 2000
"""Products that may wait in memory for a merge: zvec counts idf by segment, so it scores a young segment wrongly."""
FEW = 4000
"""Products that pass a filter up to which comparing with each beats the graph: 1.5 M multiplications, about 1 ms."""


class ZvecIndex:
    """zvec holds the search structures; `Store` holds the rows and is the truth when a kill left zvec behind."""

    def __init__(self, folder: Path, *, dimension: int, settings: IndexSettings, read_only: bool = False) -> None:
        self.settings = settings
        self.dimension = dimension
        self.store = Store(folder / "products.db", dimension=dimension, read_only=read_only)
        self._folder = folder
        self._lock = threading.RLock()
        self._merging: threading.Thread | None = None
        self._read_only = read_only
        self._closed = False
        self._odd = {key(id): id for id in self.store.columns.row if key(id) != id}
        """What zvec calls a product whose id it does not take → that id."""
        if not (folder / "zvec").exists():  # new, or lost: everything in the store is yet to be applied
            self.store.note("applied", "0")
            for name in FIELDS:
                (folder / f"{name}.json").unlink(missing_ok=True)
        self._statistics = {name: Statistics.load(folder / f"{name}.json") for name in FIELDS}
        self._fresh = {name: Postings(self._statistics[name]) for name in FIELDS}
        try:
            missed = self.store.changed_since(int(self.store.note("applied") or 0))
            opened = functools.partial(open_engine, folder / "zvec", dimension, settings)
            self._engine = opened(read_only=read_only and not missed)
            self._repair(missed)
            if read_only and missed:
                self._engine.close()
                self._engine = opened(read_only=True)
        except BaseException:
            self.store.close()
            raise

    @property
    def columns(self) -> Columns:
        return self.store.columns

    def upsert(
        self, products: Sequence[Product], vectors: NDArray[np.float32], *, tick: Callable[[int], None] | None = None
    ) -> None:
        vectors = self.store.fitting(products, vectors)
        last = {product.id: place for place, product in enumerate(products)}
        places = sorted(last.values())
        kept = [products[place] for place in places]
        with self._lock:
            replaced = self.store.products(product.id for product in kept)
            rows = self.store.put(kept, vectors[places])
            for old in replaced:
                self._count(old, -1)
            bulk = len(kept) > FRESH
            for start in range(0, len(kept), BATCH):
                some = kept[start : start + BATCH]
                self._insert(some, self.store.vectors(rows[start : start + BATCH]), fresh=not bulk)
                if tick:
                    tick(len(some))
        if bulk:
            self.merge()
        elif len(self._fresh["words"]) > FRESH:
            self._merge_aside()

    def delete(self, ids: Iterable[str]) -> int:
        with self._lock:
            there = self.store.products(dict.fromkeys(ids))
            gone = self.store.drop(product.id for product in there)
            for old in there:
                self._count(old, -1)
            self._remove(gone)
        return len(gone)

    def dense(self, vector: NDArray[np.float32], k: int, *, filters: Sequence[Filter] = ()) -> list[Candidate]:
        import numpy as np
        import zvec

        said = expression(filters)
        if filters:
            rows = np.flatnonzero(self.columns.mask(filters))
            if len(rows) <= FEW or said is None:
                scores = (self.store.vectors(rows) @ vector).tolist()
                return best({self.columns.ids[row]: score for row, score in zip(rows, scores, strict=True)}, k)
        near = zvec.HnswQueryParam(ef=max(self.settings.searching, min(k, 2000)))
        return best(dict(self._ask(zvec.Query("vector", vector=vector, param=near), k, said)), k)

    def lexical(self, query: str, k: int, *, filters: Sequence[Filter] = ()) -> list[Candidate]:
        said = expression(filters)
        allowed = self.columns.mask(filters) if filters else None
        scores: dict[str, float] = {}
        for name, weight, tokens in (("words", 1.0, words(query)), ("grams", self.settings.grams, grams(query))):
            if not tokens or not weight:
                continue
            fresh = self._fresh_scores(name, tokens, filters)  # first: a merge in between then loses nothing
            for id, score in (self._merged_scores(name, tokens, k, said) | fresh).items():
                scores[id] = scores.get(id, 0.0) + weight * score
        row = self.columns.row
        if allowed is not None:
            scores = {id: score for id, score in scores.items() if _at(allowed, row.get(id))}
        return best(scores, k)

    def _fresh_scores(self, name: str, tokens: Sequence[str], filters: Sequence[Filter]) -> dict[str, float]:
        """Scores of what zvec has not merged; and, where a filter names ids, of exactly those products."""
        with self._lock:
            scores = self._fresh[name](tokens)
            named = [id for wanted in filters if wanted.field == "id" for id in wanted.values]
            if named:
                few = Postings(self._statistics[name])
                for product in self.products(dict.fromkeys(named)):
                    few.add(product.id, self._tokens(product)[name])
                scores |= few(tokens)
        return scores

    def _merged_scores(self, name: str, tokens: Sequence[str], k: int, said: str | None) -> dict[str, float]:
        """Scores from zvec; what it has not merged it scores by the wrong idf, so `_fresh_scores` win over these."""
        import zvec

        if said is None:
            return {}
        return dict(self._ask(zvec.Query(name, fts=zvec.Fts(match_string=" ".join(tokens))), k, said))

    def attainable(self, query: str) -> float:
        by_words = self._statistics["words"].attainable(words(query))
        return by_words + self.settings.grams * self._statistics["grams"].attainable(grams(query))

    def background(self) -> NDArray[np.float32]:
        import numpy as np

        rows = np.flatnonzero(self.columns.mask(()))
        return self.store.vectors(rows[:: max(1, len(rows) // BACKGROUND)][:BACKGROUND])

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        return self.store.vectors(self.store.rows(ids))

    def products(self, ids: Iterable[str]) -> list[Product]:
        return self.store.products(ids)

    def texts(self, ids: Iterable[str]) -> dict[str, tuple[str, str, str]]:
        return self.store.texts(ids)

    def ids(self) -> list[str]:
        return list(self.columns.row)

    def count(self, filters: Sequence[Filter] = ()) -> int:
        return int(self.columns.mask(filters).sum())

    def merge(self) -> None:
        with self._lock:
            waiting = {name: list(postings.ids()) for name, postings in self._fresh.items()}
            marks = {name: postings.marks(waiting[name]) for name, postings in self._fresh.items()}
        with engine_errors(self._folder):
            self._engine.optimize()
        with self._lock:
            for name, postings in self._fresh.items():
                postings.forget(waiting[name], marks[name])
            self.flush()

    def flush(self) -> None:
        if self._read_only:
            return
        with self._lock, engine_errors(self._folder):
            newest = self.store.newest()
            self._engine.flush()
            for name, statistics in self._statistics.items():
                statistics.save(self._folder / f"{name}.json")
            self.store.note("applied", str(newest))
            if not len(self._fresh["words"]):
                self.store.note("merged", str(newest))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._merging is not None:
            self._merging.join()
        try:
            self.flush()
        finally:
            self._engine.close()
            self.store.close()

    def _ask(self, query: Any, k: int, expression: str | None) -> list[tuple[str, float]]:
        with AT_ONCE, engine_errors(self._folder):
            found = self._engine.query(query, topk=k, filter=expression or None, output_fields=[])
        row, odd = self.columns.row, self._odd
        if odd:
            named = ((odd.get(document.id, document.id), document.score) for document in found)
            return [(id, score) for id, score in named if id in row]
        return [(id, document.score) for document in found if (id := document.id) in row]

    def _repair(self, missed: Sequence[str]) -> None:
        """Apply the changes that a kill kept from zvec, and hold in memory what it has not merged."""
        late = set(missed)
        for product in self.store.products(self.store.changed_since(int(self.store.note("merged") or 0))):
            if product.id not in late:
                self._refresh(product)
        changed = self.store.products(missed)
        bulk = len(changed) > FRESH
        if changed:
            self._insert(changed, self.vectors([product.id for product in changed]), fresh=not bulk)
        gone = [id for id in missed if id not in self.columns.row]
        if gone:
            self._engine.delete([key(id) for id in gone])
        if bulk:
            self._engine.optimize()
        if missed:
            read_only, self._read_only = self._read_only, False
            self.flush()
            self._read_only = read_only

    def _insert(self, products: Sequence[Product], vectors: NDArray[np.float32], *, fresh: bool) -> None:
        import zvec

        documents = []
        for product, vector in zip(products, vectors, strict=True):
            by_field = self._count(product, 1)
            if fresh:
                self._refresh(product)
            numbers = {name: float(value) for name in NUMBERS if (value := getattr(product, name)) is not None}
            fields = {**numbers, **{name: " ".join(tokens) for name, tokens in by_field.items()}}
            fields["tags"] = sorted({hashed(*tag) for tag in tags(product)})
            documents.append(zvec.Doc(id=self._key(product.id), fields=fields, vectors={"vector": vector}))
        for start in range(0, len(documents), BATCH):
            with engine_errors(self._folder):
                answers = self._engine.upsert(documents[start : start + BATCH])
            for answer, document in zip(answers, documents[start : start + BATCH], strict=True):
                if not answer.ok():
                    raise refusal(self._folder, f"zvec refused product {document.id!r}: {answer}")

    def _tokens(self, product: Product) -> dict[str, list[str]]:
        return {"words": lexical_words(product, self.settings.text), "grams": lexical_grams(product)}

    def _count(self, product: Product, times: int) -> dict[str, list[str]]:
        by_field = self._tokens(product)
        for name, tokens in by_field.items():
            self._statistics[name].add(tokens, times)
        return by_field

    def _key(self, id: str) -> str:
        said = key(id)
        if said != id:
            self._odd[said] = id
        return said

    def _refresh(self, product: Product) -> None:
        for name, tokens in self._tokens(product).items():
            self._fresh[name].add(product.id, tokens)

    def _remove(self, gone: Sequence[str]) -> None:
        for postings in self._fresh.values():
            for id in gone:
                postings.remove(id)
        if gone:
            self._engine.delete([key(id) for id in gone])

    def _merge_aside(self) -> None:
        if self._merging is None or not self._merging.is_alive():
            self._merging = threading.Thread(target=self.merge, name="merge", daemon=True)
            self._merging.start()


def _at(allowed: NDArray[np.bool_], row: int | None) -> bool:
    """Whether a row passed; one that came or went since the mask was made did not."""
    return row is not None and row < len(allowed) and bool(allowed[row])
