"""A shop's checked events and its log in; what they teach by now, without a new index, out."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mercer.events.log import EventLog
from mercer.records import Event
from mercer.retrieve.behaviour import Behaviour, BehaviourSettings
from mercer.retrieve.refresh import COLUMNS, Refresh
from mercer.shop import Shop

__all__ = ["Refresher"]


class Refresher:
    """Holds the counts of one index version's shop; each call adds what the log has had since the last."""

    def __init__(self, shop: Shop, version: str, ids: Iterable[str], settings: BehaviourSettings | None = None) -> None:
        """Count the checked events that the version was built from, which takes as long as learning them did."""
        source = shop.path("checked", str(shop.card("index", version)["checked"]))
        manifest = source / "manifest.json"
        told = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
        self._seq = int(told.get("live", 0))
        self._counts = Refresh(source / "events.parquet", settings, ids=ids)

    def __call__(self, log: EventLog, before: Behaviour) -> tuple[Behaviour, int]:
        """(what is known now, how many events are new); `before` as it is where none are."""
        count = 0
        while rows := log.since(self._seq, limit=100_000):
            self._counts.add(_table(event for _, event in rows))
            self._seq, count = rows[-1][0], count + len(rows)
        return (self._counts.behaviour(before), count) if count else (before, 0)


def _table(events: Iterable[Event]) -> object:
    import pyarrow as pa

    rows = [{name: getattr(event, name) or None for name in COLUMNS} for event in events]
    schema = pa.schema([(name, pa.int64() if name == "time" else pa.string()) for name in COLUMNS])
    return pa.Table.from_pylist(rows, schema=schema)
