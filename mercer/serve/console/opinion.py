"""What people say of the shop in; a page of trends, what drives the negative, documents and alarms out."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.errors import MercerError, RequestError
from mercer.opinion.lexicon import lexicon
from mercer.opinion.monitor import DAY
from mercer.serve.api.opinion import monitor_of
from mercer.serve.console import chart
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import Form
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.guard_access import caller

__all__ = ["SECTION"]

SPANS = (7, 30, 90)
"""Days that can be chosen."""
SHOWN = 30
"""Documents of a list."""
PHRASES = {
    "opinion": ("Opinion", "舆情"),
    "opinion_note": ("What people say, and what is rising.", "大家在说什么，什么在升温。"),
    "opinion_none": ("Nothing was read yet.", "还没有读入任何文本。"),
    "opinion_days": ("{n} days", "{n} 天"),
    "opinion_documents": ("Documents", "文本"),
    "opinion_copies": ("{n} copies beside", "另有 {n} 条重复"),
    "opinion_before": ("before {n}", "此前 {n}"),
    "opinion_positive": ("Positive", "正面"),
    "opinion_neutral": ("Neutral", "中性"),
    "opinion_negative": ("Negative", "负面"),
    "opinion_share": ("Share negative", "负面占比"),
    "opinion_trend": ("Documents a day", "每日文本数"),
    "opinion_trend_bad": ("Negative documents a day", "每日负面文本数"),
    "opinion_drivers": ("What drives the negative", "负面主要来自"),
    "opinion_topics": ("Topics", "主题"),
    "opinion_aspects": ("Aspects", "方面"),
    "opinion_entities": ("Products, brands, companies", "商品、品牌与公司"),
    "opinion_name": ("Name", "名称"),
    "opinion_alarms": ("Rising now", "正在升温"),
    "opinion_quiet": ("No alarm in two weeks.", "两周内没有告警。"),
    "opinion_stands": ("stands", "持续中"),
    "opinion_over": ("over", "已结束"),
    "opinion_muted": ("muted", "已静音"),
    "opinion_seen": ("Seen by {who}", "{who} 已处理"),
    "opinion_acknowledge": ("I look after it", "我来处理"),
    "opinion_mute": ("Mute for a day", "静音一天"),
    "opinion_unmute": ("Tell again", "取消静音"),
    "opinion_find": ("Show", "查看"),
    "opinion_word": ("A word in the text", "文本中的词"),
    "opinion_any": ("any", "不限"),
    "opinion_newest": ("The newest", "最新文本"),
    "opinion_done": ("Noted.", "已记录。"),
}


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/opinion."""
    found, monitor = routes("opinion"), monitor_of(desk.shop)

    def shown(request: Request, error: MercerError | None = None) -> Response:
        asked = request.query_params
        days = next((span for span in SPANS if asked.get("days") == str(span)), 30)
        chosen = {name: asked.get(name, "")[:200] for name in ("topic", "aspect", "entity", "sentiment", "text")}
        board = monitor.board(days=days)
        course = monitor.series(days=days)
        words = desk.words(request)
        totals = [float(sum(day[side] for side in ("positive", "neutral", "negative"))) for day in course]
        labels = [datetime.fromtimestamp(day["time"] / 1000, UTC).strftime("%m-%d") for day in course]
        return desk.show(
            request, "opinion.html", status=error.status if error else 200, error=error, board=board, days=days,
            spans=SPANS, chosen=chosen, aspects=lexicon().names, folder=desk.shop.folder,
            alarms=monitor.alarms(days=14),
            done=words("opinion_done") if asked.get("done") else "",
            documents=monitor.store.find(
                since=board.until - days * DAY, limit=SHOWN, topic=chosen["topic"], aspect=chosen["aspect"],
                entity=chosen["entity"], sentiment=chosen["sentiment"], text=chosen["text"],
            ),
            trend=chart.course(totals, labels=labels, about=words("opinion_trend")),
            bad=chart.course(
                [float(day["negative"]) for day in course], labels=labels, about=words("opinion_trend_bad")
            ),
        )  # fmt: skip

    @found.get("", openapi_extra=ADMIN)
    def page(request: Request) -> Response:
        return shown(request)

    @found.post("", openapi_extra=ADMIN)
    def change(request: Request, form: Form) -> Response:
        try:
            if form["act"] == "acknowledge":
                monitor.acknowledge(form["alarm"], by=str(caller(request.scope)))
            elif form["act"] in ("mute", "unmute"):
                monitor.mute(form["alarm"], hours=24.0 if form["act"] == "mute" else 0.0)
            else:
                raise RequestError(f"act is {form['act']!r:.40}", cure="use the page's own buttons")
        except MercerError as error:
            return shown(request, error)
        return desk.go("/console/opinion", done="1")

    return found


SECTION = Section("opinion", ("Opinion", "舆情"), "people", pages, PHRASES)
