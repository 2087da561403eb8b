"""The shop's keys in; a page that lists, makes, replaces and revokes them out. A secret is shown once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from mercer.errors import MercerError, RequestError
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import SESSION, Form
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.guard_access import CLOSED
from mercer.serve.key import SCOPES
from mercer.serve.key_store import Keys

__all__ = ["SECTION"]

PHRASES = {
    "keys": ("Keys", "密钥"),
    "keys_note": ("Who may ask this server, and for what.", "谁可以调用这台服务器，以及可以做什么。"),
    "key_name": ("What it is for", "用途"),
    "key_scopes": ("May", "权限"),
    "key_state": ("State", "状态"),
    "key_made": ("Made", "创建时间"),
    "key_expires": ("Expires", "到期时间"),
    "key_used": ("Last used", "最近使用"),
    "key_days": ("Days until it expires", "有效天数"),
    "key_days_hint": ("empty: never", "留空表示永不过期"),
    "key_add": ("Make a key", "生成密钥"),
    "key_revoke": ("Revoke", "吊销"),
    "key_revoke_sure": (
        "Revoke key {name}? Whoever uses it is refused from the next request on.",
        "确定吊销密钥 {name}？使用者的下一次请求就会被拒绝。",
    ),
    "key_rotate": ("Replace", "轮换"),
    "key_once": (
        "Copy this key now. It is shown once; the shop keeps only a hash of it.",
        "请立即复制这个密钥：它只显示这一次，店铺只保存其哈希值。",
    ),
    "key_old_goes_on": ("The old key goes on for 24 hours.", "旧密钥还可使用 24 小时。"),
    "no_keys": ("There is no key yet.", "还没有密钥。"),
    "first_key_note": (
        "Once there is one, API and console ask for it. Let the first one be of scope admin, or nobody can come in "
        "here.",
        "有了第一个密钥后，接口和控制台都会要求密钥。第一个密钥请务必勾选 admin，否则将无法再进入控制台。",
    ),
    "state_active": ("active", "有效"),
    "state_expired": ("expired", "已过期"),
    "state_revoked": ("revoked", "已吊销"),
    "this_session": ("you are signed in with it", "你正在使用它登录"),
    "scope_search": ("search and recommend", "搜索与推荐"),
    "scope_events": ("tell of events", "上报事件"),
    "scope_catalogue": ("change products", "修改商品"),
    "scope_assistant": ("ask the assistant", "使用客服助手"),
    "scope_metrics": ("read metrics", "读取指标"),
    "scope_admin": ("everything an owner may", "店主的全部权限"),
}


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/keys."""
    found = routes("keys")

    def known() -> Keys:
        assert desk.access.keys is not None
        return desk.access.keys

    def listed(request: Request, status: int = 200, **values: object) -> Response:
        keys, used = known(), desk.access.used
        last = used.all() if used else {}
        rows = [(key, key.state(keys.now()), last.get(key.id)) for key in reversed(keys.all())]
        return desk.show(
            request, "keys.html", status=status, rows=rows, scopes=SCOPES,
            **{"secret": "", "made": None, "old": "", "given": None, **values},
        )  # fmt: skip

    @found.get("", openapi_extra=ADMIN)
    def keys_page(request: Request) -> Response:
        return listed(request)

    @found.post("", openapi_extra=ADMIN)
    def add(request: Request, form: Form) -> Response:
        given = {"name": form["name"], "scopes": form.all("scope"), "days": form["days"]}
        try:
            first = not request.scope.get(CLOSED) and desk.access.asked == "auto"
            if first and "admin" not in form.all("scope"):
                raise RequestError("the first key is not of scope admin", cure="choose admin: it opens this console")
            made, secret = known().add(form["name"], form.all("scope"), days=_days(form["days"]))
        except MercerError as error:
            return listed(request, error.status, error=error, given=given)
        if first:
            request.scope[SESSION] = desk.access.sessions.begin(made.id)
            request.scope[CLOSED] = True
        return listed(request, 201, secret=secret, made=made)

    @found.post("/{id}/replace", openapi_extra=ADMIN)
    def replace(request: Request, id: str, _: Form) -> Response:
        made, secret = known().rotate(id)
        session = request.scope.get(SESSION)
        if session and session.key == id:
            request.scope[SESSION] = desk.access.sessions.begin(made.id)
        return listed(request, 201, secret=secret, made=made, old=id)

    @found.post("/{id}/revoke", openapi_extra=ADMIN)
    def revoke(id: str, _: Form) -> Response:
        known().revoke(id)
        return RedirectResponse("/console/keys", 303)

    return found


def _days(text: str) -> float | None:
    """A field's days; None where it is empty.

    Raises:
        RequestError: it is no number.
    """
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise RequestError(f"days is {text[:40]!r}", cure="give a number, or nothing for never") from error


SECTION = Section("keys", ("Keys", "密钥"), "safety", pages, PHRASES)
