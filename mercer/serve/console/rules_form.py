"""The fields of a form in; a rule as rules.toml and the API have it out, and a rule as the fields of a form."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from mercer.errors import RequestError
from mercer.rank.rule import KINDS, Kind
from mercer.rank.rule_read import ALWAYS, CONDITIONS, OWN
from mercer.serve.console.form import Fields

__all__ = ["LINES", "fields_of", "kinds_of", "row_of"]

LINES = ("query", "words", "pattern", "category", "device", "place", "segment", "products")
"""Fields with one value a line."""
TEXTS = ("note", "url", "text", "image")
NUMBERS = ("position", "points")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def kinds_of(name: str) -> str:
    """The kinds of rule that a field belongs to, for the page to hide it where it does not."""
    if name in ALWAYS:
        return ""
    kinds = [kind for kind in KINDS if name in OWN[kind] or (name in CONDITIONS and kind != "synonym")]
    return "" if len(kinds) == len(KINDS) else " ".join(kinds)


def row_of(form: Fields, *, zone: ZoneInfo | None) -> dict[str, Any]:
    """The rule that a form says; what was typed for another kind of rule is left out.

    Raises:
        RequestError: a number or filter that cannot be; the rest is for `rule_read` to judge.
    """
    kind = form["do"]
    row: dict[str, Any] = {"id": form["id"], "do": kind}
    if "enabled" not in form:
        row["enabled"] = False
    may = (*ALWAYS, *OWN.get(_kind(kind), ()), *(() if kind == "synonym" else CONDITIONS))
    row |= {name: lines for name in LINES if (lines := form.lines(name))}
    row |= {name: form[name] for name in TEXTS if form[name]}
    row |= {name: _number(name, form[name]) for name in NUMBERS if form[name]}
    if (scenes := form.all("scenes")) and scenes != ["search"]:
        row["scenes"] = scenes
    if filters := [_filter(line) for line in form.lines("filters")]:
        row["filters"] = filters
    if groups := [_group(line) for line in form.lines("synonyms")]:
        row["synonyms"] = groups
    for name in ("start", "end"):
        if form[name]:
            row[name] = _moment(form[name], zone, last=name == "end")
    return {name: value for name, value in row.items() if name in may}


def fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields of a form show for a rule; every field is there."""
    told: dict[str, Any] = {name: "\n".join(row.get(name, ())) for name in LINES}
    told |= {name: row.get(name, "") for name in ("id", "do", *TEXTS, *NUMBERS, "start", "end")}
    told["enabled"] = row.get("enabled", True)
    told["scenes"] = list(row.get("scenes", ("search",)))
    told["synonyms"] = "\n".join(" | ".join(group) for group in row.get("synonyms", ()))
    told["filters"] = "\n".join(_line(one) for one in row.get("filters", ()))
    return told


def _kind(text: str) -> Kind:
    return next((kind for kind in KINDS if kind == text), "hide")


def _number(name: str, text: str) -> float | int:
    try:
        return int(text) if name == "position" else float(text)
    except ValueError as error:
        raise RequestError(f"{name} is {text[:40]!r}", cure="give a number") from error


def _group(line: str) -> list[str]:
    return [word.strip() for word in re.split(r"[|｜]", line) if word.strip()]


def _filter(line: str) -> dict[str, Any]:
    """``brand=Nord|Lumi`` or ``price=5..20``; an end may be left open."""
    field, equals, rest = line.partition("=")
    if not equals or not rest.strip():
        raise RequestError(f"a filter is {line[:80]!r}", cure="write brand=Nordwald, brand=A|B or price=5..20")
    if ".." not in rest:
        return {"field": field.strip(), "values": _group(rest)}
    low, _, high = rest.partition("..")
    ends = {"low": low.strip(), "high": high.strip()}
    return {"field": field.strip(), **{name: _number(name, value) for name, value in ends.items() if value}}


def _line(filter: Mapping[str, Any]) -> str:
    if filter.get("values"):
        return f"{filter['field']}={'|'.join(filter['values'])}"
    low, high = filter.get("low"), filter.get("high")
    return f"{filter['field']}={'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"


def _moment(text: str, zone: ZoneInfo | None, *, last: bool) -> str:
    """A day is of UTC where the shop's rules name no time zone; its end is its last moment."""
    if zone is not None or not DAY.fullmatch(text):
        return text
    try:
        day = datetime.date.fromisoformat(text) + datetime.timedelta(days=1 if last else 0)
    except (ValueError, OverflowError):
        return text  # rule_read says what is wrong with it
    return f"{day.isoformat()}T00:00:00+00:00"
