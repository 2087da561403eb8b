"""A file of reviews, tickets or posts, a feed, or a shop's checked reviews in; documents, and what was refused, out."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from mercer.errors import DataError, FormatError, NotFoundError, RequestError
from mercer.opinion.columns import NAMES
from mercer.opinion.document import Document, document
from mercer.opinion.labelled import read_rows
from mercer.quality.encoding import chunks, detect
from mercer.shop import Shop

__all__ = ["feed", "from_checked", "from_file", "from_rows"]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "text": tuple(NAMES["text"]),
    "id": ("id", "doc_id", "review_id", "ticket_id", "post_id", "编号"),
    "time": ("time", "date", "created_at", "timestamp", "published", "pubdate", "datetime", "时间", "日期", "发布时间"),
    "product": ("product", "product_id", "asin", "item", "sku", "商品", "商品编号"),
    "author": ("author", "shopper", "user", "user_id", "reviewer", "用户", "作者"),
    "rating": ("rating", "score", "stars", "star", "评分", "星级"),
    "url": ("url", "link", "链接"),
    "source": ("source", "channel", "来源"),
}
"""Names of columns of each field, the surest first."""
LARGEST = 64 << 20
"""Bytes of a feed."""


def from_rows(
    rows: Iterable[Mapping[str, Any]], *, source: str, now: int | None = None
) -> tuple[list[Document], Counter[str]]:
    """Documents of rows with any of the usual column names; refused ones are counted by why."""
    at = int(time.time() * 1000) if now is None else now
    kept: list[Document] = []
    refused: Counter[str] = Counter()
    for row in rows:
        plain = {str(name).casefold().strip(): value for name, value in row.items()}
        given = {
            field: next((plain[name] for name in names if plain.get(name) not in (None, "")), None)
            for field, names in FIELDS.items()
        }
        if len(plain) == 1:
            given["text"] = next(iter(plain.values()))
        try:
            kept.append(document(given, source=source, now=at))
        except RequestError as error:
            refused[error.problem.split(" is ")[0] + ": " + error.cure] += 1
    return kept, refused


def from_file(path: Path, *, source: str, now: int | None = None) -> tuple[list[Document], Counter[str]]:
    """A table of any kind that the shop's reader knows, or an RSS or Atom feed.

    Raises:
        DataError: not one document; it says why the rows were refused.
    """
    if not path.exists():
        raise NotFoundError(f"{path} is not there", cure="check the path")
    start = next(chunks(path))[:2000].lstrip()
    rows: Iterable[Mapping[str, Any]]
    rows = feed(path) if start.lstrip(b"\xef\xbb\xbf").startswith(b"<") else read_rows(path)[0]
    kept, refused = from_rows(rows, source=source, now=now)
    if not kept:
        why, number = refused.most_common(1)[0] if refused else ("it has no entries", 0)
        raise DataError(f"{path}: none of {number} rows is a document ({why})", cure="name the column of texts text")
    return kept, refused


def from_checked(shop: Shop, family: str = "reviews") -> list[Document]:
    """The trusted reviews (or questions) of the shop's live data; none where it has none."""
    import pyarrow.parquet as pq

    live = shop.live("checked")
    path = shop.path("checked", live.version) / f"{family}.parquet" if live else None
    if path is None or not path.exists():
        return []
    return from_rows(pq.read_table(path).to_pylist(), source=family, now=0)[0]


def feed(path: Path) -> Iterator[dict[str, str]]:
    """Entries of RSS 2.0, RSS 1.0 or Atom: title and text, link, id, author and date.

    Raises:
        FormatError: no feed, too large, or with declarations of its own, which feeds have no need of.
    """
    data = b"".join(chunks(path))
    if len(data) > LARGEST or b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data:
        raise FormatError(
            f"{path}: a feed of {len(data)} bytes, or one with declarations", cure="give a plain RSS file"
        )
    try:
        root = ET.fromstring(data if data.lstrip().startswith(b"<?xml") else data.decode(detect(path).codec))  # noqa: S314  # declarations are refused above
    except (ET.ParseError, ValueError) as error:
        raise FormatError(f"{path} is no well-formed XML: {error}", cure="give an RSS or Atom file") from error
    entries = [node for node in root.iter() if _tag(node) in ("item", "entry")]
    if not entries:
        raise FormatError(f"{path} has no item or entry, its root is <{_tag(root)}>", cure="give an RSS or Atom file")
    for entry in entries:
        found: dict[str, str] = {}
        for node in entry:
            value = node.get("href", "") if _tag(node) == "link" and not node.text else "".join(node.itertext())
            found.setdefault(_tag(node), value.strip())
        body = next((found[name] for name in ("encoded", "content", "description", "summary") if found.get(name)), "")
        text = "\n".join(part for part in (found.get("title", ""), _words(body)) if part)
        yield {
            "text": text, "url": found.get("link", ""), "author": found.get("author") or found.get("creator", ""),
            "id": found.get("guid") or found.get("id") or found.get("link", ""),
            "time": next((found[n] for n in ("pubDate", "published", "updated", "date") if found.get(n)), ""),
        }  # fmt: skip


def _tag(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _words(html: str) -> str:
    """What a browser would show of a piece of HTML."""
    if "<" not in html:
        return html
    parser = _Text()
    parser.feed(html)
    parser.close()
    return " ".join(" ".join(parser.parts).split())
