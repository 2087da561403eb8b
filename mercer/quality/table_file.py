"""A path in; what kind of table file it is, its columns, and its rows batch by batch out."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from mercer.errors import FormatError
from mercer.quality import format_csv, format_jsonl, format_parquet
from mercer.quality.dialect import Dialect, sniff
from mercer.quality.encoding import CHUNK, Text, blocks, detect, head
from mercer.quality.rows import Bad, Batch

__all__ = ["TableFile"]

HEAD_LINES = 10_000
"""JSON lines that are looked at for names of columns."""


@lru_cache(maxsize=32)
def _detect(path: Path, size: int, changed: int) -> Text:  # noqa: ARG001  # size and changed make the key honest
    return detect(path)


class TableFile:
    """One file, opened far enough to know its format, encoding and columns."""

    def __init__(self, path: Path, family: str) -> None:
        """Look at the file.

        Raises:
            NotFoundError, FormatError, EncodingError: see `mercer.quality.encoding`.
        """
        self.path = path
        self.encoding = ""
        self.seen: dict[str, None] = {}
        """Top-level keys met so far in JSON lines, which may appear late."""
        self._dialect: Dialect | None = None
        start = head(path)
        if start.startswith(format_parquet.MAGIC):
            self.format = "parquet"
            self.columns = format_parquet.columns(format_parquet.opened(path))
            return
        stat = path.stat()
        self._text = _detect(path, stat.st_size, stat.st_mtime_ns)
        self.encoding = self._text.name
        sample = start[self._text.skip :].decode(self._text.codec, "mercer.mark").lstrip("\ufeff")
        if not sample.strip():
            raise FormatError(f"{path} has only blank lines", cure="export it again")
        if sample.lstrip().startswith("["):
            raise FormatError(
                f"{path} begins with '[': one JSON array", cure="write one object a line: jq -c '.[]' FILE"
            )
        if sample.lstrip().startswith("{"):
            self.format = "jsonl"
            self.columns = format_jsonl.keys(line for line, _ in zip(io.StringIO(sample), range(HEAD_LINES)))  # noqa: B905
            return
        self._dialect = sniff(sample, family, whole=len(start) < CHUNK)
        self.format = "trec" if self._dialect.trec else "csv"
        self.columns = self._dialect.columns

    @property
    def delimiter(self) -> str:
        """Between columns; "" where the format has none."""
        return self._dialect.delimiter if self._dialect else ""

    @property
    def closed(self) -> bool:
        """Whether `columns` is all there can be."""
        return self.format != "jsonl"

    def batches(self, wanted: Sequence[str], bad: Bad) -> Iterator[Batch]:
        """Rows of the `wanted` raw columns; rows that do not parse go to `bad`."""
        if self.format == "parquet":
            yield from format_parquet.batches(format_parquet.opened(self.path), wanted)
            return
        pieces = blocks(self.path, self._text)
        if self._dialect:
            yield from format_csv.batches(pieces, self._dialect, bad, marked=self._text.marked)
        else:
            yield from format_jsonl.batches(pieces, wanted, bad, self.seen, marked=self._text.marked)
