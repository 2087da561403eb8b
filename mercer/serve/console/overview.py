"""A shop in; the console's first page, which says in a few numbers how it is and what waits for its owner, out."""

from __future__ import annotations

import json
import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.errors import MercerError, NotFoundError
from mercer.events.asked import days
from mercer.quality.ledger import Ledger
from mercer.serve.api.models import serving
from mercer.serve.console.desk import Desk
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.console.words import Words

__all__ = ["SECTION"]

DAY = 86_400_000
"""Milliseconds."""
SPAN = 7
"""Days of searches that are counted."""
LATEST = 6
"""Changes of the audit log that are shown."""
PHRASES = {
    "overview": ("Overview", "概览"),
    "overview_note": ("What this shop runs on, and what waits for you.", "店铺当前的运行状况，以及等你处理的事项。"),
    "live_index": ("Products that answer", "在线商品"),
    "live_since": ("Index {version}, live since {when}", "索引 {version}，{when}上线"),
    "live_only": ("Index {version}", "索引 {version}"),
    "live_data": ("Rows that are trusted", "可信数据"),
    "live_out": ("{share} of {n} rows taken out", "{n} 行中移出 {share}"),
    "live_unchecked": ("not checked yet", "尚未检查"),
    "live_searches": ("Searches in {n} days", "近 {n} 天搜索"),
    "live_empty": ("{share} of them found nothing", "其中 {share} 无结果"),
    "live_no_searches": ("none is logged yet", "还没有记录"),
    "waiting": ("Waits for you", "待处理"),
    "nothing_waits": ("Nothing waits for you.", "没有待处理的事项。"),
    "waits_for": ("{n} to look at", "{n} 项待看"),
    "latest": ("Changed lately", "最近变更"),
    "latest_none": ("Nothing was changed yet.", "还没有任何变更。"),
}


def pages(desk: Desk) -> APIRouter:
    """The first page."""
    found = routes("")

    @found.get("/console", openapi_extra=ADMIN)
    def overview(request: Request) -> Response:
        words = desk.words(request)
        counted = [(one, desk.badge(one)) for one in desk.sections]
        return desk.show(
            request, "overview.html", products=_products(desk), data=_data(desk), searches=_searches(desk), span=SPAN,
            waits=[(words.pick(*one.title), one.address, count) for one, count in counted if count],
            since=_since(desk, words), serves=serving(desk.doors), latest=_latest(desk),
        )  # fmt: skip

    return found


def _products(desk: Desk) -> int | None:
    try:
        return desk.doors.index.count()
    except MercerError:  # the page is for an owner who wants to know what is wrong; /ready says it too
        return None


def _since(desk: Desk, words: Words) -> str:
    """When what answers went live; "" where it is not what live.json names."""
    for entry in reversed(_entries(desk)):
        if entry.act in ("publish", "rollback") and entry.about.get("version") == desk.doors.version:
            return words.ago(entry.time)
    return ""


def _data(desk: Desk) -> dict[str, Any] | None:
    """The gate's decision and how many rows were taken out; None before the first check."""
    last = Ledger(desk.shop.store).last()
    if last is None:
        return None
    folder = desk.shop.path("checked", last["version"])
    try:
        gate = json.loads((folder / "gate.json").read_text("utf-8"))["decision"]
        rows = desk.shop.card("checked", last["version"])["rows"].values()
    except (OSError, ValueError, KeyError, NotFoundError):
        return None
    raw, out = (sum(counts[name] for counts in rows) for name in ("raw", "quarantine"))
    return {"gate": gate, "raw": raw, "share": out / raw if raw else 0.0}


def _searches(desk: Desk) -> dict[str, Any] | None:
    """Searches of the last days, and the share that found nothing; None where none is logged."""
    now = int(time.time() * 1000)
    try:
        found = days(desk.shop.events, since=now - SPAN * DAY, until=now + DAY)
    except MercerError:
        return None
    asked = sum(day.asked for day in found)
    return {"asked": asked, "share": sum(day.empty for day in found) / asked} if asked else None


def _entries(desk: Desk) -> list[Any]:
    try:
        return desk.shop.audit.entries()
    except MercerError:  # the page of the audit log says what is wrong with it
        return []


def _latest(desk: Desk) -> list[Any]:
    return list(reversed(_entries(desk)[-LATEST:]))


SECTION = Section("", ("Overview", "概览"), "data", pages, PHRASES)
