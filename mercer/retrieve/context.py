"""Events with device, place and time in; which products are wanted more than usual in a request's context, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.retrieve.arrays import load_arrays, save_arrays
from mercer.retrieve.history import DAY
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["ACTED", "Context", "ContextSettings", "cells"]

ACTED = ("view", "click", "add_to_cart", "purchase", "like")
HOUR = 3_600_000
"""Milliseconds."""
LEAST = 1.05
"""Times the usual share below which a product is not remembered."""
Lift = tuple[NDArray[np.int32], NDArray[np.float32]]
PARTS = ("night", "morning", "afternoon", "evening")
"""Six hours of UTC each: a shop of one time zone has its own day in them, only named otherwise."""


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """How cautiously a context is believed."""

    shrink: float = 20.0
    """Actions of a product at the usual shares that are added to its own. A guess."""
    values: int = 200
    """Values kept of device and of place each, the most frequent first."""
    least: int = 50
    """Actions that a value needs."""

    def __post_init__(self) -> None:
        for name, low, high in (("shrink", 0.1, 1e6), ("values", 1, 10_000), ("least", 1, 1e9)):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(
                    f"context's {name} is {getattr(self, name)}", cure=f"give a number from {low:g} to {high:g}"
                )


class Context:
    """By device, place, part of the day, kind of day and month: the log of a product's share of actions by the usual.

    A value that was never seen, or too seldom, says nothing, and a request without context has no part of it.
    """

    usual = 0.5
    """A product wanted 1.6 times as often as usual counts as half of the most in a blend."""

    def __init__(
        self, products: Vocabulary, names: tuple[str, ...], lifts: Sequence[Lift], settings: ContextSettings
    ) -> None:
        self.products, self.names, self.settings = products, names, settings
        self.lifts = list(lifts)
        """Of each name: codes of the products that are wanted more there, and how much, both of the same length."""

    @classmethod
    def fit(cls, events: Path | Any | None, products: Vocabulary, settings: ContextSettings | None = None) -> Context:
        """Learn from a Parquet file or Arrow table of checked events; columns missing or empty say nothing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        settings = settings or ContextSettings()
        if events is None or not len(products):
            return cls.none(products)
        table: Any = _read(events) if isinstance(events, Path) else events
        acted = table.filter(pc.is_in(table["type"].cast(pa.string()), value_set=pa.array(ACTED)))
        product = pc.index_in(acted["product"].cast(pa.string()), value_set=products.names).fill_null(-1)
        product = product.to_numpy(zero_copy_only=False)
        time = acted["time"].fill_null(-1).to_numpy().astype(np.int64)
        known = (product >= 0) & (time >= 0)
        names: list[str] = []
        lifts: list[Lift] = []
        for field in ("device", "place", "part", "day", "month"):
            text = _column(acted, field, time)
            if text is None:
                continue
            values, code = Vocabulary.encode(text)
            counts = np.bincount(code[known & (code >= 0)], minlength=len(values))
            told = known & (code >= 0)
            of_field = np.bincount(product[told], minlength=len(products))
            for value in np.argsort(-counts, kind="stable")[: settings.values].tolist():
                share = counts[value] / max(1, int(told.sum()))
                if counts[value] < settings.least or share > 0.98:  # one value for all says nothing of any
                    continue
                here = np.bincount(product[told & (code == value)], minlength=len(products))
                rate = (here + settings.shrink * share) / (of_field + settings.shrink) / share
                more = np.flatnonzero(rate > LEAST).astype(np.int32)
                names.append(f"{field}:{values[value]}")
                lifts.append((more, np.log(rate[more]).astype(np.float32)))
        return cls(products, tuple(names), lifts, settings)

    @classmethod
    def none(cls, products: Vocabulary) -> Context:
        """What knows of no context."""
        return cls(products, (), (), ContextSettings())

    def __call__(self, context: Mapping[str, str]) -> NDArray[np.float64]:
        """How much more than usual each product is wanted here, shape (products,); 0 where nothing is known."""
        place = {name: row for row, name in enumerate(self.names)}
        values = np.zeros(len(self.products))
        for cell in cells(context):
            if cell in place:
                product, lift = self.lifts[place[cell]]
                values[product] += lift
        return values

    def save(self, folder: Path) -> None:
        """Write ``context.npz``."""
        arrays: dict[str, NDArray[Any]] = {
            "start": np.append(0, np.cumsum([len(product) for product, _ in self.lifts])).astype(np.int64),
            "product": np.concatenate([*(product for product, _ in self.lifts), np.empty(0, np.int32)]),
            "lift": np.concatenate([*(lift for _, lift in self.lifts), np.empty(0, np.float32)]),
        }
        save_arrays(folder / "context.npz", arrays, {"settings": asdict(self.settings), "names": list(self.names)})

    @classmethod
    def load(cls, folder: Path, products: Vocabulary) -> Context:
        """Read what `save` wrote; an index of before there was context knows none."""
        if not (folder / "context.npz").exists():
            return cls.none(products)
        arrays, facts = load_arrays(folder / "context.npz")
        cuts = arrays["start"][1:-1]
        lifts = list(zip(np.split(arrays["product"], cuts), np.split(arrays["lift"], cuts), strict=True))
        names = tuple(facts["names"])
        return cls(products, names, lifts if names else (), ContextSettings(**facts["settings"]))


def cells(context: Mapping[str, str]) -> list[str]:
    """What of a request's context can have been learnt from.

    >>> cells({"device": "phone", "time": "1760000000000", "language": "en"})
    ['device:phone', 'part:morning', 'day:weekday', 'month:10']
    """
    found = [f"{field}:{context[field]}" for field in ("device", "place") if context.get(field)]
    text = str(context.get("time", ""))
    if text.isascii() and text.isdigit() and len(text) <= 14:
        moment = np.array([int(text)], dtype=np.int64)
        found += [f"{field}:{_timed(field, moment)[0]}" for field in ("part", "day", "month")]
    return found


def _read(path: Path) -> Any:
    """Only the columns that count, texts as dictionaries."""
    from pyarrow import parquet

    have = [name for name in ("type", "product", "time", "device", "place") if name in parquet.read_schema(path).names]
    return parquet.read_table(path, columns=have, read_dictionary=[name for name in have if name != "time"])


def _timed(field: str, time: NDArray[np.int64]) -> list[str]:
    if field == "part":
        return [PARTS[at] for at in (time % DAY // (6 * HOUR)).tolist()]
    if field == "day":  # 1970-01-01 was a Thursday
        return ["weekend" if at >= 5 else "weekday" for at in ((time // DAY + 3) % 7).tolist()]
    days, back = np.unique(time // DAY, return_inverse=True)
    months = [str(datetime.fromtimestamp(max(0, day) * DAY / 1000, UTC).month) for day in days.tolist()]
    return [months[at] for at in back.tolist()]


def _column(events: Any, field: str, time: NDArray[np.int64]) -> Any:
    """A column of texts, or None where the events have nothing of the kind."""
    import pyarrow as pa

    if field in ("device", "place"):
        if field not in events.column_names or events[field].null_count == len(events):
            return None
        return events[field]
    return pa.array(_timed(field, np.maximum(time, 0)), pa.string()) if len(time) else None
