"""A file of bytes in; the name of its encoding, with the evidence, and line-aligned blocks of UTF-8 out."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mercer.errors import EncodingError, FormatError, NotFoundError

__all__ = ["MARK", "Text", "blocks", "chunks", "detect", "head", "shown"]

CHUNK = 8 << 20
"""Bytes read at once; a guess that balances memory and calls."""
LONGEST_LINE = 256 << 20
"""Bytes; a longer line means that the file is no table of lines."""
SAMPLE = 20_000
"""Lines with bytes above 127 that are looked at to tell encodings apart."""

MARK = "\ufdd0"
"""Stands before the two hex digits of a byte that is no text; U+FDD0 is never a character (Unicode 23.7)."""

MAGIC = {
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "save the sheet as CSV UTF-8, or unpack it"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV UTF-8"),
    b"\x89PNG": ("a PNG image", "give a CSV, JSONL or Parquet file"),
    b"\xff\xd8\xff": ("a JPEG image", "give a CSV, JSONL or Parquet file"),
    b"%PDF": ("a PDF document", "export the table as CSV"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV"),
    b"BZh": ("a bzip2 archive", "unpack it, or compress it with gzip or zstd"),
    b"\xfd7zXZ": ("an xz archive", "unpack it, or compress it with gzip or zstd"),
    b"Rar!": ("a RAR archive", "unpack it"),
    b"7z\xbc\xaf": ("a 7z archive", "unpack it"),
}

BOMS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with BOM"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)

HIGH_LINE = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")
HIGH_RUN = re.compile(rb"[\x80-\xff]+")
COMMON_HAN = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]|[\xa1-\xa9][\xa1-\xfe]")
"""GB 2312 level 1 (the 3,755 commonest characters) and its punctuation rows."""
CONTROL = bytes([*range(9), *range(14, 32)])


@dataclass(frozen=True, slots=True)
class Text:
    """How the bytes of one file become text."""

    codec: str
    """Python's name."""
    name: str
    """As said to people."""
    skip: int = 0
    """Bytes of a byte order mark."""
    marked: bool = False
    """Some bytes are no text in this encoding; they come out as `MARK` and two hex digits."""


def chunks(path: Path) -> Iterator[bytes]:
    """Decompressed bytes of a plain, gzip or zstd file, `CHUNK` at a time.

    Raises:
        NotFoundError: no such file.
        FormatError: a folder, an empty file, or an archive that ends too early.
    """
    if path.is_dir():
        raise FormatError(f"{path} is a folder", cure="give one file")
    if not path.exists():
        raise NotFoundError(f"{path} is not there", cure="check the path in [data] of mercer.toml")
    if path.stat().st_size == 0:
        raise FormatError(f"{path} is empty (0 bytes)", cure="export it again")
    some = False
    try:
        with _opened(path) as handle:
            while chunk := handle.read(CHUNK):
                some = True
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{path} is a damaged gzip file: {error}", cure="copy or export it again") from error
    except PermissionError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror}", cure="check its permissions") from error
    if not some:
        raise FormatError(f"{path} is empty (0 bytes once unpacked)", cure="export it again")


def _opened(path: Path) -> IO[bytes]:
    with open(path, "rb") as handle:
        start = handle.read(4)
    if start[:2] == b"\x1f\x8b":
        return gzip.open(path, "rb")  # type: ignore[return-value]  # GzipFile reads as any binary file does
    if start == b"\x28\xb5\x2f\xfd":
        import pyarrow as pa

        return pa.input_stream(str(path), compression="zstd")  # type: ignore[no-any-return]  # NativeFile likewise
    return open(path, "rb")


def head(path: Path) -> bytes:
    """The first decompressed bytes, at most `CHUNK`."""
    return next(chunks(path))


def detect(path: Path) -> Text:
    """Tell how the whole file is encoded: a byte order mark, then strict UTF-8, then evidence line by line.

    Raises:
        EncodingError: bytes that are no text (an image, an archive, a workbook).
    """
    start = head(path)
    _refuse_binary(path, start)
    for mark, codec, name in BOMS:
        if start.startswith(mark):
            return Text(codec, name, len(mark), not _strict(path, codec, len(mark)))
    if _strict(path, "utf-8", 0):
        return Text("utf-8", "UTF-8")
    return _by_evidence(path)


def _refuse_binary(path: Path, start: bytes) -> None:
    for magic, (what, cure) in MAGIC.items():
        if start.startswith(magic):
            raise EncodingError(f"{path} is {what}, not text", cure=cure)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    piece = start[: 1 << 16]
    nulls, controls = piece.count(b"\0"), len(piece) - len(piece.translate(None, CONTROL))
    if nulls > len(piece) * 0.2:
        raise EncodingError(
            f"{path} has {nulls} NUL bytes in its first {len(piece)}: UTF-16 without its mark, or no text",
            cure="save it as UTF-8",
        )
    if controls > len(piece) * 0.02:
        raise EncodingError(
            f"{path} has {controls} control bytes in its first {len(piece)}, so it is no text",
            cure="give a CSV, JSONL or Parquet file",
        )


def _strict(path: Path, codec: str, skip: int) -> bool:
    """Whether every byte is text in `codec`."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:
        for chunk in chunks(path):
            decoder.decode(chunk[skip:])
            skip = max(0, skip - len(chunk))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _by_evidence(path: Path) -> Text:
    """UTF-8 with some bad rows, GB18030 or Latin-1, by the lines that have bytes above 127."""
    lines: list[bytes] = []
    late_control = False
    for block in _line_blocks(path, chunks(path)):
        if len(lines) < SAMPLE:
            lines += HIGH_LINE.findall(block)[: SAMPLE - len(lines)]
        late_control = late_control or any(0x80 <= byte < 0xA0 for byte in set(block))
    utf8 = sum(_decodes(line, "utf-8") for line in lines)
    if utf8 * 2 >= len(lines):  # text in another encoding is hardly ever valid UTF-8, so half is plenty
        return Text("utf-8", "UTF-8", marked=True)
    if sum(_decodes(line, "gb18030") for line in lines) >= len(lines) * 0.8 and _han_share(lines) >= 0.5:
        return Text("gb18030", "GB18030", marked=True)
    return Text("cp1252", "CP1252", marked=True) if late_control else Text("latin-1", "Latin-1")


def _decodes(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _han_share(lines: list[bytes]) -> float:
    """Share of the high bytes that pair up to common Chinese characters (in Latin-1 they mostly stand alone)."""
    runs = [run for line in lines for run in HIGH_RUN.findall(line)]
    total = sum(map(len, runs))
    return sum(2 * len(COMMON_HAN.findall(run)) for run in runs) / max(total, 1)


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(f"{MARK}{byte:02x}" for byte in bad), error.end


codecs.register_error("mercer.mark", _mark)


def shown(text: str) -> str:
    r"""Marked bytes as people write them.

    >>> shown("caf" + MARK + "e9")
    'caf\\xe9'
    """
    return text.replace(MARK, "\\x")


def blocks(path: Path, text: Text) -> Iterator[bytes]:
    """Line-aligned UTF-8 blocks of a text file, each ending with a line feed, without the byte order mark."""
    yield from _line_blocks(path, _utf8(path, text))


def _utf8(path: Path, text: Text) -> Iterator[bytes]:
    skip, plain = text.skip, text.codec == "utf-8" and not text.marked
    decoder = codecs.getincrementaldecoder(text.codec)("mercer.mark")
    for chunk in chunks(path):
        yield chunk[skip:] if plain else decoder.decode(chunk[skip:]).encode()
        skip = max(0, skip - len(chunk))
    if not plain and (rest := decoder.decode(b"", final=True)):
        yield rest.encode()


def _line_blocks(path: Path, pieces: Iterator[bytes]) -> Iterator[bytes]:
    carry: list[bytes] = []
    size, old_mac = 0, None
    for piece in pieces:
        if old_mac is None:
            old_mac = b"\n" not in piece and b"\r" in piece
        block = piece.replace(b"\r", b"\n") if old_mac else piece
        cut = block.rfind(b"\n") + 1
        if cut:
            yield b"".join([*carry, block[:cut]])
            carry, size = [], 0
        carry.append(block[cut:])
        size += len(block) - cut
        if size > LONGEST_LINE:
            raise FormatError(f"{path} has a line of more than {LONGEST_LINE >> 20} MiB", cure="write one row a line")
    rest = b"".join(carry)
    if rest:
        yield rest + b"\n"
