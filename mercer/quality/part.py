"""The files of one family in; each as a part that is read once, and whatever was worked out from it, out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.quality import schema
from mercer.quality.mapping import guess
from mercer.quality.profile import name_of, table_hash
from mercer.quality.read import Raw, read
from mercer.quality.stored import Stored
from mercer.shop import content_hash, write_json

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.erased import Erased

__all__ = ["Part", "PartFile", "read_parts", "sweep"]

LAYOUT = 1
"""Of a part's folder; another layout is another name."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """One file to read."""

    path: Path
    mapping: Mapping[str, str] | None = None
    """None where it is guessed, from the first file for all."""
    live: bool = False
    """Whether it comes from the shop's own event log."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a family, in canonical columns, in a folder named for its content and its place."""

    name: str
    """Of the raw file."""
    source: Path
    folder: Path
    first: int
    """row_id of its first row."""
    rows: int
    """Data rows of the file, malformed ones included."""
    hash: str
    """Of its table as read."""
    latest: int
    """Its latest time, UTC milliseconds; 0 where it has none."""
    live: bool = False
    used: set[str] = field(default_factory=set, compare=False, repr=False)
    """Files of the folder that this run needs."""

    def file(self, name: str) -> Path:
        """A file of the folder, which `sweep` will keep."""
        self.used.add(name)
        return self.folder / name

    def ids(self, row_ids: Iterable[int]) -> set[int]:
        """Those that are rows of this part."""
        return {row_id for row_id in row_ids if self.first <= row_id < self.first + self.rows}

    def mine(self, table: pa.Table) -> pa.Table:
        """The lines of `table` about rows of this part."""
        import pyarrow.compute as pc

        ids = table["row_id"]
        return table.filter(pc.and_(pc.greater_equal(ids, self.first), pc.less(ids, self.first + self.rows)))


def read_parts(
    family: str,
    files: Sequence[PartFile],
    folder: Path,
    *,
    timezone: str = "UTC",
    erased: Erased | None = None,
    tick: Callable[[int], None],
) -> Raw:
    """Read every file that has not been read before, and give all of them as one `Raw`.

    Args:
        family: such as events.
        files: in the order of their rows.
        folder: where parts are kept from one run to the next.
        timezone: as for `read`.
        erased: as for `read`.
        tick: called with rows as they are there.

    Raises:
        NotFoundError, FormatError, EncodingError, SettingsError: as `read`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    memory = _Memory(folder / "seen.json")
    raws: list[tuple[Part, Raw]] = []
    guessed: Mapping[str, str] | None = None
    first = 0
    for file in files:
        mapping = file.mapping
        if mapping is None:
            mapping = guessed = guessed or guess(family, file.path).mapping
        told = json.dumps(
            [LAYOUT, family, sorted(mapping.items()), timezone, first, *([erased.name] if erased else [])]
        )
        home = folder / name_of(memory.hash(file.path), told)
        if not (home / "about.json").exists():
            options = {"mapping": mapping, "timezone": timezone, "first": first, "erased": erased, "tick": tick}
            _make(family, file, home, **options)
        about = json.loads((home / "about.json").read_text("utf-8"))
        part = Part(file.path.name, file.path, home, first, about["rows"], about["hash"], about["latest"], file.live)
        raws.append((part, _kept(family, part, about, mapping)))
        if file.path.name in memory.read:
            tick(about["rows"])
        first += about["rows"]
    memory.save()
    return _joined(family, raws)


def _make(family: str, file: PartFile, home: Path, **options: Any) -> None:
    """Read one file, as `read` does with these options, into a folder of its own."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    kept = home / "raw.parquet"
    raw = read(family, file.path, kept=kept, **options)
    for name in ("malformed", "uncast"):
        pq.write_table(getattr(raw, name), home / f"{name}.parquet")
    latest = pc.max(raw.table["time"]).as_py() if "time" in raw.table.column_names else None
    about = {
        "rows": raw.rows,
        "hash": table_hash(raw.table),
        "latest": latest or 0,
        "encoding": raw.encoding,
        "format": raw.format,
        "unmapped": list(raw.unmapped),
    }
    write_json(home / "about.json", about)


def _kept(family: str, part: Part, about: Mapping[str, Any], mapping: Mapping[str, str]) -> Raw:
    import pyarrow.parquet as pq

    part.used.update(("about.json", "raw.parquet"))
    return Raw(
        family=family,
        path=part.source,
        encoding=about["encoding"],
        format=about["format"],
        table=Stored((part.file("raw.parquet"),), schema.SCHEMAS[family]),
        malformed=pq.read_table(part.file("malformed.parquet")),
        uncast=pq.read_table(part.file("uncast.parquet")),
        unmapped=tuple(about["unmapped"]),
        mapping=mapping,
        rows=about["rows"],
        parts=(part,),
    )


def _joined(family: str, raws: Sequence[tuple[Part, Raw]]) -> Raw:
    import pyarrow as pa

    if len(raws) == 1:
        return raws[0][1]
    every = [raw for _, raw in raws]
    given = [raw for part, raw in raws if not part.live] or every
    return Raw(
        family=family,
        path=given[0].path if len(given) == 1 else given[0].path.parent,
        encoding=", ".join(dict.fromkeys(raw.encoding for raw in given if raw.encoding)),
        format=", ".join(dict.fromkeys(raw.format for raw in given)),
        table=Stored([path for raw in every for path in raw.table.paths], schema.SCHEMAS[family]),
        malformed=pa.concat_tables(raw.malformed for raw in every),
        uncast=pa.concat_tables(raw.uncast for raw in every),
        unmapped=tuple(dict.fromkeys(name for raw in given for name in raw.unmapped)),
        mapping=given[0].mapping,
        rows=sum(raw.rows for raw in every),
        parts=tuple(part for part, _ in raws),
    )


class _Memory:
    """Hashes of files by path, size and time of writing, so that what has not changed is not read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self.read: set[str] = set()
        self._now: dict[str, Any] = {}

    def hash(self, path: Path) -> str:
        if not path.exists():
            return ""
        state = path.stat()
        stamp = [state.st_size, state.st_mtime_ns]
        known = self.known.get(str(path.absolute()))
        found = known[2] if known and known[:2] == stamp else content_hash(path)
        self._now[str(path.absolute())] = [*stamp, found]
        return str(found)

    def save(self) -> None:
        write_json(self.path, self._now)


def sweep(folder: Path, parts: Iterable[Part]) -> None:
    """Remove what the parts of this run did not need; it can all be made again."""
    used = {part.folder.name: part.used for part in parts}
    for home in folder.iterdir() if folder.exists() else ():
        if home.is_dir() and home.name not in used:
            shutil.rmtree(home, ignore_errors=True)
        elif home.is_dir():
            for file in home.iterdir():
                if file.name not in used[home.name]:
                    file.unlink(missing_ok=True)
