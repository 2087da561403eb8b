"""Nothing in; the canonical columns of each family of data as Arrow schemas out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    SCHEMAS: Mapping[str, pa.Schema]

__all__ = ["COLUMNS", "FAMILIES", "REQUIRED", "SCHEMAS"]

COLUMNS: dict[str, dict[str, str]] = {
    "products": {
        "id": "str",
        "title": "str",
        "description": "str",
        "bullets": "str",  # one a line
        "brand": "str",
        "category": "str",  # "A > B > C"
        "price": "float",  # what is paid
        "list_price": "float",
        "currency": "str",  # ISO 4217
        "stock": "int",
        "availability": "str",  # in_stock | out_of_stock | preorder | discontinued
        "image": "str",
        "url": "str",
        "rating": "float",
        "rating_count": "int",
        "attributes": "str",  # JSON object of strings
        "derived": "str",  # JSON list of the fields worked out from events
    },
    "events": {
        "event_id": "str",
        "type": "str",  # see mercer.records.ACTIONS
        "shopper": "str",
        "session": "str",
        "product": "str",
        "query_id": "str",
        "position": "int",
        "quantity": "float",
        "price": "float",  # of one piece
        "time": "int",  # UTC, milliseconds since 1970
        "device": "str",
        "place": "str",
    },
    "queries": {"query_id": "str", "text": "str"},
    "judgments": {"query_id": "str", "product": "str", "grade": "float"},
    "reviews": {"id": "str", "product": "str", "shopper": "str", "text": "str", "rating": "float", "time": "int"},
    "faq": {"question": "str", "answer": "str"},
    "policies": {
        "id": "str",
        "title": "str",
        "text": "str",
        "valid_from": "int",  # UTC, milliseconds since 1970; null: always was
        "valid_until": "int",  # the first moment at which it holds no longer; null: until further notice
    },
    "dialogues": {
        "conversation": "str",
        "role": "str",  # shopper | agent
        "text": "str",
        "time": "int",
        "intent": "str",  # what the shopper wanted, where somebody said so
    },
}
"""Canonical columns of each family, in order; every table has `row_id` (0-based data row in its file) before them."""

FAMILIES = tuple(COLUMNS)

REQUIRED: dict[str, tuple[str, ...]] = {
    "products": ("id", "title"),
    "events": ("type", "product", "time"),
    "queries": ("query_id", "text"),
    "judgments": ("query_id", "product", "grade"),
    "reviews": ("text",),
    "faq": ("question", "answer"),
    "policies": ("title", "text"),
    "dialogues": ("conversation", "role", "text"),
}
"""Without these a row says nothing."""


@cache
def _schemas() -> dict[str, pa.Schema]:
    import pyarrow as pa

    types = {"str": pa.string(), "float": pa.float64(), "int": pa.int64()}
    return {
        family: pa.schema([("row_id", pa.int64()), *((name, types[kind]) for name, kind in columns.items())])
        for family, columns in COLUMNS.items()
    }


def __getattr__(name: str) -> Any:
    """``SCHEMAS``: family → Arrow schema with `row_id` first; made when first asked for, as pyarrow is heavy."""
    if name == "SCHEMAS":
        return _schemas()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
