"""Checked data in, a new index version out: vectors, words, behaviour and completions."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.doors.copies import copies
from mercer.doors.ranked import checked_ranker, keep_facts
from mercer.doors.weigh import read_weight
from mercer.doors.words import learn_words
from mercer.encode import Encoder, EncodeSettings, load
from mercer.encode.cache import VectorCache
from mercer.errors import DataError, GateBlocked, NotFoundError
from mercer.events.export import export
from mercer.events.log import Change, EventLog
from mercer.events.shown import paged
from mercer.quality.erased import Erased
from mercer.rank.reranker import open_reranker
from mercer.records import Product
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.index import open_index
from mercer.retrieve.text import passage
from mercer.shop import Shop, content_hash, disk_errors

if TYPE_CHECKING:
    from mercer.doors.settings import Settings

__all__ = ["Built", "build", "encoder_settings", "gate_refusal", "latest"]

LAYOUT = 6
"""Of an index version; another layout is another version."""

Tick = Callable[[str, int, int], None]
"""Told a stage, how many are done more, and how many there are in all."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made, or found already there."""

    version: str
    products: int
    encoder: str
    encoded: int
    """Texts that had to be encoded; the others' vectors were known."""
    reused: int
    seconds: float
    new: bool


def gate_refusal(shop: Shop, version: str) -> str:
    """ "" where the data gate let this checked version through, else which number blocked it."""
    path = shop.path("checked", version) / "gate.json"
    gate = json.loads(path.read_text("utf-8"))
    if gate.get("decision") != "block":
        return ""
    by = gate["decided_by"]
    return f"{by['requirement']}: {by['share']:.2%} of {by['family']}, the limit is {by['threshold']:.2%}"


def build(
    shop: Shop,
    settings: Settings,
    *,
    checked: str = "",
    model: str | None = None,
    reranker: str | None = None,
    ranker: str | None = None,
    since: int = 0,
    override: str = "",
    tick: Tick | None = None,
) -> Built:
    """Make the index version of the shop's live checked data; it is not made live here.

    Args:
        shop: whose ``checked`` is live, or has the version `checked`.
        settings: of every room.
        checked: a checked version to build from; "" is the live one.
        model: version among the shop's models of the encoder; "" is the one that `settings` name, None the one
            that the live index stands on, if `settings` leave the choice.
        reranker: version among the shop's models of the cross-encoder that goes live with this index; None the one
            of the live index, "" none.
        ranker: the same of the trees that rank.
        since: when the product file was last written, UTC ms; changes made over HTTP after it win over it.
        override: why to go on although the gate is closed; kept in the card.
        tick: hears of progress.

    Raises:
        NotFoundError: nothing has been checked.
        GateBlocked: the gate is closed and `override` is "".
    """
    started = time.monotonic()
    version = checked or latest(shop)
    refusal = gate_refusal(shop, version)
    if refusal and not override:
        raise GateBlocked(
            f"the data gate is closed ({refusal})", cure=f'mend the data, or give --override "why"; see {shop.folder}'
        )
    source = shop.path("checked", version)
    told = _told(shop, since, source)
    whole = _products(source, told.changes)
    fresh = {change.id for change in told.changes}
    again = copies(source, whole) - fresh if settings.retrieve.leave_out_copies else frozenset()
    products = [product for id, product in whole.items() if id not in again]
    if not products:
        raise DataError(f"checked version {version} has no product", cure="see its report: mercer check SHOP")
    chosen = _model(shop, settings) if model is None else model
    encode = encoder_settings(shop, settings.encode, {"model": chosen}) if chosen else settings.encode
    encoder = load(texts=(product.title for product in products), settings=encode)
    rereads = _live_card(shop).get("reranker", "") if reranker is None else reranker
    rerank = _rerank(shop, settings, rereads) if rereads else {}
    ranks = checked_ranker(shop, _live_card(shop).get("ranker", "") if ranker is None else ranker)
    name = content_hash(
        version,
        encoder.name,
        json.dumps(dataclasses.asdict(settings.retrieve), sort_keys=True),
        json.dumps(dataclasses.asdict(settings.suggest), sort_keys=True),
        str(settings.spelling.entries) + settings.learnt,
        str(LAYOUT),
        told.name,
        *([rereads, json.dumps(rerank)] if rereads else []),
        *(["ranker", ranks] if ranks else []),
        *([erased] if (erased := Erased(shop.store).name) else []),
    )
    if name in shop.versions("index"):
        return Built(name, len(products), encoder.name, 0, len(products), time.monotonic() - started, new=False)
    cache = VectorCache(shop.cache)
    with shop.writing("index") as folder:
        vectors = cache.encode(encoder, map(passage, products), tick=_ticker(tick, "encode", len(products)))
        opened = open_index(folder / "products", dimension=encoder.dimension, settings=settings.retrieve)
        with contextlib.closing(opened) as index:
            index.upsert(products, vectors, tick=_ticker(tick, "index", len(products)))
            index.merge()
        (folder / "behaviour").mkdir()
        events = _events(shop, source, folder)
        Behaviour.fit(events, settings.behaviour, products=products).save(folder / "behaviour")
        if ranks:
            keep_facts(products, source, folder, events)
        learn_words(products, source, folder, settings=settings)
        card = {
            "checked": version,
            "override": override,
            "encoder": _recipe(settings, encoder, chosen),
            "reranker": rereads,
            "rerank": rerank,
            "ranker": ranks,
            "retrieve": dataclasses.asdict(settings.retrieve),
            "changes": told.newest,
            "products": len(products),
            "copies": len(again),
            "seconds": round(time.monotonic() - started, 1),
        }
        shop.keep("index", folder, card, version=name)
    return Built(name, len(products), encoder.name, cache.encoded, cache.reused, time.monotonic() - started, new=True)


def latest(shop: Shop) -> str:
    """The live checked version, else the newest.

    Raises:
        NotFoundError: nothing has been checked.
    """
    live = shop.live("checked")
    if live is not None:
        return live.version
    versions = shop.versions("checked")
    if not versions:
        raise NotFoundError(f"nothing of {shop.folder} has been checked", cure=f"run: mercer check {shop.folder}")
    return versions[-1]


def _live_card(shop: Shop) -> dict[str, Any]:
    live = shop.live("index")
    return shop.card("index", live.version) if live else {}


def _model(shop: Shop, settings: Settings) -> str:
    """The shop's own encoder that the live index stands on; "" where it has none, or the owner named another since."""
    told = _live_card(shop).get("encoder", {})
    return str(told.get("model", "")) if told.get("source") == settings.encode.source else ""


def _recipe(settings: Settings, encoder: Encoder, model: str) -> dict[str, Any]:
    """What `open_doors` needs to load the same encoder: `auto` is resolved to what it chose."""
    source, named = settings.encode.source, encoder.name.partition("-")[0]
    return {
        "name": encoder.name,
        "dimension": encoder.dimension,
        "source": named if source == "auto" and not model else source,
        "max_length": settings.encode.max_length,
        "model": model,
    }


def _rerank(shop: Shop, settings: Settings, reranker: str) -> dict[str, Any]:
    """What of ``[rank]`` goes live with it; a damaged one must fail here, not when the index is opened.

    Raises:
        NotFoundError: it is gone. ModelError: it is damaged, or says nothing of relevance.
    """
    shop.card("models", reranker)
    open_reranker(shop.path("models", reranker), settings=settings.encode)
    return read_weight(shop, reranker)


def encoder_settings(shop: Shop, settings: EncodeSettings, recipe: Mapping[str, Any]) -> EncodeSettings:
    """Settings that load the encoder of an index card.

    Raises:
        NotFoundError: the shop's model that it names is gone.
    """
    if model := recipe.get("model", ""):
        shop.card("models", model)
        recipe = {**recipe, "source": str(shop.path("models", model))}
    changed = {name: recipe[name] for name in ("source", "max_length") if name in recipe}
    return dataclasses.replace(settings, **changed)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the live log adds to the checked files."""

    events: int = 0
    newest: int = 0
    """Number of the last change of a product; later ones are made up for when the version is opened."""
    changes: tuple[Change, ...] = ()
    """Those newer than the product file that the check has not judged; deletions are followed always."""

    @property
    def name(self) -> str:
        """ "" where it adds nothing; another one after every event and every change that counts."""
        return f"{self.events}/{[change.seq for change in self.changes]}" if self.events or self.changes else ""


def _told(shop: Shop, since: int, source: Path) -> _Told:
    if not shop.events.exists():
        return _Told()
    judged = _judged(source)[1]
    with EventLog(shop.events) as log:
        changes = log.changes()
        newest = changes[-1].seq if changes else 0
        fresh = (c for c in changes if c.time > since and (c.product is None or c.seq > judged))
        return _Told(log.count(), newest, tuple(fresh))


def _judged(source: Path) -> tuple[int, int]:
    """Numbers of the last event and of the last change in the log that the check has seen."""
    path = source / "manifest.json"
    manifest = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return int(manifest.get("live", 0)), int(manifest.get("sequence", 0))


def _products(source: Path, changes: Iterable[Change]) -> dict[str, Product]:
    """Checked products by id, with changes made since."""
    import pyarrow.parquet as pq

    path = source / "products.parquet"
    rows = pq.read_table(path).to_pylist() if path.exists() else []
    products = {str(row["id"]): Product.from_row(row) for row in rows}
    for change in changes:
        products.pop(change.id, None)
        if change.product is not None:
            products[change.id] = change.product
    return products


def _events(shop: Shop, source: Path, folder: Path) -> Path:
    """One Parquet file of events: the checked ones, then those that the live log has had since the check."""
    checked, live, both = source / "events.parquet", folder / "live.parquet", folder / "events.parquet"
    if not shop.events.exists():
        return checked
    with EventLog(shop.events) as log:
        seen = _judged(source)[0]
        if not log.since(seen, limit=1):
            return checked
        export(paged(log.since, seq=seen), live)
    import duckdb
    import pyarrow.parquet as pq

    files = [str(path) for path in (checked, live) if path.exists()]
    with duckdb.connect() as engine, disk_errors(folder):
        rows = engine.sql("SELECT * FROM read_parquet($files, union_by_name = true)", params={"files": files})
        pq.write_table(rows.to_arrow_table(), both, compression="zstd")
    live.unlink()
    return both


def _ticker(tick: Tick | None, stage: str, total: int) -> Callable[[int], None] | None:
    return None if tick is None else lambda more: tick(stage, more, total)
