"""A text in; every piece that names a person, each once, out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mercer.quality.personal.address import addresses
from mercer.quality.personal.kind import LONG, NEEDS, PROVINCES, RULES, Rule
from mercer.quality.personal.name import names
from mercer.quality.personal.span import Span, View, view

__all__ = ["TRIGGER", "find"]

_NUMBERS = "0-9０-９①-⑳⓪٠-٩@＠"
_HAN_NUMBERS = "零〇○一二三四五六七八九壹贰叁肆伍陆柒捌玖幺"
SIGN = re.compile(f"[{_NUMBERS}\U0001d7ce-\U0001d7ff]|[{_HAN_NUMBERS}][ .·、,，_-]?[{_HAN_NUMBERS}]")
_WORDS_TEXT = """
先生 女士 小姐 太太 师傅 老师 医生 经理 主任 教授 同学 店长 姓名 收件人 收货人 联系人 我叫 户名 本人 名字 客户名
Mr Ms Dr Prof
name 微 薇 威信 v信 V信 绿泡泡 卫星 wx vx Vx WX VX wechat WeChat Wechat WECHAT weixin [at
(at
"""
WORDS = tuple(_WORDS_TEXT.split())
TRIGGER = rf"[{_NUMBERS}\x{{1d7ce}}-\x{{1d7ff}}]|[{_HAN_NUMBERS}][ .·、,，_-]?[{_HAN_NUMBERS}]|" + "|".join(
    map(re.escape, WORDS)
)
"""RE2: a text without any of these names nobody, and is read no further; `SIGN` and `WORDS` say the same to `re`."""
MADE = re.compile(r"\[(?:[a-z_]{2,9})-(?:[a-p]{12}|[0-9]{1,4})\]")
"""What `mask` writes; nothing in it is looked at again."""
LISTED = re.compile(r"[0-9] \||\| [0-9]")
"""More numbers beside a number that is set apart by blanks: a list of sizes or models."""
URL = re.compile(r"(?:https?://|www\.)[^\s\u4e00-\u9fff]+")
BEFORE = 24
"""Code points in which a word of context may stand."""
AT = re.compile(r"[\[({<](?:at|@|艾特)[\])}>]", re.IGNORECASE)
DOT = re.compile(r"。|[\[({<](?:dot|点)[\])}>]", re.IGNORECASE)
RUN = re.compile("[0-9](?:[^0-9]{0,3}[0-9]){4}")
SIGNS = re.compile(r"[ \-._·/、,，*()+]")


def find(text: str, *, kinds: Collection[str] | None = None) -> list[Span]:
    """Spans in order of place, none over another.

    Args:
        text: any.
        kinds: of `kind.KINDS`, those wanted; None: all.

    >>> [(span.kind, span.value) for span in find("电话一三八零零一三八零零零，张先生")]
    [('mobile', '13800138000'), ('name', '张先生')]
    """
    if not SIGN.search(text) and not any(word in text for word in WORDS):
        return []
    seen = view(text)
    taken = [match.span() for match in MADE.finditer(seen.plain)] if "[" in text else []
    chosen: list[Span] = []
    for span in _candidates(seen, kinds):
        if not any(span.start < end and start < span.end for start, end in taken):
            taken.append((span.start, span.end))
            chosen.append(span)
    return [_placed(span, seen) for span in sorted(chosen, key=lambda span: span.start)]


def _candidates(seen: View, kinds: Collection[str] | None) -> Iterator[Span]:
    urls = [match.span() for match in URL.finditer(seen.plain)] if "://" in seen.plain or "www." in seen.plain else []
    lower = seen.plain.lower()
    passed = {kind for kind, pieces in NEEDS.items() if any(piece in lower for piece in pieces)}
    if RUN.search(seen.digits):
        passed |= LONG
    if not lower.isascii() and PROVINCES.search(lower):
        passed.add("plate")
    for rule in RULES:
        if rule.kind in passed and (kinds is None or rule.kind in kinds):
            for span in _by_rule(rule, seen):
                if rule.kind == "email" or not any(start <= span.start < end for start, end in urls):
                    yield span
    if kinds is None or "address" in kinds:
        yield from addresses(seen.plain)
    if kinds is None or "name" in kinds:
        yield from names(seen.plain)


def _by_rule(rule: Rule, seen: View) -> Iterator[Span]:
    text = seen.digits if rule.numerals else seen.plain
    place = 0
    while (match := rule.pattern.search(text, place)) is not None:
        start, end = match.span("v" if "v" in rule.pattern.groupindex else 0)
        if _accepts(rule, text, start, end):
            yield Span(start, end, rule.kind, _value(text[start:end], rule.kind), rule.score)
            place = end
        else:
            place = start + 1


def _accepts(rule: Rule, text: str, start: int, end: int) -> bool:
    value = text[start:end]
    if rule.shapes is not None:
        shape = tuple(len(piece) for piece in re.findall("[0-9Xx]+", value))
        if shape not in rule.shapes or (
            " " in value and LISTED.search(text[max(0, start - 2) : start] + "|" + text[end : end + 2])
        ):
            return False
    if rule.accept is not None and not rule.accept(SIGNS.sub("", value) if rule.numerals else value):
        return False
    before = text[max(0, start - BEFORE) : start]
    if rule.context is not None and not rule.context.search(before):
        return False
    return rule.unless is None or not rule.unless.search(before)


def _value(value: str, kind: str) -> str:
    if kind == "email":
        return DOT.sub(".", AT.sub("@", value.replace(" ", ""))).lower()
    bare = SIGNS.sub("", value).upper()
    return bare[-11:] if kind == "mobile" else bare


def _placed(span: Span, seen: View) -> Span:
    start, end = seen.place(span.start, span.end)
    return Span(start, end, span.kind, span.value, span.score)
