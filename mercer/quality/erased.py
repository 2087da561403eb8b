"""A shop's store in; whom it has erased, by keyed hash, and tables without their rows, out."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.errors import ShopError
from mercer.quality.secret import keep_private, shop_salt
from mercer.shop import content_hash, disk_errors, write_json

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Erased", "pseudonym"]

WORDS = re.compile(r"[^\s,;|\"'{}\[\]<>\t]+")
"""What may be an id in a line that could not be parsed."""


class Erased:
    """Shoppers whose data must not come back with the next delivery of the owner's files.

    No id is kept: only its hash under the shop's secret. What a shopper does after the erasure is theirs to give again.
    """

    def __init__(self, store: Path) -> None:
        """Open ``store/quality/erased.json``; a store without one has erased nobody.

        Raises:
            ShopError: the file is damaged.
        """
        self._store, self.path = store, store / "quality" / "erased.json"
        try:
            found = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}
            self._until: dict[str, int] = {str(name): int(moment) for name, moment in found.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise ShopError(
                f"{self.path} is damaged: {error}", cure="restore it from a backup, or erase those shoppers again"
            ) from error
        self._salt = shop_salt(store) if self._until else ""
        self._known: dict[str, int | None] = {}

    def __len__(self) -> int:
        return len(self._until)

    @property
    def name(self) -> str:
        """Changes with every erasure; "" where there was none."""
        return content_hash(json.dumps(self._until, sort_keys=True)) if self._until else ""

    def add(self, shopper: str, *, now: int | None = None) -> str:
        """Leave out what this shopper did until now (UTC ms) from whatever is read later; gives their pseudonym."""
        self._salt = shop_salt(self._store)
        name = pseudonym(shopper, self._salt)
        self._until[name] = int(time.time() * 1000) if now is None else now
        self._known.clear()
        with disk_errors(self.path):
            write_json(self.path, self._until)
            keep_private(self.path)
        return name

    def until(self, shopper: str | None) -> int | None:
        """When this shopper was erased, UTC ms; None where they were not."""
        if not shopper or not self._until:
            return None
        if shopper not in self._known:
            self._known[shopper] = self._until.get(pseudonym(shopper, self._salt))
        return self._known[shopper]

    def keep(self, table: pa.Table) -> pa.Table:
        """The rows that may stay: all where nobody was erased or the table names no shopper.

        A row of an erased shopper goes unless its `time` lies after the erasure.
        """
        if not self._until or "shopper" not in table.column_names:
            return table
        import pyarrow as pa
        import pyarrow.compute as pc

        gone = {one: at for one in pc.unique(table["shopper"]).to_pylist() if (at := self.until(one)) is not None}
        if not gone:
            return table
        names, moments = pa.array(list(gone), pa.string()), pa.array(list(gone.values()), pa.int64())
        until = moments.take(pc.index_in(table["shopper"], value_set=names).combine_chunks())
        if "time" in table.column_names:
            later = pc.greater(table["time"], pa.chunked_array([until])).fill_null(False)
            return table.filter(pc.or_(pc.is_null(until), later))
        return table.filter(pc.is_null(until))

    def names(self, text: str) -> bool:
        """Whether a word of a line that no reader understood is the id of an erased shopper."""
        return bool(self._until) and any(self.until(word) is not None for word in WORDS.findall(text))

    def proof(self) -> Mapping[str, int]:
        """Pseudonym → moment of every erasure."""
        return dict(self._until)


def pseudonym(shopper: str, salt: str) -> str:
    """32 hex digits that only who has the shop's secret can match with an id (HMAC-SHA-256)."""
    return hmac.new(salt.encode(), shopper.encode(), hashlib.sha256).hexdigest()[:32]
