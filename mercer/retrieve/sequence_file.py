"""Files of "user item item …" lines in time order, and of items, in; a History of purchases, and what they are, out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mercer.errors import EncodingError, FormatError, NotFoundError
from mercer.retrieve.history import History
from mercer.retrieve.linear_features import Description
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["read_items", "read_sequences"]


def read_sequences(path: Path, *, items: Path | Iterable[str] = ()) -> History:
    """Read the format of S3-Rec (Zhou et al., CIKM 2020), plain or gz; the place in a line serves as its time.

    Args:
        path: one shopper a line, products oldest first, separated by spaces.
        items: their ids, or JSON lines with a key ``item`` (or ``id``); what nobody bought is in the catalogue too.

    Raises:
        NotFoundError: a file is not there.
        FormatError: no line, a shopper without products or named twice, or a line of `items` that is no JSON object.
        EncodingError: a file is no UTF-8.
    """
    shoppers: dict[str, int] = {}
    counts, products = [], []
    for number, line in enumerate(_lines(path), start=1):
        name, *bought = line.split()
        if not bought:
            raise FormatError(f"line {number} of {path.name} has no product", cure='write "user item item …"')
        if name in shoppers:
            raise FormatError(f"line {number} of {path.name} names {name!r} again", cure="give one line a shopper")
        shoppers[name] = len(shoppers)
        counts.append(len(bought))
        products.extend(bought)
    if not shoppers:
        raise FormatError(f"{path.name} is empty", cure='write "user item item …", one shopper a line')
    length = np.array(counts)
    place = np.arange(len(products)) - np.repeat(np.cumsum(length) - length, length)
    names = Vocabulary.of(shoppers)
    owner = np.repeat(names.codes(list(shoppers)), length).astype(np.int32)
    catalogue = Vocabulary.of([*products, *(read_items(items) if isinstance(items, Path) else items)])
    order = np.lexsort((place, owner))
    return History(
        shoppers=names,
        products=catalogue,
        shopper=owner[order],
        product=catalogue.codes(products).astype(np.int32)[order],
        time=place[order].astype(np.int64),
        strength=np.ones(len(products), dtype=np.float32),
        bought=np.ones(len(products), dtype=bool),
        basket=np.arange(len(products), dtype=np.int64),
    )


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise NotFoundError(f"{path} is not there", cure="give the path of a file")
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8") as file:
            yield from (line for line in file if line.strip())
    except UnicodeDecodeError as error:
        raise EncodingError(f"{path.name} is no UTF-8: {error.reason}", cure="save it as UTF-8") from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise FormatError(f"{path.name} is no whole gz file: {error}", cure="copy it again") from error


def read_items(path: Path) -> dict[str, Description]:
    """Items by id: lists and mappings of a line are tags, texts are words; the first of two lines of one id counts.

    Raises:
        NotFoundError, FormatError, EncodingError: as `read_sequences`.
    """
    found: dict[str, Description] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
            id = row["item"] if "item" in row else row["id"]
            if not isinstance(id, str | int):
                raise TypeError("an id is a text or a whole number")
            id = str(id)
            found.setdefault(id, Description.of_row(row, but=("item", "id")))
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(
                f"line {number} of {path.name} is no item: {line.strip()[:80]!r}", cure='write {"item": 1} a line'
            ) from error
    return found
