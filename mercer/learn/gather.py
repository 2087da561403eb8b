"""A shop's checked version in; everything that can be learned from it, split, with what it stands on, out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import DataError, GateBlocked
from mercer.learn.agree import agreement, by_words, require_agreement
from mercer.learn.pairs import apart, empty, from_catalogue, from_events, from_judgments, joined
from mercer.learn.settings import LearnSettings
from mercer.measure.metric import parse_gains
from mercer.quality.exposure import propensity
from mercer.records import Product
from mercer.shop import Shop, content_hash

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Gathered", "gather"]

CHECKED_ROWS = 20_000
"""Rows of labelled pairs that the checks for leaks look at."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Pairs of one checked version."""

    checked: str
    products: Mapping[str, Product]
    labelled: Mapping[str, pa.Table]
    """train, valid and test of judgments and behaviour; all empty where there are too few labelled queries."""
    invented: Mapping[str, pa.Table]
    """The same of pairs from the catalogue alone."""
    notes: tuple[str, ...]
    """What was left out, and what the leak checks warned of."""

    @property
    def has_labels(self) -> bool:
        return bool(len(self.labelled["train"]))

    @property
    def parts(self) -> Mapping[str, pa.Table]:
        """What is chosen by and reported on: labelled pairs where there are any."""
        return self.labelled if self.has_labels else self.invented

    @property
    def hash(self) -> str:
        """Of every pair, its part and weight: equal hash, equal training data."""
        from mercer.quality.profile import tables_hash

        named = {f"{kind} {part}": table for kind, parts in self._both() for part, table in parts.items()}
        return content_hash(self.checked, tables_hash(named))

    def counts(self) -> dict[str, dict[str, int]]:
        """Part → source → pairs."""
        found: dict[str, dict[str, int]] = {}
        for _, parts in self._both():
            for part, table in parts.items():
                for row in table["source"].value_counts().to_pylist():
                    found.setdefault(part, {})[row["values"]] = row["counts"]
        return found

    def _both(self) -> tuple[tuple[str, Mapping[str, pa.Table]], ...]:
        return (("labelled", self.labelled), ("invented", self.invented))


def gather(shop: Shop, checked: str, settings: LearnSettings, *, override: str = "") -> Gathered:
    """Make pairs of a checked version.

    Labelled queries are split whole (spellings of one query together); products of the test queries stay in the
    catalogue, as they are for sale, but invented pairs are split by title on their own. What the checks for leakage
    (X01 to X06) find in the labelled pairs blocks learning.

    Raises:
        DataError: no product with a title.
        GateBlocked: labels leak into what is learned from, or grades are the wrong way round, and `override` is "".
    """
    folder = shop.path("checked", checked)
    products = {str(row["id"]): Product.from_row(row) for row in _rows(folder, "products")}
    queries = {str(row["query_id"]): row["text"] or "" for row in _rows(folder, "queries")}
    gains = parse_gains(settings.gains) if settings.gains else None
    judged = from_judgments(_rows(folder, "judgments"), queries, products, gains=gains)
    done = from_events(
        folder / "events.parquet",
        folder / "queries.parquet",
        products,
        propensity=propensity(_manifest(folder)),
        settings=settings.behaviour,
    )
    labelled = joined(judged, _unjudged(done, judged))
    notes: list[str] = []
    groups = len(set(labelled["group"].to_pylist()))
    parts = {name: empty() for name in ("train", "valid", "test")}
    if groups >= settings.least:
        parts = apart(labelled, valid=settings.valid, test=settings.test, seed=settings.seed)
        notes += _leaks(parts, override)
        notes += require_agreement(agreement(judged, by_words(judged)), by="words", override=override)
    elif groups:
        notes.append(f"{groups} queries have labels, fewer than {settings.least}: the catalogue alone teaches")
    catalogue = joined(from_catalogue(products.values(), settings=settings.catalogue, seed=settings.seed))
    if not len(catalogue):
        raise DataError(f"checked version {checked} has no product with a title", cure="see: mercer check SHOP")
    invented = apart(catalogue, valid=0.02, test=0.03, seed=settings.seed)
    return Gathered(checked, products, parts, invented, tuple(notes))


def _rows(folder: Path, family: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    path = folder / f"{family}.parquet"
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist() if path.exists() else []
    return found


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    told: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return told


def _unjudged(done: pa.Table, judged: pa.Table) -> pa.Table:
    """Behaviour of queries that nobody judged: a person's word counts more than clicks."""
    import pyarrow as pa
    import pyarrow.compute as pc

    groups = pa.array(sorted(set(judged["group"].to_pylist())), pa.string())
    return done.filter(pc.invert(pc.is_in(done["group"], groups)))


def _leaks(parts: Mapping[str, pa.Table], override: str) -> list[str]:
    """Ask the checks of training tables; what they warn of comes back.

    Raises:
        GateBlocked: they block.
    """
    import pyarrow as pa

    from mercer.quality.training import check_training

    named = [table.append_column("part", pa.array([name] * len(table))) for name, table in parts.items()]
    table = pa.concat_tables(named)
    if len(table) > CHECKED_ROWS:
        table = table.take(list(range(0, len(table), len(table) // CHECKED_ROWS + 1)))
    inputs = ["query", "text"]
    checked = check_training(table, label="gain", inputs=inputs, split="part", groups=["group"], ids=["product"])
    if checked.gate.status == "block" and not override:
        raise GateBlocked(
            f"training pairs leak: {'; '.join(checked.reasons())}", cure='mend the data, or give --override "why"'
        )
    return [f"leak checks: {checked.gate.status}"] if checked.gate.status != "pass" else []
