"""Products in; which of them meet filters, and how often each facet value occurs, out: columns in memory."""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mercer.errors import RequestError
from mercer.records import CATEGORY_SEPARATOR, Filter, Product
from mercer.retrieve.histogram import histogram

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NUMBERS", "VALUES", "Columns", "check_filters", "check_paging", "tags"]

NUMBERS = ("price", "rating", "stock")
VALUES = ("id", "brand", "category", "in_stock")
ATTRIBUTE = "attributes."


def check_filters(filters: Iterable[Filter]) -> None:
    """Refuse a filter that no product could be tested against.

    Raises:
        RequestError: an unknown field, or a range on a field that has values, or the reverse.
    """
    for wanted in filters:
        name = wanted.field
        if name in NUMBERS:
            if wanted.values or (wanted.low is None and wanted.high is None):
                raise RequestError(
                    f"filter on {name} has no range", cure=f'give {{"{name}": {{"min": 10, "max": 50}}}}'
                )
            for bound in (wanted.low, wanted.high):
                if bound is not None and math.isnan(bound):
                    raise RequestError(f"filter on {name} has the bound NaN", cure="give a number")
        elif name in VALUES or (name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE)):
            if not wanted.values:
                raise RequestError(f"filter on {name} has no values", cure=f'give {{"{name}": ["one", "or another"]}}')
        else:
            known = ", ".join((*VALUES, *NUMBERS, "attributes.NAME"))
            raise RequestError(f"filter field {name!r} is unknown", cure=f"use one of {known}")


def check_paging(k: int, offset: int, *, deepest: int) -> None:
    """Refuse a page that cannot be.

    Raises:
        RequestError: k not from 1, offset not from 0, or either too deep.
    """
    if not 1 <= k <= deepest:
        raise RequestError(f"k is {k}", cure=f"give a whole number from 1 to {deepest}")
    if not 0 <= offset <= deepest:
        raise RequestError(f"offset is {offset}", cure=f"give a whole number from 0 to {deepest}")


def tags(product: Product) -> list[tuple[str, str]]:
    """Every (field, value) that a filter or facet can name; a category counts as each level and each path.

    >>> tags(Product("1", "Cup", category=("Home", "Cups"), brand="Nord"))[:4]
    [('in_stock', 'true'), ('brand', 'Nord'), ('category', 'Home'), ('category', 'Home > Cups')]
    """
    found = [("in_stock", "true" if product.in_stock else "false")]
    if product.brand:
        found.append(("brand", product.brand))
    path = product.category
    found.extend(("category", CATEGORY_SEPARATOR.join(path[: depth + 1])) for depth in range(len(path)))
    found.extend(("category_level", level) for level in path[1:])
    found.extend((ATTRIBUTE + name, value) for name, value in product.attributes.items())
    return found


class Columns:
    """Filter and facet columns by row number; a row is never reused, a deleted one is dead."""

    def __init__(self) -> None:
        import numpy as np

        self._code: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        self._rows: defaultdict[int, list[int]] = defaultdict(list)
        self._tags: list[NDArray[np.int32]] = []
        self._numbers = {name: np.full(1024, np.nan) for name in NUMBERS}
        self._alive = np.zeros(1024, dtype=bool)
        self._living = threading.Lock()
        """Held while a replaced product's old row dies and its new one is born, so that nobody sees both or neither."""
        self.row: dict[str, int] = {}
        self.ids: list[str] = []

    def add(self, product: Product) -> int:
        """Put a product in a new row, which comes back; its older row, if any, dies."""
        import numpy as np

        row = len(self.ids)
        if row == len(self._alive):
            self._alive = np.concatenate([self._alive, np.zeros(row, dtype=bool)])
            self._numbers = {name: np.concatenate([old, np.full(row, np.nan)]) for name, old in self._numbers.items()}
        codes = sorted({self._coded(tag) for tag in tags(product)})
        for code in codes:
            self._rows[code].append(row)
        self._tags.append(np.array(codes, dtype=np.int32))
        for name in NUMBERS:
            value = getattr(product, name)
            self._numbers[name][row] = np.nan if value is None else value
        with self._living:
            self.ids.append(product.id)
            older = self.row.get(product.id)
            if older is not None:
                self._alive[older] = False
            self.row[product.id] = row
            self._alive[row] = True
        return row

    def remove(self, id: str) -> bool:
        """Let a product's row die; False where there is none."""
        with self._living:
            row = self.row.pop(id, None)
            if row is None:
                return False
            self._alive[row] = False
            return True

    def mask(self, filters: Sequence[Filter]) -> NDArray[np.bool_]:
        """Which rows are alive and meet every filter; shape (rows,).

        Raises:
            RequestError: a filter on an unknown field.
        """
        import numpy as np

        check_filters(filters)
        with self._living:
            size = len(self.ids)
            passed = self._alive[:size].copy()
        for wanted in filters:
            if wanted.field in NUMBERS:
                column = self._numbers[wanted.field][:size]
                low = -np.inf if wanted.low is None else wanted.low
                high = np.inf if wanted.high is None else wanted.high
                passed &= (column >= low) & (column <= high)
            else:
                having = self._having(wanted)
                met = np.zeros(len(self._alive), dtype=bool)  # a row may be added while this runs: it is past `size`
                met[having] = True
                passed &= met[:size]
        return passed

    def facets(self, rows: NDArray[np.int64], fields: Iterable[str]) -> dict[str, dict[str, int]]:
        """How often each value of each field occurs in these rows, most frequent first."""
        import numpy as np

        wanted = list(fields)
        if not wanted:
            return {}
        check_filters(Filter(name, values=("",)) for name in wanted if name not in NUMBERS)
        counts: dict[str, Counter[str]] = {name: Counter() for name in wanted}
        if len(rows):
            codes, times = np.unique(np.concatenate([self._tags[row] for row in rows]), return_counts=True)
            for code, count in zip(codes.tolist(), times.tolist(), strict=True):
                name, value = self._names[code]
                if name in counts:
                    counts[name][value] += count
        for name in set(wanted) & set(NUMBERS):
            counts[name] = Counter(histogram(self._numbers[name][rows]))
        return {name: dict(sorted(found.items(), key=_order(name))) for name, found in counts.items()}

    def numbers(self, name: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """One numeric column at these rows; NaN where unknown."""
        return self._numbers[name][rows]

    def told(self, field: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The number in an ``attributes.NAME`` at these rows; NaN where there is none, or a text."""
        import numpy as np

        found = np.full(len(rows), np.nan)
        for place, row in enumerate(rows.tolist()):
            for code in self._tags[row].tolist():
                name, value = self._names[code]
                if name == field:
                    found[place] = _number(value)
        return found

    def _coded(self, tag: tuple[str, str]) -> int:
        code = self._code.get(tag)
        if code is None:
            code = self._code[tag] = len(self._names)
            self._names.append(tag)
        return code

    def _having(self, wanted: Filter) -> list[int]:
        if wanted.field == "id":
            return [self.row[id] for id in wanted.values if id in self.row]
        fields = ("category", "category_level") if wanted.field == "category" else (wanted.field,)
        codes = (self._code.get((field, value)) for field in fields for value in wanted.values)
        return [row for code in codes if code is not None for row in self._rows[code]]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _order(name: str) -> Any:
    if name in NUMBERS:
        return lambda item: float(item[0].split("-")[0] or -1)
    return lambda item: (-item[1], item[0])
