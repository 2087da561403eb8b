"""What shoppers searched for in; pages of top, empty, rarely clicked and slow queries out."""

from __future__ import annotations

import time
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.errors import NotFoundError
from mercer.events.asked import ORDERS, Order, days, queries
from mercer.quality.conceal import masker
from mercer.serve.console import chart
from mercer.serve.console.desk import Desk
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.console.words import Words

__all__ = ["SECTION"]

PAGE = 50
DAY = 86_400_000
"""Milliseconds."""
SPANS = (1, 7, 30, 90)
"""Days."""
SHOWN = (*ORDERS, "slow")
PHRASES = {
    "queries": ("Queries", "查询分析"),
    "queries_note": ("What shoppers ask for, and what they get.", "顾客搜了什么，得到了什么。"),
    "queries_top": ("Asked most", "热门"),
    "queries_zero": ("Nothing found", "无结果"),
    "queries_low_click": ("Rarely clicked", "低点击"),
    "queries_slow": ("Slow", "较慢"),
    "queries_days": ("{n} days", "近 {n} 天"),
    "queries_day": ("24 hours", "近 24 小时"),
    "queries_query": ("Query", "查询"),
    "queries_asked": ("Asked", "次数"),
    "queries_empty": ("Nothing found", "无结果"),
    "queries_found": ("Products", "商品数"),
    "queries_clicked": ("Clicked", "有点击"),
    "queries_position": ("First click at", "首次点击位置"),
    "queries_bought": ("Bought", "成交"),
    "queries_last": ("Last", "最近"),
    "queries_took": ("Took", "耗时"),
    "queries_stages": ("Where the time went", "时间花在哪里"),
    "queries_ms": ("{n} ms", "{n} 毫秒"),
    "queries_plot": ("Searches by day", "每日搜索量"),
    "queries_none": ("No search in these days.", "这段时间没有搜索。"),
    "queries_none_note": (
        "Every search of the storefront and the API is told here.",
        "店面和接口的每次搜索都会记录在此。",
    ),
    "queries_no_zero": ("Every search found something.", "每次搜索都有结果。"),
    "queries_no_low_click": (
        "No query was shown five times or more yet, so nothing can be said of clicks.",
        "还没有展示满五次的查询，暂时无法判断点击情况。",
    ),
    "queries_no_slow": ("Nothing was searched since the server began.", "服务启动以来还没有搜索。"),
    "queries_since": (
        "The slowest searches since the server began, {when}; they are kept in memory alone.",
        "自服务启动（{when}）以来最慢的搜索，仅保存在内存中。",
    ),
    "queries_total": (
        "{asked} searches, {empty} of them found nothing ({share})",
        "共 {asked} 次搜索，其中 {empty} 次无结果（{share}）",
    ),
    "queries_contains": ("Query has", "查询包含"),
    "queries_span": ("Time", "时间"),
    "queries_ask": ("Ask it", "试搜"),
    "queries_rule": ("Make a rule", "设置规则"),
}


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/queries."""
    found = routes("queries")
    hide = masker("reviews", salt="")

    @found.get("", openapi_extra=ADMIN)
    def asked(request: Request, by: str = "top", span: int = 7, q: str = "", page: int = 1) -> Response:
        words = desk.words(request)
        if by not in SHOWN or span not in SPANS:
            raise NotFoundError(f"there is no list {by[:40]!r} of {span} days", cure="choose one of /console/queries")
        shown: dict[str, Any] = {"by": by, "span": span, "q": q[:200], "kinds": SHOWN, "spans": SPANS, "hide": hide}
        if by == "slow":
            slow = desk.slow.worst() if desk.slow else []
            since = desk.slow.since if desk.slow else 0
            return desk.show(request, "queries_slow.html", rows=slow[:PAGE], since=words.moment(since), **shown)
        until = int(time.time() * 1000) + DAY
        bounds = {"since": until - DAY - span * DAY, "until": until}
        try:
            rows = queries(desk.shop.events, **bounds, order=cast(Order, by), words=q[:200])
            course = days(desk.shop.events, **bounds)
        except NotFoundError:
            rows, course = [], []
        last = max(1, -(-len(rows) // PAGE))
        page = min(max(1, page), last)
        return desk.show(
            request, "queries.html", rows=rows[(page - 1) * PAGE : page * PAGE], page=page, last=last,
            plot=_plot(course, words), asked=sum(day.asked for day in course),
            nothing=sum(day.empty for day in course), **shown,
        )  # fmt: skip

    return found


def _plot(course: list[Any], words: Words) -> Any:
    """Searches by day; "" where a day is all there is."""
    if len(course) < 2:
        return ""
    first, held = course[0].start, {day.start: day.asked for day in course}
    every = range(first, course[-1].start + 1, DAY)
    counts = [float(held.get(start, 0)) for start in every]
    return chart.course(counts, labels=[words.day(start) for start in every], about=words("queries_plot"))


SECTION = Section("queries", ("Queries", "查询分析"), "answers", pages, PHRASES)
