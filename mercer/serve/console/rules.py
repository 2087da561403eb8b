"""The shop's merchandising rules in; pages that list, make, change and preview them out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer import records
from mercer.errors import MercerError, NotFoundError, RequestError
from mercer.rank.rule import KINDS, Rule
from mercer.records import SCENES, Page
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import Fields, Form
from mercer.serve.console.rules_form import LINES, fields_of, kinds_of, row_of
from mercer.serve.console.rules_words import PHRASES
from mercer.serve.console.section import ADMIN, Section, routes

__all__ = ["SECTION"]

MOST = 8
"""Products of a page in a preview."""
QUERIES = 5


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/rules."""
    found = routes("rules")

    def listed(request: Request, error: MercerError | None = None, done: str = "") -> Response:
        book = desk.doors.rules
        rules, now = book.rules.rules, book.now()
        words = desk.words(request)
        return desk.show(
            request, "rules.html", status=error.status if error else 200, error=error,
            rows=[(rule, rule.held(now), _when(rule), _what(rule)) for rule in rules], fault=book.fault,
            conflicts=desk.doors.conflicts(), done=words(f"rules_done_{done}") if done in ("saved", "removed") else "",
        )  # fmt: skip

    def form_page(request: Request, told: dict[str, Any], old: str, **values: Any) -> Response:
        zone = desk.doors.rules.zone
        error = values.get("error")
        return desk.show(
            request, "rule.html", status=error.status if error else 200, told=told, old=old, kinds=KINDS,
            scenes=SCENES, lines=LINES, of=kinds_of, zone=str(zone or "UTC"),
            **{"seen": None, "asked": "", "changes": changes, **values},
        )  # fmt: skip

    @found.get("", openapi_extra=ADMIN)
    def rules(request: Request, done: str = "") -> Response:
        return listed(request, done=done)

    @found.get("/new", openapi_extra=ADMIN)
    def new(request: Request, query: str = "") -> Response:
        return form_page(request, fields_of({"do": "pin", "query": [query[:512]] if query else []}), "")

    @found.get("/edit/{id}", openapi_extra=ADMIN)
    def edit(request: Request, id: str) -> Response:
        return form_page(request, fields_of(_held(desk, id).row()), id)

    @found.post("/save", openapi_extra=ADMIN)
    def save(request: Request, form: Form) -> Response:
        old, asked = form["old"], form["asked"]
        try:
            row = row_of(form, zone=desk.doors.rules.zone)
            if row["id"] != old and any(rule.id == row["id"] for rule in desk.doors.rules.rules.rules):
                raise RequestError(
                    f"there is a rule {row['id']!r:.80} already", cure="give another id, or edit that one"
                )
            if form["act"] != "preview":
                desk.doors.rules.put([row])
                return desk.go("/console/rules", done="saved")
            seen = desk.doors.preview(
                [row], [], queries=form.lines("asked")[:QUERIES], k=MOST, request=records.Request()
            )
        except MercerError as error:
            return form_page(request, _typed(form), old, error=error, asked=asked)
        return form_page(request, _typed(form), old, seen=seen, asked=asked)

    @found.post("/change", openapi_extra=ADMIN)
    def change(request: Request, form: Form) -> Response:
        try:
            rule = _held(desk, form["id"])
            if form["act"] == "remove":
                desk.doors.rules.remove([rule.id])
            elif form["act"] in ("on", "off"):
                desk.doors.rules.put([{**rule.row(), "enabled": form["act"] == "on"}])
            else:
                raise RequestError(f"there is no act {form['act'][:40]!r}", cure="choose on, off or remove")
        except MercerError as error:
            return listed(request, error)
        return desk.go("/console/rules", done="removed" if form["act"] == "remove" else "saved")

    return found


def _held(desk: Desk, id: str) -> Rule:
    for rule in desk.doors.rules.rules.rules:
        if rule.id == id:
            return rule
    raise NotFoundError(f"there is no rule {id[:80]!r}", cure="see /console/rules")


def _typed(form: Fields) -> dict[str, Any]:
    """What was typed, to be shown again."""
    names = (
        *LINES,
        "id",
        "do",
        "note",
        "url",
        "text",
        "image",
        "position",
        "points",
        "start",
        "end",
        "synonyms",
        "filters",
    )
    return {name: form[name] for name in names} | {"enabled": "enabled" in form, "scenes": form.all("scenes")}


def _when(rule: Rule) -> list[tuple[str, str]]:
    """The conditions of a rule: (name, value)."""
    names = ("query", "words", "pattern", "category", "device", "place", "segment")
    found = [(name, " / ".join(getattr(rule, name))) for name in names if getattr(rule, name)]
    return [*found, *([("scenes", ", ".join(rule.scenes))] if rule.scenes != ("search",) else [])]


def _what(rule: Rule) -> list[tuple[str, str]]:
    """What a rule does: (name, value)."""
    told = fields_of(rule.row())
    names = ("products", "filters", "synonyms", "text", "url", "position", "points")
    return [(name, str(told[name]).replace("\n", " / ")[:200]) for name in names if told[name] not in ("", 0)]


def changes(before: Page, after: Page) -> list[tuple[Any, str]]:
    """Products after, each with what the rule did to it: new, up, down or ""."""
    places = {hit.id: place for place, hit in enumerate(before.hits)}
    found = []
    for place, hit in enumerate(after.hits):
        was = places.get(hit.id)
        found.append((hit, "new" if was is None else "up" if place < was else "down" if place > was else ""))
    return found


SECTION = Section("rules", ("Rules", "规则"), "answers", pages, PHRASES)
