"""The shop's experiments in; a page that judges each by the log, with a way to stop it, out."""

from __future__ import annotations

import math
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.errors import MercerError
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import Form
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.watch.experiment_book import ExperimentBook
from mercer.watch.outcome import outcome

__all__ = ["SECTION"]

PHRASES = {
    "experiments": ("Experiments", "实验"),
    "experiments_note": (
        "Two ways to answer, each for a share of the shoppers.",
        "把顾客分成几组，用不同方式回答，比较效果。",
    ),
    "experiments_none": ("No experiment was started.", "还没有开始任何实验。"),
    "experiments_how": ("Start one over HTTP: POST /v1/experiments", "通过接口开始：POST /v1/experiments"),
    "experiments_running": ("running", "进行中"),
    "experiments_stopped": ("stopped", "已停止"),
    "experiments_stop": ("Stop it", "停止"),
    "experiments_stop_sure": (
        "Stop experiment {id}? Everybody is answered as the shop is set from then on.",
        "确定停止实验 {id}？之后所有顾客都按店铺设置回答。",
    ),
    "experiments_arm": ("Arm", "组"),
    "experiments_shoppers": ("Shoppers", "顾客数"),
    "experiments_settings": ("Changes", "改动"),
    "experiments_as_is": ("nothing", "无"),
    "experiments_against": ("Against the first", "与第一组相比"),
    "experiments_few": ("too few shoppers yet", "顾客还太少"),
    "experiments_untrusted": (
        "Shoppers are not shared out as was set (p = {p}); do not trust these numbers before it is known why.",
        "顾客分组与设定不符（p = {p}），查明原因之前不要相信这些数字。",
    ),
    "experiments_said": ("What follows", "结论"),
    "experiments_started": ("since {when}", "开始于 {when}"),
    "experiments_interval": (
        "The interval holds at every look at once, so looking early misleads nobody.",
        "区间在任何时刻查看都成立，提前查看也不会误导。",
    ),
}


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/experiments."""
    found, book = routes("experiments"), ExperimentBook(desk.shop)

    def listed(request: Request, error: MercerError | None = None) -> Response:
        log: Any = desk.doors.events
        held = [(one, outcome(one, log)) for one in reversed(book.all())]
        return desk.show(
            request, "experiments.html", status=error.status if error else 200, error=error, rows=held, known=_known
        )

    @found.get("", openapi_extra=ADMIN)
    def experiments(request: Request) -> Response:
        return listed(request)

    @found.post("", openapi_extra=ADMIN)
    def stop(request: Request, form: Form) -> Response:
        try:
            book.stop(form["experiment"])
        except MercerError as error:
            return listed(request, error)
        return desk.go("/console/experiments")

    return found


def _known(comparison: Any) -> bool:
    """Whether an interval has both ends."""
    return math.isfinite(comparison.low) and math.isfinite(comparison.high)


SECTION = Section("experiments", ("Experiments", "实验"), "answers", pages, PHRASES)
