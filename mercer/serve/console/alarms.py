"""The shop's alarms in; a page of those that stand and stood, to be acknowledged and muted, out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.errors import MercerError, RequestError
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import Form
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.guard_access import caller
from mercer.watch.alarm_book import AlarmBook

__all__ = ["SECTION"]

PHRASES = {
    "alarms": ("Alarms", "告警"),
    "alarms_note": ("What is watched, and what is not as it should be.", "监控中的指标，以及异常情况。"),
    "alarms_none": ("Nothing was watched yet.", "还没有开始监控。"),
    "alarms_quiet": ("No alarm stands.", "当前没有告警。"),
    "alarms_rule": ("Alarm", "告警"),
    "alarms_state": ("State", "状态"),
    "alarms_since": ("Since", "时间"),
    "alarms_seen": ("Seen by", "处理人"),
    "alarms_stands": ("stands", "未恢复"),
    "alarms_cleared": ("cleared", "已恢复"),
    "alarms_quietly": ("quiet", "正常"),
    "alarms_muted": ("muted until {when}", "静音至 {when}"),
    "alarms_acknowledge": ("I look after it", "我来处理"),
    "alarms_mute": ("Mute for a day", "静音一天"),
    "alarms_unmute": ("Deliver again", "取消静音"),
    "alarms_what": ("What is said", "说明"),
    "alarms_comment": ("Note", "备注"),
}


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/alarms."""
    found, book = routes("alarms"), AlarmBook(desk.shop)

    def listed(request: Request, error: MercerError | None = None) -> Response:
        now = desk.access.keys.now() if desk.access.keys else 0
        return desk.show(
            request, "alarms.html", status=error.status if error else 200, error=error, rows=book.all(), now=now,
            standing=len(book.standing()), folder=desk.shop.folder,
        )  # fmt: skip

    @found.get("", openapi_extra=ADMIN)
    def alarms(request: Request) -> Response:
        return listed(request)

    @found.post("", openapi_extra=ADMIN)
    def change(request: Request, form: Form) -> Response:
        try:
            if form["act"] == "acknowledge":
                book.acknowledge(form["alarm"], by=str(caller(request.scope)), note=form["note"])
            elif form["act"] in ("mute", "unmute"):
                book.mute(form["alarm"], hours=24.0 if form["act"] == "mute" else 0.0)
            else:
                raise RequestError(f"there is no act {form['act'][:40]!r}", cure="choose acknowledge, mute or unmute")
        except MercerError as error:
            return listed(request, error)
        return desk.go("/console/alarms")

    return found


def _waits(desk: Desk) -> int:
    """Alarms that stand and that nobody looks after."""
    return sum(not held.acknowledged for held in AlarmBook(desk.shop).standing().values())


SECTION = Section("alarms", ("Alarms", "告警"), "safety", pages, PHRASES, _waits)
