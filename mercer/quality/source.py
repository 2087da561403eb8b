"""The [data] and [map.*] tables of one shop in; where each family is, and every family as read, out.

>>> sources(Path("shop"), {"events": "raw/events.csv"}, {})["products"].derived
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.errors import NotFoundError, SettingsError
from mercer.quality.derive import catalogue
from mercer.quality.erased import Erased
from mercer.quality.part import PartFile, read_parts
from mercer.quality.read import Raw, read
from mercer.quality.schema import FAMILIES

__all__ = ["FROM_EVENTS", "Source", "read_all", "sources"]

FROM_EVENTS = "=events"
"""``[data] products = "=events"``: no product file, the catalogue is derived from the events."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one family of a shop is read from."""

    family: str
    path: Path
    """Absolute, or relative to the working directory; of the events file where `derived`."""
    mapping: Mapping[str, str] | None
    """[map.FAMILY]; None where it is to be guessed."""
    timezone: str = "UTC"
    derived: bool = False

    @property
    def files(self) -> list[Path]:
        """The files to read: the path itself, or those of events that a folder or a pattern such as ``*.parquet``
        names, in order of name."""
        if self.family != "events" and not self.derived:
            return [self.path]
        if self.path.is_dir():
            return sorted(file for file in self.path.iterdir() if file.is_file() and not file.name.startswith("."))
        if any(sign in self.path.name for sign in "*?["):
            return sorted(file for file in self.path.parent.glob(self.path.name) if file.is_file())
        return [self.path]


def sources(folder: Path, data: Mapping[str, Any], maps: Mapping[str, Any]) -> dict[str, Source]:
    """What to read for a shop, in the order of `FAMILIES`.

    Args:
        folder: of the shop; relative paths start there.
        data: [data] of mercer.toml: family → path, and `timezone` of times without an offset.
        maps: [map] of mercer.toml: family → canonical column → expression.

    Raises:
        SettingsError: an unknown key.
        NotFoundError: no file is named at all.
    """
    for name in (*data, *maps):
        if name not in (*FAMILIES, "timezone"):
            raise SettingsError(f"[data] or [map] names {name!r}", cure=f"families are {', '.join(FAMILIES)}")
    timezone = str(data.get("timezone", "UTC"))
    found = {}
    for family in FAMILIES:
        derived = family == "products" and data.get(family, FROM_EVENTS) == FROM_EVENTS and "events" in data
        given = data.get("events") if derived else data.get(family)
        if not given:
            continue
        if given == FROM_EVENTS:
            raise SettingsError(f'[data] {family} = "{FROM_EVENTS}" without events', cure="set events in [data]")
        mapping = maps.get(family) or None
        found[family] = Source(family, Path(folder) / str(given), mapping, timezone, derived)
    if not found:
        raise NotFoundError(
            f"{folder} names no data", cure=f"run: mercer init {folder} --products FILE, or fill [data] of mercer.toml"
        )
    return found


def read_all(
    found: Mapping[str, Source],
    *,
    parts: Path | None = None,
    live: Sequence[PartFile] = (),
    erased: Erased | None = None,
    tick: Callable[[str, int], None] | None = None,
) -> dict[str, Raw]:
    """Read every source, the derived catalogue last.

    Args:
        found: as `sources` gives it.
        parts: folder where files of events are kept in canonical columns from one run to the next, so that they need
            not fit into memory; None reads them into memory.
        live: further files of events, from the shop's own log.
        erased: shoppers whose rows are passed over; None or an empty one for nobody.
        tick: called with a family and the number of its rows just read.

    Raises:
        NotFoundError, FormatError, EncodingError, SettingsError: as `read`.
    """
    if parts is None and (live or any(len(source.files) != 1 for source in found.values())):
        raise SettingsError("events in many files need a folder to be kept in", cure="give read_all its parts=")
    if live and "events" not in found:
        found = {**found, "events": Source("events", live[0].path, None)}
    raws: dict[str, Raw] = {}
    gone = erased or None  # an empty one is as good as none
    for family, source in sorted(found.items(), key=lambda item: item[1].derived):
        ticked = None if tick is None else lambda rows, family=family: tick(family, rows)
        if family == "events" and parts is not None:
            raws[family] = _events(source, parts, live, gone, ticked)
        elif source.derived:
            raws[family] = catalogue(raws["events"], mapping=source.mapping, timezone=source.timezone, tick=ticked)
        else:
            raws[family] = read(
                family, source.path, mapping=source.mapping, timezone=source.timezone, erased=gone, tick=ticked
            )
    return {family: raws[family] for family in FAMILIES if family in raws}


def _events(
    source: Source,
    parts: Path,
    live: Sequence[PartFile],
    erased: Erased | None,
    tick: Callable[[int], None] | None,
) -> Raw:
    given = [] if live and source.path == live[0].path else source.files
    if not given and not live:
        raise NotFoundError(f"{source.path} matches no file of events", cure="mend events in [data] of mercer.toml")
    files = [*(PartFile(path, source.mapping) for path in given), *live]
    return read_parts("events", files, parts, timezone=source.timezone, erased=erased, tick=tick or (lambda _: None))
