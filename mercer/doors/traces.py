"""A file and a shopper's id in; whether the file speaks of the shopper, and the file without that, out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.shop import disk_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Traces"]

TEXTS = (".json", ".jsonl", ".html", ".tsv", ".csv", ".txt", ".md", ".qrels")
SAID = ("session", "raw", "reasons", "evidence", "suggestion")
"""Columns of checked data that may speak of a shopper beside `shopper`; the others name products, queries, times."""
VOCABULARY = "shoppers.parquet"
"""Of an index version: the names of those whose pasts it keeps."""
BLANK = "[erased]"
SHORTEST = 6
"""Bytes of an id below which a binary file may hold the same bytes by chance."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What in a shop's files is about one shopper.

    A text speaks of the shopper where their id stands in it as a whole word; an id of digits alone must stand in
    quotation marks, since a number may count something.

    >>> Traces("12347").within('{"shopper": "12347"}'), Traces("12347").within('{"rows": 12347}')
    (True, False)
    """

    shopper: str

    def within(self, text: str) -> bool:
        """Whether a text speaks of the shopper."""
        return self.shopper in text and self._word().search(text) is not None

    def blank(self, text: str) -> str:
        """The same text with a blank in place of the id."""
        return self._word().sub(BLANK, text)

    def there(self, path: Path) -> bool:
        """Whether a file speaks of the shopper: Parquet by its cells, text by its words, other files by their bytes."""
        if path.suffix == ".parquet":
            if path.name == VOCABULARY:
                return any(self.shopper in batch.column("name").to_pylist() for batch in _batches(path))
            return any(self._rows(batch).any() or self._cells(batch) for batch in _batches(path))
        if path.suffix in TEXTS:
            return self.within(path.read_text("utf-8", "replace"))
        return len(self.shopper.encode()) >= SHORTEST and _holds(path, self.shopper.encode())

    def clean(self, path: Path) -> int | None:
        """Write a file anew without what speaks of the shopper; how many rows or words went, None if it cannot be done.

        Rows of the shopper go whole; of a row about something else, the id alone.
        """
        if path.suffix == ".parquet":
            return self._parquet(path)
        if path.suffix not in TEXTS:
            return None
        text = path.read_text("utf-8", "surrogateescape")
        with disk_errors(path):
            _replace(path, lambda temporary: temporary.write_text(self.blank(text), "utf-8", "surrogateescape"))
        return len(self._word().findall(text))

    def _word(self) -> re.Pattern[str]:
        id = re.escape(self.shopper)
        if self.shopper.isdigit():
            return re.compile(rf"(?<=[\"'>]){id}(?=[\"'<])|(?<=&quot;){id}(?=&quot;)|(?<=&#34;){id}(?=&#34;)")
        return re.compile(rf"(?<!\w){id}(?!\w)")

    def _rows(self, batch: Any) -> NDArray[np.bool_]:
        """Which rows are the shopper's: theirs by `shopper`, or a line that could not be parsed and names them."""
        import numpy as np
        import pyarrow.compute as pc

        mine = np.zeros(batch.num_rows, dtype=bool)
        for name in ("shopper", "raw"):
            if name in batch.schema.names:
                column = batch.column(name)
                same = pc.equal(column, self.shopper) if name == "shopper" else pc.match_substring(column, self.shopper)
                for row in np.flatnonzero(same.fill_null(False).to_numpy(zero_copy_only=False)).tolist():
                    mine[row] |= name == "shopper" or self.within(column[row].as_py())
        return mine

    def _cells(self, batch: Any) -> bool:
        """Whether a row about something else speaks of the shopper."""
        import pyarrow.compute as pc

        for name in (name for name in SAID if name in batch.schema.names):
            column = batch.column(name)
            said = column.filter(pc.match_substring(column, self.shopper).fill_null(False))
            if any(map(self.within, said.to_pylist())):
                return True
        return False

    def _parquet(self, path: Path) -> int:
        import pyarrow as pa
        import pyarrow.parquet as pq

        gone = 0

        def write(temporary: Path) -> None:
            nonlocal gone
            with pq.ParquetWriter(temporary, pq.read_schema(path), compression="zstd") as file:
                for batch in _batches(path):
                    mine = self._rows(batch)
                    gone += int(mine.sum())
                    kept = pa.Table.from_batches([batch]).filter(pa.array(~mine))
                    for name in (name for name in SAID if self._cells(kept) and name in kept.column_names):
                        before = kept[name].to_pylist()
                        after = [value and self.blank(value) for value in before]
                        gone += sum(one != other for one, other in zip(before, after, strict=True))
                        place = kept.schema.get_field_index(name)
                        kept = kept.set_column(place, kept.schema.field(name), pa.array(after, pa.string()))
                    file.write_table(kept)

        with disk_errors(path):
            _replace(path, write)
        return gone


def _batches(path: Path) -> Any:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(65_536)


def _holds(path: Path, wanted: bytes) -> bool:
    """Whether some bytes stand anywhere in a file."""
    tail = b""
    with open(path, "rb") as handle:
        while block := handle.read(1 << 22):
            if wanted in tail + block:
                return True
            tail = block[-len(wanted) :]
    return False


def _replace(path: Path, write: Any) -> None:
    """Write under another name, then take the old one's place; the mode stays as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        temporary.chmod(path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
