"""The shop's audit log in; a page of who changed what, and whether its chain is whole, out."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.serve.console.desk import Desk
from mercer.serve.console.section import ADMIN, Section, routes

__all__ = ["SECTION"]

PAGE = 50
PHRASES = {
    "audit": ("Audit log", "审计日志"),
    "audit_note": (
        "Every change, with who made it; each entry vouches for the one before.",
        "每次变更及操作者；每条记录都为前一条作证。",
    ),
    "audit_whole": (
        "The chain is whole: {n} entries are as they were written.",
        "链条完整：{n} 条记录均与写入时一致。",
    ),
    "audit_broken": ("The log was changed from outside", "日志曾被外部改动"),
    "audit_cure": ("Compare with a backup: mercer audit SHOP verify", "请与备份比对：mercer audit SHOP verify"),
    "audit_last": (
        "Note this hash elsewhere; it proves later that nothing was taken away:",
        "请把这个哈希另存他处，以后可证明没有记录被删除：",
    ),
    "audit_none": ("Nothing was changed yet.", "还没有任何变更。"),
    "audit_when": ("When", "时间"),
    "audit_who": ("Who", "操作者"),
    "audit_act": ("What", "操作"),
    "audit_about": ("About", "内容"),
}


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/audit."""
    found = routes("audit")

    @found.get("", openapi_extra=ADMIN)
    def log(request: Request, page: int = 1, q: str = "") -> Response:
        wrong = desk.shop.audit.verify()
        entries = [] if wrong and any("not what was written" in one for one in wrong) else desk.shop.audit.entries()
        names = {f"key {key.id}": key.name for key in (desk.access.keys.all() if desk.access.keys else ())}
        told = q[:100].casefold()
        rows = [
            (entry, names.get(entry.who, ""), json.dumps(entry.about, ensure_ascii=False)[:600])
            for entry in reversed(entries)
        ]
        rows = [row for row in rows if told in f"{row[0].who} {row[1]} {row[0].act} {row[2]}".casefold()]
        last = max(1, -(-len(rows) // PAGE))
        page = min(max(1, page), last)
        return desk.show(
            request, "audit.html", rows=rows[(page - 1) * PAGE : page * PAGE], page=page, last=last, wrong=wrong,
            count=len(entries), head=entries[-1].hash if entries else "", q=q[:100],
        )  # fmt: skip

    return found


SECTION = Section("audit", ("Audit log", "审计日志"), "safety", pages, PHRASES)
