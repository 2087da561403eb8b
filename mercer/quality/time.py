"""Times as files have them (text, epochs, timestamps) in; UTC milliseconds since 1970 out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from mercer.errors import SettingsError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Clock"]

NUMBER = r"^\s*[-+]?\d+(\.\d*)?([eE][-+]?\d+)?\s*$"
OFFSET = r"\d(Z|z|\s*[-+]\d{2}:?\d{2}|\s?UTC)$"
COMPACT = r"^(19|20)\d{2}[01]\d[0-3]\d$"
SLASHED = r"^\s*(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}"
FORMATS = tuple(
    f"{day}{clock}"
    for day in ("%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d %b %Y", "%b %d, %Y", "%B %d, %Y")
    for clock in ("", " %H:%M", " %H:%M:%S", " %H时%M分", " %H时%M分%S秒")
)
UNITS = ((1e11, 1_000.0), (1e14, 1.0), (1e17, 1e-3), (float("inf"), 1e-6))
"""Below this size (a time between 1973 and 5138) one unit of an epoch is so many milliseconds: s, ms, µs, ns."""


@dataclass(slots=True)
class Clock:
    """Reads one column of times; what it settles on in the first rows (unit, day first) holds for the whole file.

    The unit is the column's, not the row's, so that a row in another unit comes out far from the others, where
    check E03 finds it.
    """

    timezone: str = "UTC"
    unit: float | None = None
    """Milliseconds in one unit of an epoch."""
    day_first: bool | None = None
    """Whether 3/4/2020 is in April."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError on its own
            raise self._unknown() from error
        except KeyError as error:
            raise self._unknown() from error

    def _unknown(self) -> SettingsError:
        return SettingsError(f"timezone {self.timezone!r} is unknown", cure='give an IANA name such as "Asia/Shanghai"')

    def __call__(self, column: pa.Array) -> pa.Array:
        """Int64 milliseconds, null where a value is missing or is no time."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_date(column.type):
            column = column.cast(pa.timestamp("ms"))
        if pa.types.is_timestamp(column.type):
            naive = column.type.tz is None
            instants = column.cast(pa.timestamp("ms", column.type.tz), safe=False)
            return (self._local(instants) if naive else instants).cast(pa.int64())
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return self._epoch(column.cast(pa.float64(), safe=False))
        text = pc.utf8_trim_whitespace(column.cast(pa.string()))
        digits = pc.match_substring_regex(text, NUMBER)
        compact = pc.match_substring_regex(text, COMPACT)
        number = pc.fill_null(pc.and_(digits, pc.invert(compact)), False)
        if pc.all(number).as_py():
            return self._epoch(text.cast(pa.float64()))
        none = pa.scalar(None, pa.string())
        written = self._written(pc.if_else(number, none, text))
        if not pc.any(number).as_py():
            return written
        return pc.coalesce(self._epoch(pc.if_else(number, text, none).cast(pa.float64())), written)

    def _epoch(self, values: pa.Array) -> pa.Array:
        import pyarrow as pa

        numbers: Any = values.to_numpy(zero_copy_only=False)
        finite = np.isfinite(numbers)
        if self.unit is None and (finite & (numbers != 0)).any():
            typical = float(np.median(np.abs(numbers[finite & (numbers != 0)])))
            self.unit = next(scale for limit, scale in UNITS if typical < limit)
        scaled = np.where(finite, numbers, 0.0) * (self.unit or 1.0)
        fits = finite & (np.abs(scaled) < 2.0**62)
        return pa.array(np.where(fits, np.round(scaled), 0).astype(np.int64), mask=~fits)

    def _written(self, text: pa.Array) -> pa.Array:
        import duckdb
        import pyarrow as pa
        import pyarrow.compute as pc

        zoned = pc.fill_null(pc.match_substring_regex(text, OFFSET), False)
        formats = ", ".join(f"'{form}'" for form in (*self._slashed(text), *FORMATS))
        with duckdb.connect() as connection:
            connection.register("times", pa.table({"t": text, "z": zoned}))
            answer = connection.sql(
                "select epoch_ms(case when z then try_cast(t as timestamptz) end) as utc, "  # noqa: S608  # our formats
                f"epoch_ms(case when not z then coalesce(try_cast(t as timestamp), try_strptime(t, [{formats}])) end)"
                " as wall from times"
            ).to_arrow_table()
        utc, wall = (answer[name].combine_chunks() for name in ("utc", "wall"))
        local = self._local(wall.cast(pa.timestamp("ms"))).cast(pa.int64()) if wall.null_count < len(wall) else wall
        return pc.coalesce(utc, local)

    def _slashed(self, text: pa.Array) -> tuple[str, ...]:
        """Formats for 3/4/2020, by the numbers above 12 in this column; month first where nothing tells."""
        import pyarrow.compute as pc

        if not pc.any(pc.match_substring_regex(text, SLASHED)).as_py():
            return ()
        if self.day_first is None:
            parts = pc.extract_regex(text, SLASHED.replace(r"(\d", r"(?P<a>\d", 1).replace(r"](\d", r"](?P<b>\d", 1))
            first, second = (pc.max(pc.struct_field(parts, [name]).cast("int32")).as_py() or 0 for name in "ab")
            if first > 12 or second > 12:
                self.day_first = first > 12
        order = ("d", "m") if self.day_first else ("m", "d")
        return tuple(
            f"%{order[0]}{sign}%{order[1]}{sign}%Y{clock}"
            for sign in "/.-"
            for clock in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
        )

    def _local(self, wall: pa.Array) -> pa.Array:
        import pyarrow.compute as pc

        return pc.assume_timezone(wall, self.timezone, ambiguous="earliest", nonexistent="earliest")
