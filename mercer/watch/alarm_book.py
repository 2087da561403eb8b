"""A shop and measured windows in; its alarms, kept in the shop and told to who listens, out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mercer.errors import NotFoundError, RequestError, ShopError
from mercer.records import Alarm
from mercer.shop import Shop, disk_errors, write_json
from mercer.watch.alarm import AlarmRule, Change, Held, Measured, step

__all__ = ["AlarmBook"]

Tell = Callable[[str, Change, Held], None]
"""Called with a rule's name, what changed, and its alarm."""
LONGEST = 500
"""Characters of a name or note."""


class AlarmBook:
    """The alarms of one shop, in ``store/alarms/alarms.json``; several processes may use it in turn.

    >>> import tempfile
    >>> book = AlarmBook(Shop.create(Path(tempfile.mkdtemp()) / "shop"))
    >>> rules = {"empty": AlarmRule("quality.zero_results", 0.3, 0.2)}
    >>> book.see(rules, [Measured("quality.zero_results", 0.5, 0.4, 0.6, 1)])
    [('empty', 'raised')]
    >>> list(book.standing()), book.acknowledge("empty", by="ann").acknowledged
    (['empty'], 'ann')
    """

    def __init__(self, shop: Shop, *, clock: Callable[[], float] = time.time) -> None:
        self.shop, self._clock = shop, clock
        self.folder = shop.store / "alarms"

    @property
    def path(self) -> Path:
        return self.folder / "alarms.json"

    def all(self) -> dict[str, Held]:
        """Every rule that was ever counted, and its alarm, standing ones first, the newest before.

        Raises:
            ShopError: the file is damaged.
        """
        if not self.path.exists():
            return {}
        try:
            rows = json.loads(self.path.read_text("utf-8"))
            found = {name: Held(**{**row, "alarm": Alarm(**row["alarm"])}) for name, row in rows.items()}
        except OSError as error:
            raise ShopError(f"{self.path} cannot be read: {error.strerror}", cure="make it readable") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ShopError(f"{self.path} is damaged: {error!r}", cure="remove it: alarms are raised anew") from error
        return dict(sorted(found.items(), key=lambda item: (not item[1].stands, -item[1].changed, item[0])))

    def standing(self) -> dict[str, Held]:
        """Those that stand now."""
        return {name: held for name, held in self.all().items() if held.stands}

    def see(
        self, rules: Mapping[str, AlarmRule], seen: Iterable[Measured], tell: Tell | None = None
    ) -> list[tuple[str, Change]]:
        """Count measured windows, oldest first; what changed comes back and is told, unless its rule is muted."""
        changes: list[tuple[str, Change, Held]] = []
        now = self._now()
        with self.shop.lock("alarms"):
            held = self.all()
            for one in sorted(seen, key=lambda one: one.window):
                for name in (name for name, rule in rules.items() if rule.measure == one.name):
                    held[name], change = step(rules[name], held.get(name), one)
                    if change:
                        changes.append((name, change, held[name]))
            self._write({name: one for name, one in held.items() if name in rules})
        for name, change, changed in changes:
            if tell and changed.muted_until <= now:
                tell(name, change, changed)
        return [(name, change) for name, change, _ in changes]

    def acknowledge(self, name: str, *, by: str, note: str = "") -> Held:
        """Say that somebody has seen an alarm that stands.

        Raises:
            NotFoundError: no such alarm stands.
        """
        held = self._one(name, standing=True)
        return self._change(
            name, replace(held, acknowledged=_short(by) or "somebody", note=_short(note)), "acknowledge"
        )

    def mute(self, name: str, *, hours: float) -> Held:
        """Deliver nothing of a rule for so many hours; 0 takes that back.

        Raises:
            NotFoundError: nothing is known of that rule. RequestError: hours below 0 or above a year.
        """
        if not 0 <= hours <= 8784:
            raise RequestError(f"hours is {hours}", cure="give 0 to 8784")
        held = self._one(name)
        return self._change(
            name, replace(held, muted_until=self._now() + int(hours * 3_600_000) if hours else 0), "mute"
        )

    def _one(self, name: str, *, standing: bool = False) -> Held:
        known = self.standing() if standing else self.all()
        if name not in known:
            which = "stands" if standing else "is known"
            raise NotFoundError(f"no alarm {name[:80]!r} {which}", cure=f"{which}: {', '.join(known) or 'none'}")
        return known[name]

    def _change(self, name: str, held: Held, act: str) -> Held:
        with self.shop.lock("alarms"):
            self._write({**self.all(), name: held})
        about = {"alarm": name, "by": held.acknowledged, "muted_until": held.muted_until}
        self.shop.audit.append(f"{act} alarm", about)
        return held

    def _write(self, held: Mapping[str, Held]) -> None:
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.path, {name: _row(one) for name, one in held.items()})

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _row(held: Held) -> dict[str, Any]:
    row = asdict(held)
    row["alarm"]["evidence"] = dict(held.alarm.evidence)
    return row


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST]
