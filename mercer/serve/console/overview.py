"""A shop in; the console's first page, which says in a few numbers how it is, out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.serve.console.desk import Desk
from mercer.serve.console.section import ADMIN, Section, routes

__all__ = ["SECTION"]

PHRASES = {
    "overview": ("Overview", "概览"),
    "overview_note": ("What this shop runs on, and what waits for you.", "店铺当前的运行状况，以及等你处理的事项。"),
    "live_index": ("Live index", "线上索引"),
    "live_checked": ("Live data", "线上数据"),
    "products_live": ("{n} products answer", "{n} 件商品在线"),
    "waiting": ("Waits for you", "待处理"),
    "nothing_waits": ("Nothing waits for you.", "没有待处理的事项。"),
    "since": ("live since {when}", "自 {when} 起上线"),
    "nothing_live": ("nothing is live", "尚无线上版本"),
    "keys_asked": ("Keys are asked for", "已要求密钥"),
    "keys_not_asked": ("No key is asked for", "未要求密钥"),
}


def pages(desk: Desk) -> APIRouter:
    """The first page."""
    found = routes("")

    @found.get("/console", openapi_extra=ADMIN)
    def overview(request: Request) -> Response:
        words = desk.words(request)
        badges = [(one, desk.badge(one)) for one in desk.sections]
        waits = [(words.pick(*one.title), one.address, count) for one, count in badges if count]
        live = {kind: desk.shop.live(kind) for kind in ("index", "checked")}
        return desk.show(
            request, "overview.html", waits=waits, live=live, products=desk.doors.index.count(),
            answers=desk.doors.version,
        )  # fmt: skip

    return found


SECTION = Section("", ("Overview", "概览"), "data", pages, PHRASES)
