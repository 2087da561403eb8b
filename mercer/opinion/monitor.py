"""A shop in; what is said of it read, kept, counted and watched, for the command line, HTTP and the console, out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mercer.encode import Encoder
from mercer.errors import NotFoundError, RequestError, ShopError
from mercer.opinion.alarm import alarms, replayed
from mercer.opinion.board import Board, board, product_aspects, series
from mercer.opinion.document import Document
from mercer.opinion.entity import Names
from mercer.opinion.read import Reader, open_reader
from mercer.opinion.settings import OpinionSettings
from mercer.opinion.source import from_checked, from_rows
from mercer.opinion.store import Kept, Store
from mercer.records import Alarm, Product
from mercer.shop import Shop
from mercer.watch.alarm import Held
from mercer.watch.deliver import Delivery
from mercer.watch.settings import WatchSettings

__all__ = ["DAY", "Monitor"]

DAY = 86_400_000
"""Milliseconds."""
BATCH = 512
"""Documents read and kept together."""
LEVELS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Levels of false alarms a week that a replay compares."""


class Monitor:
    """Opinion about one shop. Nothing is opened before it is needed; safe from several threads."""

    def __init__(
        self, shop: Shop, settings: OpinionSettings | None = None, *, encoder: Callable[[], Encoder] | None = None,
        products: Callable[[], Iterable[Product]] | None = None, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`products` give the names that are looked for; `encoder` is asked for where a model stands on vectors."""
        self.shop, self.settings, self.store = shop, settings or OpinionSettings(), Store(shop)
        self._encoder, self._products, self._clock = encoder, products, clock
        self._reader: tuple[str, Reader] | None = None
        self._names: Names | None = None

    @property
    def now(self) -> int:
        """UTC ms."""
        return int(self._clock() * 1000)

    def reader(self) -> Reader:
        """What is live, opened once a version."""
        live = self.shop.live("opinion")
        version = live.version if live else ""
        if self._reader is None or self._reader[0] != version:
            if self._names is None:
                self._names = Names.of(self._products()) if self._products else Names()
            stands = bool(version) and bool(self.shop.card("opinion", version).get("encoder"))
            encoder = self._encoder() if stands and self._encoder else None
            self._reader = (version, open_reader(self.shop, encoder=encoder, names=self._names))
        return self._reader[1]

    def accept(self, documents: Sequence[Document], *, tick: Callable[[int], None] | None = None) -> Kept:
        """Read and keep documents; those that are known are not read again."""
        total = Counter[str]()
        for at in range(0, len(documents), BATCH):
            batch = documents[at : at + BATCH]
            known = self.store.known(batch)
            fresh = [one for one in batch if one.id not in known]
            total["known"] += len(batch) - len(fresh)
            reader = self.reader()
            readings = reader(fresh)
            for source in dict.fromkeys(one.source for one in fresh):
                pairs = [(one, read) for one, read in zip(fresh, readings, strict=True) if one.source == source]
                kept = self.store.add(
                    [one for one, _ in pairs], [read for _, read in pairs],
                    trust=float(self.settings.trust.get(source, 1.0)), version=reader.version,
                )  # fmt: skip
                total.update({"new": kept.new, "copies": kept.copies, "known": kept.known})
            if tick:
                tick(len(batch))
        return Kept(total["new"], total["copies"], total["known"])

    def accept_rows(self, rows: Iterable[Mapping[str, Any]], *, source: str) -> tuple[Kept, Counter[str]]:
        """The same of rows as they come over HTTP; what was refused comes with its cure."""
        documents, refused = from_rows(rows, source=source, now=self.now)
        return self.accept(documents), refused

    def take_checked(self, *, tick: Callable[[int], None] | None = None) -> Kept:
        """Read the shop's own reviews, as far as they are new."""
        return self.accept(from_checked(self.shop), tick=tick)

    def board(self, *, days: float = 30) -> Board:
        """What is said, over the last days before the newest document, and how that compares with the days before."""
        return board(self.store, now=self.now, days=_days(days))

    def said(self, product: str) -> list[dict[str, Any]]:
        """Aspects that documents of a product speak of; none where nothing was ever read, or cannot be now."""
        if not self.store.path.exists():
            return []
        try:
            return product_aspects(self.store, product)
        except ShopError:  # a product's page does not wait for what others said of it
            return []

    def series(self, *, days: float = 30, topic: str = "", entity: str = "", aspect: str = "") -> list[dict[str, Any]]:
        """Documents a day by sentiment."""
        return series(self.store, now=self.now, days=_days(days), topic=topic, entity=entity, aspect=aspect)

    def alarms(self, *, days: float = 14) -> list[dict[str, Any]]:
        """Surges of the last days, standing ones first."""
        return alarms(self.store, self.settings, now=self.now, days=_days(days))

    def replay(self, *, weeks: int = 26) -> list[dict[str, float]]:
        """What each level of false alarms would have raised."""
        return replayed(self.store, self.settings, now=self.now, weeks=weeks, levels=LEVELS)

    def acknowledge(self, id: str, *, by: str, note: str = "") -> dict[str, Any]:
        """Say that somebody has seen an alarm.

        Raises:
            NotFoundError: no such alarm was raised in the last quarter.
        """
        row = self._alarm(id)
        self.store.change(
            "INSERT INTO alarms (id, acknowledged, note) VALUES (?,?,?) "
            "ON CONFLICT (id) DO UPDATE SET acknowledged = excluded.acknowledged, note = excluded.note",
            [id, by[:200] or "somebody", note[:500]],
        )
        self.shop.audit.append("acknowledge opinion alarm", {"alarm": id, "by": by[:200], "series": row["series"]})
        return {**row, "acknowledged": by[:200] or "somebody"}

    def mute(self, id: str, *, hours: float) -> dict[str, Any]:
        """Tell nobody of the series of an alarm for so many hours; 0 takes that back.

        Raises:
            RequestError: hours below 0 or above a year. NotFoundError: no such alarm.
        """
        if not 0 <= hours <= 8784:
            raise RequestError(f"hours is {hours}", cure="give 0 to 8784")
        row = self._alarm(id)
        self.store.change(
            "INSERT OR REPLACE INTO muted VALUES (?,?)", [row["series"], self.now + int(hours * 3_600_000)]
        )
        self.shop.audit.append("mute opinion series", {"series": row["series"], "hours": hours})
        return {**row, "muted": hours > 0}

    def tell(self) -> list[str]:
        """Deliver alarms that stand and were not told yet, to the shop's alarm log and the owner's webhook."""
        known = {row[0] for row in self.store.rows("SELECT id FROM alarms WHERE told > 0")}
        waiting = [row for row in self.alarms(days=2) if row["stands"] and not row["muted"] and row["id"] not in known]
        if not waiting:
            return []
        folder = self.shop.store / "alarms"
        folder.mkdir(parents=True, exist_ok=True)
        deliver = Delivery(folder, WatchSettings(webhook=self.settings.webhook))
        for row in waiting:
            alarm = Alarm(row["id"], row["title"], row["severity"], row["time"], {"documents": row["documents"]})
            deliver(f"opinion {row['series']}", "raised", Held(alarm, stands=True, window=row["time"]))
            self.store.change(
                "INSERT INTO alarms (id, told) VALUES (?,?) ON CONFLICT (id) DO UPDATE SET told = excluded.told",
                [row["id"], self.now],
            )
        return [row["title"] for row in waiting] + deliver.failed

    def _alarm(self, id: str) -> dict[str, Any]:
        found = {row["id"]: row for row in self.alarms(days=90)}
        if id not in found:
            raise NotFoundError(f"no alarm {id[:40]!r}", cure=f"there are: {', '.join(list(found)[:10]) or 'none'}")
        return found[id]


def _days(days: float) -> float:
    if not 0 < days <= 3660:
        raise RequestError(f"days is {days}", cure="give a number above 0, at most 3660")
    return days
