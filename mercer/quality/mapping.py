"""A raw file in; for each canonical column the raw column it most likely is, why, and how surely, out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.errors import SettingsError
from mercer.quality import names
from mercer.quality.content import Content, content, fitness
from mercer.quality.expression import RETAIL
from mercer.quality.rows import Bad
from mercer.quality.schema import COLUMNS, FAMILIES, REQUIRED
from mercer.quality.table_file import TableFile

__all__ = ["Choice", "Guess", "guess", "unused"]

PREVIEW = 5_000
"""Rows that are looked at; they come from the first block of the file."""
PLACES = {
    3: {"query_id": "column_1", "product": "column_2", "grade": "column_3"},
    4: {"query_id": "column_1", "product": "column_3", "grade": "column_4"},
}
"""What the columns of judgments without a header are, by their number; four as in TREC qrels."""
SURE = 0.6
"""A choice below it is asked about on a terminal."""
PART = re.compile(r"[.\[]| \+ | \(\d+\)$")
"""In names of nested values and of columns that come twice, which are no attributes of their own."""
FLOOR = 0.3
"""A choice below it is not made."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One canonical column and what it is read from."""

    column: str
    raw: str
    """An expression of [map.*]: a raw column, "a | b", "a + b" or "=constant"."""
    why: str
    confidence: float
    """From 0 to 1."""
    alternatives: tuple[str, ...] = ()
    """Other raw columns it could be, likeliest first."""
    preview: tuple[str, ...] = ()
    """Up to three different values."""

    @property
    def sure(self) -> bool:
        return self.confidence >= SURE


@dataclass(frozen=True, slots=True)
class Guess:
    """How one file is read."""

    family: str
    path: Path
    format: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    """Raw columns found in the first rows, nested ones with dots."""
    choices: tuple[Choice, ...]
    missing: tuple[str, ...]
    """Required columns that nothing was found for."""
    unmapped: tuple[str, ...]
    """Raw columns that nothing uses."""
    values: Mapping[str, frozenset[str]]
    """Preview values of the columns that other files refer to (`product`, `query_id`)."""

    @property
    def mapping(self) -> dict[str, str]:
        """What [map.FAMILY] of mercer.toml would say."""
        return {choice.column: choice.raw for choice in self.choices}


def guess(
    family: str, path: Path, *, file: TableFile | None = None, known: Mapping[str, Collection[str]] | None = None
) -> Guess:
    """Guess the mapping of one file from the names of its columns and from what is in them.

    Args:
        family: what the file is.
        path: the file.
        file: the same file where it is open already.
        known: values of `product` and `query_id` met in other files; a column that holds them is preferred.

    Raises:
        NotFoundError, FormatError, EncodingError: as `mercer.quality.read.read`.
    """
    if family not in FAMILIES:
        raise SettingsError(f"family {family!r} is unknown", cure=f"give one of {', '.join(FAMILIES)}")
    file = file or TableFile(Path(path), family)
    seen = {name: content(values) for name, values in _preview(file).items()}
    places = PLACES.get(len(file.columns)) if (family, file.columns[:1]) == ("judgments", ("column_1",)) else None
    if places:
        choices = [
            Choice(column, raw, f"place {raw[-1]} of {len(file.columns)}", 0.9, (), seen[raw].samples)
            for column, raw in places.items()
        ]
    else:
        choices = list(_rules(family, _choose(family, seen, known or {}), seen).values())
    order = list(COLUMNS[family])
    choices.sort(key=lambda choice: order.index(choice.column))
    found = {choice.column for choice in choices}
    used = {name for choice in choices for sign in ("|", "+") for name in choice.raw.split(f" {sign} ")}
    return Guess(
        family=family,
        path=Path(path),
        format=file.format,
        encoding=file.encoding,
        delimiter=file.delimiter,
        columns=tuple(seen),
        choices=tuple(choices),
        missing=tuple(column for column in REQUIRED[family] if column not in found),
        unmapped=() if file.format == "trec" else unused(tuple(seen), used),
        values={
            {"id": "product"}.get(choice.column, choice.column): frozenset(seen[choice.raw].values)
            for choice in choices
            if choice.column in (("id",) if family == "products" else ("product", "query_id")) and choice.raw in seen
        },
    )


def unused(columns: Collection[str], used: Collection[str]) -> tuple[str, ...]:
    """Top-level raw columns of which neither the whole nor a part is used."""
    roots = {*used, *(name.split(".")[0].split("[")[0] for name in used)}
    parts = {name for name in columns for other in columns if name.startswith((f"{other}.", f"{other}["))}
    return tuple(name for name in columns if name not in roots and name not in parts)


def _preview(file: TableFile) -> dict[str, list[Any]]:
    batch = next(file.batches(file.columns, Bad()), None)
    if batch is None:
        return {name: [] for name in file.columns}
    return {name: column.slice(0, PREVIEW).to_pylist() for name, column in batch.columns.items()}


def _choose(family: str, seen: Mapping[str, Content], known: Mapping[str, Collection[str]]) -> dict[str, Choice]:
    """Give each canonical column the raw column with the best score, the surest first; a raw column serves once."""
    scored = sorted(_scores(family, seen, known), key=lambda entry: (-entry[0], entry[1], entry[2]))
    taken: dict[str, Choice] = {}
    for confidence, column, raw, why in scored:
        if column in taken or confidence < FLOOR or any(choice.raw == raw for choice in taken.values()):
            continue
        others = tuple(name for sure, other, name, _ in scored if other == column and name != raw and sure > FLOOR)[:3]
        taken[column] = Choice(column, raw, why, round(min(confidence, 1.0), 2), others, seen[raw].samples)
    return taken


def _scores(
    family: str, seen: Mapping[str, Content], known: Mapping[str, Collection[str]]
) -> Iterator[tuple[float, str, str, str]]:
    for column in COLUMNS[family]:
        if column == "derived":
            continue
        for raw, values in seen.items():
            by_name = names.score(family, column, raw)
            fit, evidence = fitness(family, column, values)
            joined = _joined(values, known.get("product" if (family, column) == ("products", "id") else column, ()))
            if joined > 0.5:
                yield 0.5 + 0.5 * max(by_name, joined * fit), column, raw, f"{joined:.0%} of its values join"
            elif by_name and fit > 0:
                yield by_name * (0.6 + 0.4 * fit), column, raw, "name" + (f", {evidence}" if evidence else "")
            elif fit >= 0.5 and column in REQUIRED[family] and not names.is_known(family, raw):
                nameless = raw.startswith("column_")
                if nameless or column != "product":  # any short text could be a product's id
                    yield (0.75 if nameless else 0.55) * fit, column, raw, evidence


def _joined(values: Content, known: Collection[str]) -> float:
    """Share of the distinct values that another file knows."""
    if not known or not values.values:
        return 0.0
    lookup = known if isinstance(known, set | frozenset) else set(known)
    return len(values.values & lookup) / len(values.values)


def _rules(family: str, found: dict[str, Choice], seen: Mapping[str, Content]) -> dict[str, Choice]:
    """Add what follows from several columns at once; each rule is spelled out in the mapping."""
    if family == "events":
        return found | _actions_of_invoices(found)
    if family == "products":
        found = found | _reduced_price(found, seen)
        return found | _attributes(found, seen)
    return found


def _actions_of_invoices(found: Mapping[str, Choice]) -> dict[str, Choice]:
    if "type" in found or "product" not in found:
        return {}
    if "session" not in found or not found.keys() & {"quantity", "price"}:
        return {"type": Choice("type", "=view", "no column of actions, nothing bought", 0.4)}
    if "quantity" not in found:
        return {"type": Choice("type", "=purchase", "order lines", 0.7)}
    why = "invoice lines: a refund where quantity < 0 or the invoice begins with C"
    return {"type": Choice("type", RETAIL, why, 0.8)}


def _reduced_price(found: Mapping[str, Choice], seen: Mapping[str, Content]) -> dict[str, Choice]:
    """A sale price that is not always there falls back to the plain price, which is then the list price."""
    if "price" not in found or names.normalised(found["price"].raw) == "price":
        return {}
    plain = next((name for name in seen if names.normalised(name) in ("price", "价格")), None)
    if plain is None or plain == found["price"].raw:
        return {}
    reduced = found["price"]
    both = Choice("price", f"{reduced.raw} | {plain}", "reduced price where there is one", 0.9, (), reduced.preview)
    if "list_price" in found and found["list_price"].raw != plain:
        return {"price": both}
    return {
        "price": both,
        "list_price": Choice("list_price", plain, "price before the reduction", 0.9, (), seen[plain].samples),
    }


def _attributes(found: Mapping[str, Choice], seen: Mapping[str, Content]) -> dict[str, Choice]:
    """Short values that repeat (colour, style) are packed into the attributes."""
    used = {name for choice in found.values() for name in choice.raw.split(" | ")}
    whole = [name for name in seen if not PART.search(name)]
    extra = [
        name
        for name in whole
        if name not in used and seen[name].is_attribute and names.canonical("products", name) is None
    ]
    if not extra:
        return {}
    base = [found["attributes"].raw] if "attributes" in found else []
    preview = tuple(f"{name}: {seen[name].samples[0]}" for name in extra[:3])
    return {"attributes": Choice("attributes", " + ".join(base + extra), "other short values", 0.7, (), preview)}
