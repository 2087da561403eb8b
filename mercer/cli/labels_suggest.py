"""A shop, or a file of texts, and how to choose in; things to judge next, the most telling first, out."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import progress
from mercer.errors import DataError, NotFoundError, RequestError
from mercer.shop import Shop, content_hash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.doors import Doors
    from mercer.learn.active import ActiveSettings

__all__ = ["active_of", "checked_rows", "suggest_products", "suggest_texts"]

SLOPE = 5.0
"""Places after which a ranking alone thinks a product e times less likely to be right: a guess, until people judge."""
GRADES = (0, 1, 2, 3)
"""Where nobody judged yet: ESCI's and TREC's usual scale."""
SHOWN = 400
"""Characters of a product's or a text's lines on the page."""


def active_of(folder: Path, how: str, seed: int | None) -> ActiveSettings:
    """[learn.active] with what the command line says.

    Raises:
        SettingsError: a value that cannot be.
    """
    from mercer.cli.settings import tables
    from mercer.config import section
    from mercer.learn.active import ActiveSettings

    found = tables(folder).get("learn", {}).get("active", {})
    changes: dict[str, Any] = ({"how": how} if how else {}) | ({} if seed is None else {"seed": seed})
    return dataclasses.replace(section(found, ActiveSettings, name="learn.active"), **changes)


def suggest_products(shop: Shop, number: int, active: ActiveSettings) -> tuple[list[dict[str, Any]], list[Any]]:
    """(query, product) pairs to judge, and the grades there are.

    The chance that a product is right comes from a logistic regression over its places in both rankings and its
    hybrid score, fitted on the shop's judgments; with fewer than `active.least` of them the places alone say it.

    Raises:
        DataError: no query with a text. NotFoundError: no index is live.
    """
    import numpy as np

    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.learn.active import choose, relevant
    from mercer.quality.labelled import Labels

    queries = {str(row["query_id"]): row["text"] for row in checked_rows(shop, "queries", ["query_id", "text"])}
    queries = {id: text for id, text in queries.items() if text and text.strip()}
    if not queries:
        raise DataError(
            f"{shop.folder} has no checked queries", cure="name a file as [data] queries, then mercer check"
        )
    grades = {
        (str(row["query_id"]), str(row["product"])): float(row["grade"])
        for row in checked_rows(shop, "judgments", ["query_id", "product", "grade"])
        if row["grade"] is not None
    }
    grades |= {(line["query_id"], line["product"]): line["grade"] for line in Labels(shop.store).current}
    drawn = np.random.default_rng([active.seed, 52]).permutation(len(queries))[: active.queries]
    asked = [list(queries)[at] for at in sorted(drawn)]
    with contextlib.closing(open_doors(shop.folder, read_settings(shop.folder), writable=False)) as doors:
        pairs, features = _pool(doors, {id: queries[id] for id in asked}, active.pool)
        known = [at for at, pair in enumerate(pairs) if pair in grades]
        half = (max(grades.values(), default=1.0) or 1.0) / 2
        right = [grades[pairs[at]] >= half for at in known]
        chances, other = relevant(features, known, right, view=1, least=active.least)
        open_ = [at for at, pair in enumerate(pairs) if pair not in grades]
        ids = [pairs[at][1] for at in open_]
        vectors = doors.index.vectors(ids) if active.how == "diverse" and ids else None
        chosen = choose(
            number,
            active,
            chances=chances[open_],
            other=other[open_],
            vectors=vectors,
            groups=[pairs[at][0] for at in open_],
            worth=_discounts(features, active.pool)[open_],
        )
        products = {product.id: product for product in doors.index.products([ids[at] for at in chosen])}
    asks = []
    for at in chosen:
        query, product = pairs[open_[at]]
        shown = products[product]
        facts = " · ".join(one for one in (shown.brand, " > ".join(shown.category), str(shown.price or "")) if one)
        lines = [shown.title, facts, (shown.bullets or shown.description)[:SHOWN], product]
        named = {"query_id": query, "product": product, "query": queries[query], "title": shown.title}
        asks.append({"id": content_hash(f"{query}\0{product}"), **named, "lines": [line for line in lines if line]})
    levels: list[Any] = sorted({int(value) if value == int(value) else value for value in grades.values()})
    return asks, levels if len(levels) > 1 else list(GRADES)


def _pool(
    doors: Doors, queries: Mapping[str, str], depth: int
) -> tuple[list[tuple[str, str]], NDArray[np.float64]]:  # fmt: skip
    """Pairs from the top of either ranking, and (n, 3): how high words, meaning, and both together put them, 0 to 1."""
    import numpy as np

    from mercer.records import Request

    pairs: list[tuple[str, str]] = []
    rows: list[list[float]] = []
    with progress() as bars:
        task = bars.add_task("ask", total=len(queries))
        for id, text in queries.items():
            places: dict[str, list[float]] = {}
            for column, system in enumerate(("lexical", "dense", "hybrid")):
                try:
                    hits = doors.search(Request(query=text, k=depth), system=system).hits  # type: ignore[arg-type]  # one of three
                except RequestError:
                    hits = ()  # a query that the door refuses has nothing to judge
                for place, hit in enumerate(hits):
                    places.setdefault(hit.id, [0.0] * 3)[column] = float(np.exp(-place / SLOPE))
            pairs += [(id, product) for product in places]
            rows += places.values()
            bars.advance(task)
    return pairs, np.array(rows, np.float64).reshape(len(rows), 3)


def _discounts(features: NDArray[np.float64], depth: int) -> NDArray[np.float64]:
    """What a place counts in nDCG by the hybrid score: the first page is what people see; (n,)."""
    import numpy as np

    places = np.where(features[:, 2] > 0, -SLOPE * np.log(np.clip(features[:, 2], 1e-9, 1)), depth)
    found: NDArray[np.float64] = 1 / np.log2(2 + places)
    return found


def suggest_texts(
    shop: Shop, path: Path, number: int, active: ActiveSettings, *, text: str, label: str, classes: Sequence[str]
) -> tuple[list[dict[str, Any]], list[Any]]:
    """Texts to classify, and the classes there are.

    Raises:
        NotFoundError: no such column. DataError: nothing left to ask, or no class.
    """
    import numpy as np

    from mercer.cli.settings import read_settings
    from mercer.encode import load
    from mercer.encode.cache import VectorCache
    from mercer.learn.active import choose
    from mercer.learn.head import HeadSettings, fit_head
    from mercer.quality.labelled import Labels

    rows = _texts(path, text, label)
    told = {line["text"]: line["label"] for line in Labels(shop.store, "texts").current}
    labelled = {one: name for one, name in rows.items() if name} | told
    open_ = [one for one in rows if one not in labelled]
    names = list(dict.fromkeys([*classes, *sorted(set(labelled.values()))]))
    if len(names) < 2:
        raise DataError(f"{path} tells {len(names)} classes", cure="name them: --classes a,b,c")
    if not open_:
        raise DataError(f"every text of {path} is labelled", cure="give texts without a label")
    encode = read_settings(shop.folder).encode
    encoder = load(encode.source, engine=encode.engine, texts=open_[:2000])
    vectors = VectorCache(shop.cache).encode(encoder, open_, side="query")
    chances = other = np.full((len(open_), len(names)), 1 / len(names))
    if len(set(labelled.values())) > 1:
        known = list(labelled)
        seen = VectorCache(shop.cache).encode(encoder, known, side="query")
        settings = HeadSettings(seed=active.seed)
        head = fit_head(known, list(labelled.values()), encoder=encoder, settings=settings, vectors=seen)
        chances, other = (
            head.probabilities(open_, view=view, vectors=vectors).astype(np.float64) for view in ("vectors", "ngrams")
        )
        if active.how != "disagreement":
            chances = head.probabilities(open_, vectors=vectors).astype(np.float64)
    chosen = choose(number, active, chances=chances, other=other, vectors=vectors)
    asks = [{"id": content_hash(open_[at]), "text": open_[at], "lines": [open_[at]]} for at in chosen]
    return asks, names


def _texts(path: Path, text: str, label: str) -> dict[str, str]:
    """Text → class, "" where none is told."""
    from mercer.quality.rows import Bad
    from mercer.quality.table_file import TableFile

    file = TableFile(path, "reviews")
    if text not in file.columns:
        raise NotFoundError(f"{path} has no column {text!r}", cure=f"name one of {', '.join(file.columns[:8])}: --text")
    wanted = [text, *([label] if label in file.columns else [])]
    found: dict[str, str] = {}
    for batch in file.batches(wanted, Bad()):
        said = batch.columns[text].to_pylist()
        names = batch.columns[label].to_pylist() if label in batch.columns else [None] * len(said)
        for one, name in zip(said, names, strict=True):
            if one is not None and str(one).strip():
                found[str(one).strip()] = str(name or "").strip()
    return found


def checked_rows(shop: Shop, family: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of live checked data; none where there is no such family.

    Raises:
        NotFoundError: nothing is checked yet.
    """
    import pyarrow.parquet as pq

    live = shop.live("checked")
    if live is None:
        raise NotFoundError(f"{shop.folder} has no checked data", cure=f"run: mercer check {shop.folder}")
    path = shop.path("checked", live.version) / f"{family}.parquet"
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = pq.read_table(path, columns=list(columns)).to_pylist()
    return rows
