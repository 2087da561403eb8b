"""A shop's version and its ranker in; what ranking needs beside the index, built into it, or opened from it, out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mercer.errors import NotFoundError
from mercer.events.log import Change
from mercer.quality.exposure import propensity
from mercer.rank.trees import Trees
from mercer.records import Product
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.facts import Facts
from mercer.retrieve.index import Index
from mercer.retrieve.rates import Rates
from mercer.search.features import Features
from mercer.search.learned import Learned
from mercer.shop import Shop

__all__ = ["OFF", "checked_ranker", "keep_facts", "open_learned", "rates_of", "studied"]

OFF = "off"
"""As ``[rank] ranker``: the hybrid score alone."""
FACTS = "facts.npz"


def checked_ranker(shop: Shop, name: str) -> str:
    """`name`, once it is sure that it can be opened: a damaged one must fail when an index is built, not later.

    Raises:
        NotFoundError: it is gone. ModelError: it is damaged. MissingExtra: LightGBM is not installed.
    """
    if name:
        shop.card("models", name)
        Trees.load(shop.path("models", name))
    return name


def keep_facts(products: Sequence[Product], source: Path, folder: Path, events: Path) -> None:
    """Write what ranking asks of products and of behaviour into an index version.

    Args:
        products: of the index.
        source: folder of the checked version.
        folder: of the index version.
        events: Parquet of the events that it was built from; it need not exist.
    """
    Facts.of(products, _findings(source)).save(folder / FACTS)
    rates_of(source, events).save(folder / "behaviour")


def rates_of(source: Path, events: Path | None = None, *, until: int | None = None) -> Rates:
    """Rates of a checked version, with positions corrected by what check E12 found; see `Rates.fit`."""
    path = source / "manifest.json"
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return Rates.fit(
        events or source / "events.parquet", source / "queries.parquet", propensity=propensity(told), until=until
    )


def open_learned(
    shop: Shop, version: str, card: Mapping[str, Any], *, named: str, index: Index, behaviour: Behaviour,
    changes: Iterable[Change],
) -> Learned | None:  # fmt: skip
    """The stage of an index version; None where it has no ranker, or `named` turns it off.

    Args:
        shop, version, card: of the index.
        named: ``[rank] ranker``: "" is the one of the card.
        index, behaviour: opened.
        changes: of products since the version was built.

    Raises:
        NotFoundError: the ranker is gone. ModelError: it is damaged. MissingExtra: LightGBM is not installed.
    """
    name = named or card.get("ranker", "")
    if not name or name == OFF:
        return None
    shop.card("models", name)
    trees = Trees.load(shop.path("models", name))
    folder = shop.path("index", version)
    changed = list(changes)
    if (folder / FACTS).exists():
        facts, rates = Facts.load(folder / FACTS), Rates.load(folder / "behaviour")
        facts.forget(change.id for change in changed)
        facts.add(change.product for change in changed if change.product)
    else:  # the owner named a ranker that this version was not built with
        return Learned(studied(shop, card, index, behaviour), trees)
    return Learned(Features(index, facts, rates, behaviour), trees)


def studied(
    shop: Shop, card: Mapping[str, Any], index: Index, behaviour: Behaviour, *, until: int | None = None
) -> Features:
    """Features over an index that was built without them; of behaviour, only what came before `until` (UTC ms)."""
    source = shop.path("checked", card["checked"])
    if not source.exists():
        raise NotFoundError(f"checked version {card['checked']} is gone", cure=f"run: mercer check {shop.folder}")
    facts = Facts.of(index.products(index.ids()), _findings(source))
    return Features(index, facts, rates_of(source, until=until), behaviour)


def _findings(source: Path) -> Mapping[str, int]:
    """How much was found in each product's row that lets it pass."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = source / "findings.parquet"
    if not path.exists():
        return {}
    rows = pq.read_table(source / "products.parquet", columns=["row_id", "id"])
    id_of = dict(zip(rows["row_id"].to_pylist(), rows["id"].to_pylist(), strict=True))
    found = pq.read_table(path, columns=["family", "row_id", "action"])
    mine = found.filter(pc.and_(pc.equal(found["family"], "products"), pc.equal(found["action"], "warn")))
    counted = Counter(mine["row_id"].to_pylist())
    return {str(id_of[row]): number for row, number in counted.items() if row in id_of}
