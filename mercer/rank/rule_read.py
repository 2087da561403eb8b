"""Rows as TOML or JSON gives them in; checked rules out, or what is wrong with the first bad value and its cure."""

from __future__ import annotations

import datetime
import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mercer.errors import RequestError
from mercer.rank.rule import KINDS, Rule, RuleSettings
from mercer.records import SCENES, Filter

__all__ = ["read_rule", "read_rules", "read_zone"]

LONGEST = {"id": 64, "note": 500, "text": 300, "url": 2000, "image": 2000}
"""Characters."""
MANY = 200
"""Values in one list."""
LISTS = ("query", "words", "pattern", "category", "scenes", "device", "place", "segment", "products")
CONDITIONS = ("query", "words", "pattern", "category", "scenes", "device", "place", "segment")
ALWAYS = ("id", "do", "note", "enabled", "start", "end")
OWN: Mapping[str, tuple[str, ...]] = {
    "hide": ("products", "filters"),
    "filter": ("filters",),
    "pin": ("products", "position"),
    "boost": ("products", "filters", "points"),
    "bury": ("products", "filters", "points"),
    "redirect": ("url",),
    "synonym": ("synonyms",),
    "banner": ("text", "url", "image"),
}
"""What each kind may say besides its conditions."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    kind: tuple(name for name in own if name in ("products", "filters", "url", "synonyms")) or ("text",)
    for kind, own in {**OWN, "banner": ()}.items()
}
"""Of which it says one."""


def read_rules(
    rows: Sequence[object], *, zone: ZoneInfo | None, settings: RuleSettings, places: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """All rows as rules.

    Raises:
        RequestError: the first one that cannot be, two of one id, or more than a shop may have.
    """
    if len(rows) > settings.most:
        raise RequestError(f"there are {len(rows)} rules", cure=f"have at most {settings.most} ([rules] most)")
    rules: dict[str, Rule] = {}
    for number, row in enumerate(rows):
        rule = read_rule(row, zone=zone, settings=settings, where=places[number] if places else f"rule {number + 1}")
        if rule.id in rules:
            raise RequestError(f"two rules have the id {rule.id!r}", cure="give each an id of its own")
        rules[rule.id] = rule
    return tuple(rules.values())


def read_zone(name: object) -> ZoneInfo | None:
    """The time zone that a file names; none is named by "".

    Raises:
        RequestError: no such zone.
    """
    if name == "":
        return None
    try:
        return ZoneInfo(name if isinstance(name, str) else "?")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        cure = 'give a name as "Asia/Shanghai" or "Europe/Berlin"'
        raise RequestError(f"timezone is {name!r:.80}, which is none", cure=cure) from error


def read_rule(row: object, *, zone: ZoneInfo | None, settings: RuleSettings, where: str = "the rule") -> Rule:
    """One row as a rule.

    Raises:
        RequestError: a field that is unknown, of the wrong type, out of bounds, missing, or of another kind of rule.
    """
    if not isinstance(row, Mapping):
        raise RequestError(f"{where} is {row!r:.80}", cure='give a table: {"id": "a", "do": "pin", …}')
    id = row.get("id")
    if not isinstance(id, str) or not id.strip() or not id.isprintable():
        raise RequestError(f"{where} has the id {id!r:.80}", cure="give a short text")
    said = f"rule {id[:64]!r}"
    kind = row.get("do")
    if kind not in KINDS:
        raise RequestError(f"{said}: do is {kind!r:.80}", cure=f"give one of {', '.join(KINDS)}")
    may = (*ALWAYS, *OWN[kind], *(() if kind == "synonym" else CONDITIONS))
    values: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        if name not in may:
            near = difflib.get_close_matches(str(name), may, n=1)
            cure = f"did you mean {near[0]}?" if near else f"a {kind} has {', '.join(may)}"
            raise RequestError(f"{said}: {str(name)[:80]!r} does not belong to a {kind}", cure=cure)
        values[name] = _value(name, value, said)
    for name, last in (("start", False), ("end", True)):
        if name in values:
            values[name], values[name + "s" if last else "begins"] = _moment(values[name], zone, said, name, last=last)
    rule = Rule(**values)
    _whole(rule, said, settings)
    return rule


def _value(name: str, value: object, said: str) -> Any:
    """`value` as the field has it; text alone is a list of one."""
    if name in LISTS:
        return _texts(name, [value] if isinstance(value, str) else value, said)
    if name == "filters":
        return tuple(_filter(one, said) for one in _list(name, [value] if isinstance(value, Mapping) else value, said))
    if name == "synonyms":
        return tuple(_texts(name, group, said) for group in _list(name, value, said))
    if name in ("start", "end"):
        return value
    kinds: Mapping[str, tuple[type, ...]] = {"enabled": (bool,), "position": (int,), "points": (int, float)}
    wanted = kinds.get(name, (str,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise RequestError(f"{said}: {name} is {value!r:.80}", cure=f"give a value of type {wanted[-1].__name__}")
    if isinstance(value, str) and (len(value) > LONGEST.get(name, 64) or not value.isprintable()):
        cure = f"give at most {LONGEST.get(name, 64)} characters in one line"
        raise RequestError(f"{said}: {name} is {value[:60]!r} ({len(value)} characters)", cure=cure)
    return value


def _list(name: str, value: object, said: str) -> Sequence[object]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MANY:
        raise RequestError(f"{said}: {name} is {value!r:.80}", cure=f"give a list of 1 to {MANY}")
    return value


def _texts(name: str, value: object, said: str) -> tuple[str, ...]:
    texts = []
    for one in _list(name, value, said):
        if not isinstance(one, str) or not one.strip() or len(one) > 512 or not one.isprintable():
            raise RequestError(f"{said}: {name} has {one!r:.80}", cure="give texts of 1 to 512 characters")
        texts.append(one.strip())
    if name == "scenes" and set(texts) - set(SCENES):
        raise RequestError(f"{said}: scenes is {texts!r:.80}", cure=f"name some of {', '.join(SCENES)}")
    if name == "synonyms" and len(texts) < 2:
        raise RequestError(f"{said}: {texts!r:.80} is alone", cure='give two or more: ["sofa", "couch"]')
    return tuple(texts)


def _filter(row: object, said: str) -> Filter:
    names = ("field", "values", "low", "high")
    if not isinstance(row, Mapping) or set(row) - set(names) or not isinstance(row.get("field"), str):
        cure = 'give {"field": "brand", "values": ["Nord"]} or {"field": "price", "low": 5, "high": 9}'
        raise RequestError(f"{said}: a filter is {row!r:.80}", cure=cure)
    bounds: dict[str, float | None] = {}
    for name in ("low", "high"):
        bound = row.get(name)
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float) or math.isnan(bound)):
            raise RequestError(f"{said}: {name} of a filter is {bound!r:.80}", cure="give a number")
        bounds[name] = None if bound is None else float(bound)
    values = row.get("values", [])
    return Filter(row["field"], _texts("filters", values, said) if values else (), **bounds)


def _moment(value: object, zone: ZoneInfo | None, said: str, name: str, *, last: bool) -> tuple[str, int]:
    """A start or end as text and in UTC milliseconds; the end of a day is its last moment."""
    cure = "write 2026-11-11T00:00:00+08:00; a bare day or time needs a timezone at the head of the file"
    try:
        given = value if isinstance(value, datetime.date) else datetime.datetime.fromisoformat(str(value))
        day = not isinstance(given, datetime.datetime) or (isinstance(value, str) and len(value) == len("2026-11-11"))
        moment = datetime.datetime(*given.timetuple()[:3]) if day else given
        assert isinstance(moment, datetime.datetime)
        text = moment.date().isoformat() if day else moment.isoformat()
        moment += datetime.timedelta(days=1 if day and last else 0)
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=zone)
        if moment.tzinfo is None:
            raise RequestError(f"{said}: {name} is {text}, in no time zone", cure=cure)
        return text, int(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise RequestError(f"{said}: {name} is {value!r:.80}, which is no moment", cure=cure) from error


def _whole(rule: Rule, said: str, settings: RuleSettings) -> None:
    """Refuse a rule that could not do anything, or too much."""
    needs = NEEDS[rule.do]
    if not any(getattr(rule, name) for name in needs):
        either = " or ".join(needs)
        raise RequestError(f"{said}: a {rule.do} without {either}", cure=f"say {either}")
    if not 1 <= rule.position <= 1000:
        raise RequestError(f"{said}: position is {rule.position}", cure="give 1 to 1000; 1 is the top")
    if not 0 < rule.points <= 10:
        raise RequestError(f"{said}: points is {rule.points}", cure="give more than 0, at most 10; bury for less")
    if rule.begins is not None and rule.ends is not None and rule.begins >= rule.ends:
        raise RequestError(f"{said}: it ends ({rule.end}) before it starts ({rule.start})", cure="swap them")
    other = [scene for scene in rule.scenes if scene != "search"]
    if rule.asks and other:
        raise RequestError(f"{said}: scene {other[0]} has no query", cure="take the scene or the condition on it out")
    if rule.do == "redirect" and (other or not (rule.asks or rule.category)):
        cure = "give query, words, pattern or category, and no scene but search"
        raise RequestError(f"{said}: it would send every answer away", cure=cure)
    for name in ("url", "image"):
        safe_target(getattr(rule, name), f"{said}: {name}", settings.hosts if name == "url" else ())


def safe_target(url: str, said: str, hosts: Sequence[str]) -> None:
    """Refuse an address that could lead a shopper somewhere else than its reader thinks.

    Raises:
        RequestError: neither a path of this site nor https to an allowed host.
    """
    if not url:
        return
    plain = url.isprintable() and not any(mark in url for mark in "\\ \"'<>")
    here = url.startswith("/") and not url.startswith("//")
    there = any(url.startswith((f"https://{host}/", f"https://{host}?")) or url == f"https://{host}" for host in hosts)
    if not (plain and (here or there)):
        known = ", ".join(hosts) or "none yet"
        cure = f'give a path as "/search?q=cup", or https to a host of [rules] hosts in mercer.toml ({known})'
        raise RequestError(f"{said} is {url[:80]!r}", cure=cure)
