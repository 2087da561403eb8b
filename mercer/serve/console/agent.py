"""Conversations that wait for a person in; pages to read, answer and review them out."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.assistant.handover import Desk as People
from mercer.assistant.memory import Memory
from mercer.errors import MercerError, NotFoundError, RequestError
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import Form
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.guard_access import caller

__all__ = ["SECTION"]

PHRASES = {
    "agent": ("Conversations", "会话"),
    "agent_note": (
        "What the assistant handed to a person. Names and numbers are masked.",
        "助手转交人工的对话。姓名和号码已打码。",
    ),
    "agent_none": ("Nobody waits for a person.", "目前没有等待人工的顾客。"),
    "agent_open": ("Waiting", "待回复"),
    "agent_answered": ("To review", "待审核"),
    "agent_approved": ("Approved", "已批准"),
    "agent_declined": ("Declined", "未采纳"),
    "agent_question": ("Last message", "最后一条消息"),
    "agent_why": ("Why", "原因"),
    "agent_when": ("When", "时间"),
    "agent_summary": ("Summary", "摘要"),
    "agent_suggested": ("What the assistant would say", "建议回答"),
    "agent_history": ("What was said", "对话记录"),
    "agent_shopper": ("customer", "顾客"),
    "agent_assistant": ("assistant", "助手"),
    "agent_agent": ("person", "人工"),
    "agent_answer": ("Answer", "回答"),
    "agent_send": ("Send", "发送"),
    "agent_review": ("May the assistant learn this answer?", "可以让助手学习这个回答吗？"),
    "agent_approve": ("Let it learn", "采纳"),
    "agent_decline": ("Keep it out", "不采纳"),
    "agent_sent": ("The answer was sent.", "回答已发送。"),
    "agent_reviewed": (
        "Noted; the next mercer learn SHOP assistant reads what was approved.",
        "已记录；下次运行 mercer learn SHOP assistant 时会学习已采纳的回答。",
    ),
    "agent_why_asked": ("asked for a person", "要求人工"),
    "agent_why_complaint": ("complaint", "投诉"),
    "agent_why_unknown": ("no evidence", "没有依据"),
    "agent_why_loop": ("went in circles", "反复无解"),
    "agent_why_abuse": ("insults", "辱骂"),
}  # fmt: skip
STATES = ("open", "answered", "approved", "declined")


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/agent."""
    found = routes("agent")

    def people() -> People:
        return People(desk.shop, Memory(desk.shop.store))

    def shown(request: Request, id: int, error: MercerError | None = None) -> Response:
        one = people().get(id)
        return desk.show(
            request, "agent_one.html", status=error.status if error else 200, error=error, one=one,
            turns=people().history(one.talk), done=_done(desk, request),
        )  # fmt: skip

    @found.get("", openapi_extra=ADMIN)
    def listed(request: Request) -> Response:
        state = request.query_params.get("state", "open")
        state = state if state in STATES else "open"
        return desk.show(request, "agent.html", rows=people().found(state), state=state, states=STATES)

    @found.get("/{id}", openapi_extra=ADMIN)
    def one(request: Request, id: str) -> Response:
        return shown(request, _number(id))

    @found.post("/{id}", openapi_extra=ADMIN)
    def change(request: Request, id: str, form: Form) -> Response:
        number, act = _number(id), form["act"]
        try:
            if act == "answer":
                people().answer(number, form["answer"], who=str(caller(request.scope)))
            elif act in ("approve", "decline"):
                people().review(number, approve=act == "approve", question=form["question"], answer=form["answer"])
            else:
                raise RequestError(f"there is no act {act[:40]!r}", cure="choose answer, approve or decline")
        except MercerError as error:
            return shown(request, number, error)
        return desk.go(f"/console/agent/{number}", done="sent" if act == "answer" else "reviewed")

    return found


def _done(desk: Desk, request: Request) -> str:
    said = request.query_params.get("done", "")
    return str(desk.words(request)(f"agent_{said}")) if said in ("sent", "reviewed") else ""


def _number(id: str) -> int:
    if not (id.isascii() and id.isdigit() and len(id) < 15):
        raise NotFoundError(f"there is no hand-over {id[:40]!r}", cure="open one of the list")
    return int(id)


def _waits(desk: Desk) -> int:
    """Conversations that wait; a shop without an assistant has none."""
    path: Path = desk.shop.store / "conversations.db"
    return People(desk.shop, Memory(desk.shop.store)).waiting() if path.exists() else 0


SECTION = Section("agent", ("Conversations", "会话"), "people", pages, PHRASES, _waits)
