"""What a tag of Google Analytics 4 sends in; the same as our events, an item of a list each, out."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mercer.serve.shape import BATCH_LIMIT, MaybeId
from mercer.shop import content_hash

__all__ = ["NAMES", "Ga4Batch", "Ga4Event", "mapped"]

NAMES = {
    "view_item_list": "impression",
    "view_item": "view",
    "select_item": "click",
    "add_to_cart": "add_to_cart",
    "add_to_wishlist": "like",
    "purchase": "purchase",
    "refund": "refund",
}
"""Recommended e-commerce events of GA4 → our actions; the others say nothing of a product that we learn from."""


class _Open(BaseModel):
    """Fields that GA4 has and we do not need are passed over."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Ga4Params(_Open):
    """Parameters of an event."""

    items: Annotated[list[dict[str, Any]], Field(max_length=200)] = []
    transaction_id: MaybeId = ""
    session_id: Annotated[str | int, Field(union_mode="left_to_right")] = ""
    query_id: MaybeId = ""
    """Our own: of the answer that the item stood on."""


class Ga4Event(_Open):
    """One event of the Measurement Protocol."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    params: Ga4Params = Ga4Params()
    timestamp_micros: Annotated[int, Field(ge=0, le=10**17)] | None = None


class Ga4Batch(_Open):
    """A body of the Measurement Protocol, as it would be posted to /mp/collect."""

    client_id: MaybeId = ""
    user_id: MaybeId = ""
    timestamp_micros: Annotated[int, Field(ge=0, le=10**17)] | None = None
    events: Annotated[list[Ga4Event], Field(min_length=1, max_length=25)]


def mapped(batch: Ga4Batch) -> tuple[list[dict[str, Any]], int]:
    """(events as /v1/events takes them, how many say nothing of a product that we learn from).

    An event has the same id each time it is sent where it has a time or a transaction; else it is a new one.
    """
    found: list[dict[str, Any]] = []
    passed = 0
    for event in batch.events:
        kind, told = NAMES.get(event.name), event.params
        if kind is None or not told.items:
            passed += 1
            continue
        moment = event.timestamp_micros or batch.timestamp_micros
        known = moment is not None or told.transaction_id
        mark = content_hash(
            batch.client_id, batch.user_id, event.name, told.transaction_id, str(moment), json.dumps(told.items)
        )
        for place, item in enumerate(told.items):
            row = {
                "id": f"ga4-{mark if known else secrets.token_hex(8)}-{place}",
                "type": kind,
                "product": item.get("item_id") or item.get("item_name"),
                "time": moment // 1000 if moment is not None else None,
                "shopper": batch.user_id or batch.client_id,
                "session": str(told.session_id),
                "query_id": told.query_id,
                "position": item["index"] + 1 if isinstance(item.get("index"), int) else None,  # GA4 counts from 0
                "quantity": item.get("quantity"),
                "price": item.get("price"),
            }
            found.append({name: value for name, value in row.items() if value is not None})
    return found[:BATCH_LIMIT], passed
