"""The last check of a shop's data in; its gate, families, findings and bad rows, with ways to decide on them, out."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.errors import MercerError, RequestError
from mercer.quality import held
from mercer.quality.ledger import Ledger
from mercer.serve.console import chart
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import Form
from mercer.serve.console.health_rows import Chosen, listed
from mercer.serve.console.health_words import PHRASES
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.console.words import Words
from mercer.serve.guard_access import caller

__all__ = ["SECTION"]

RUNS = 30
"""Latest checks that the plot shows."""


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/data."""
    found = routes("data")
    shop = desk.shop

    @found.get("", openapi_extra=ADMIN)
    def health(request: Request, done: str = "", count: int = 0) -> Response:
        words = desk.words(request)
        told = words(f"data_done_{done}", n=count, shop=shop.folder) if done in DONE else ""
        last = Ledger(shop.store).last()
        if last is None:
            return desk.show(request, "health_none.html", folder=shop.folder)
        return desk.show(request, "health.html", done=told, **_seen(desk, words, last))

    @found.get("/rows", openapi_extra=ADMIN)
    def rows(request: Request, check: str, family: str, problem: str, page: int = 1) -> Response:
        return _rows(request, Chosen(check, family, problem), page)

    @found.post("/rows", openapi_extra=ADMIN)
    def decide(request: Request, form: Form) -> Response:
        chosen = Chosen(form["check"], form["family"], form["problem"])
        try:
            count = _decided(desk, chosen, form["act"], form.all("row"), str(caller(request.scope)))
        except MercerError as error:
            return _rows(request, chosen, 1, error)
        return desk.go("/console/data", done=form["act"], count=count)

    def _rows(request: Request, chosen: Chosen, page: int, error: MercerError | None = None) -> Response:
        from mercer.quality.report import FAMILY_NAMES

        seen = listed(shop, chosen, page)
        family = desk.words(request).pick(*FAMILY_NAMES.get(chosen.family, (chosen.family, chosen.family)))
        return desk.show(
            request,
            "health_rows.html",
            status=error.status if error else 200,
            error=error,
            chosen=chosen,
            seen=seen,
            family=family,
        )

    return found


DONE = ("restore", "approve", "approve_all", "forget")


def _decided(desk: Desk, chosen: Chosen, act: str, names: list[str], who: str) -> int:
    """How many rows were put back, given up or are judged again."""
    if act == "approve_all":
        rows = held.rows(desk.shop, check=chosen.check, family=chosen.family)
        mine = [row for row in rows if any(one["problem"] == chosen.problem for one in row["reasons"])]
        return held.approve(desk.shop, mine, who=who)
    if not names:
        raise RequestError("no row was chosen", cure="tick the rows first")
    if act == "restore":
        return held.restore(desk.shop, names)
    if act == "approve":
        return held.approve(desk.shop, held.chosen(desk.shop, names), who=who)
    if act == "forget":
        held.forget(desk.shop, names)
        return len(names)
    raise RequestError(f"there is no act {act[:40]!r}", cure=f"choose one of {', '.join(DONE)}")


def _seen(desk: Desk, words: Words, last: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows."""
    import pyarrow.parquet as pq

    from mercer.quality.check import find
    from mercer.quality.report import ACTION_NAMES, FAMILY_NAMES, problems

    folder = held.last_checked(desk.shop)
    gate = json.loads((folder / "gate.json").read_text("utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    lines = problems(pq.read_table(folder / "findings.parquet"), manifest["rows"])
    names = {family: words.pick(*pair) for family, pair in FAMILY_NAMES.items()}
    ledger = Ledger(desk.shop.store)
    live = desk.shop.live("checked")

    def requirement(item: dict[str, Any]) -> dict[str, Any]:
        family = names.get(item["family"], item["family"])
        if not item["check"]:
            said = words("data_ceiling", family=family, share=words.percent(item["threshold"]))
        else:
            said = words.pick(find(item["check"]).english, find(item["check"]).chinese)
        return {**item, "said": said, "family_name": family}

    rank = {"block": 0, "warn": 1, "pass": 2}
    asked = sorted(map(requirement, gate["requirements"]), key=lambda one: (rank[one["status"]], one["check"]))
    return {
        "gate": gate, "decided": requirement(gate["decided_by"]), "last": last, "live": live,
        "made": desk.shop.card("checked", last["version"])["made"],
        "asked": [one for one in asked if one["status"] != "pass"],
        "passed": [one for one in asked if one["status"] == "pass"],
        "families": [_family(name, names.get(name, name), counts, words) for name, counts in manifest["rows"].items()],
        "lines": lines, "names": names, "actions": {name: words.pick(*pair) for name, pair in ACTION_NAMES.items()},
        "trend": _trend(ledger.history()[-RUNS:], words), "restored": len(ledger.restored()),
        "approved": len(ledger.approved()), "folder": desk.shop.folder,
    }  # fmt: skip


def _family(name: str, title: str, counts: dict[str, int], words: Words) -> dict[str, Any]:
    parts = [("trusted", counts["trusted"]), ("quarantine", counts["quarantine"])]
    about = words("data_bar", name=title, trusted=counts["trusted"], out=counts["quarantine"])
    share = counts["quarantine"] / counts["raw"] if counts["raw"] else 0.0
    return {"name": name, "title": title, "share": share, "bar": chart.stack(parts, about=about), **counts}


def _trend(history: list[dict[str, Any]], words: Words) -> Any:
    """Share of all rows that were taken out, run by run; "" where there are too few runs to see a course."""
    if len(history) < 2:
        return ""
    out = [sum(one["quarantine"] for one in run["rows"].values()) for run in history]
    came = [sum(one["raw"] for one in run["rows"].values()) for run in history]
    shares = [100 * gone / all_ if all_ else None for gone, all_ in zip(out, came, strict=True)]
    labels = [words.day(run["time"]) for run in history]
    return chart.course(shares, labels=labels, about=words("data_trend"))


def _waits(desk: Desk) -> int:
    """Requirements that the last check's data does not meet."""
    last = Ledger(desk.shop.store).last()
    path = desk.shop.path("checked", last["version"]) / "gate.json" if last else None
    if path is None or not path.exists():
        return 0
    return sum(one["status"] != "pass" for one in json.loads(path.read_text("utf-8"))["requirements"])


SECTION = Section("data", ("Data health", "数据健康"), "data", pages, PHRASES, _waits)
