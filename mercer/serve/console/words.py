"""A language and phrases in; text, numbers and moments as the console writes them out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from markupsafe import Markup

from mercer.serve.storefront.words import LANGUAGES

__all__ = ["PHRASES", "Words"]

PHRASES: Mapping[str, tuple[str, str]] = {
    "console": ("Console", "控制台"),
    "skip": ("Skip to the content", "跳到正文"),
    "menu": ("Sections", "栏目"),
    "language": ("Language", "语言"),
    "storefront": ("Storefront", "店面"),
    "sign_in": ("Sign in", "登录"),
    "sign_out": ("Sign out", "退出"),
    "sign_in_note": ("The console opens with a key of scope admin.", "控制台需要 admin 权限的密钥才能进入。"),
    "key": ("Key", "密钥"),
    "no_key_yet": ("No key at hand? Make one on the machine of the shop:", "还没有密钥？在店铺所在的机器上生成一个："),
    "open_note": (
        "This shop has no key yet: whoever reaches this server may change it.",
        "本店还没有密钥：任何能访问这台服务器的人都可以修改店铺。",
    ),
    "make_first": ("Make the first key", "生成第一个密钥"),
    "wrong": ("This did not work", "操作没有成功"),
    "missing": ("There is nothing here", "这里什么都没有"),
    "not_yours": ("This is not open to you", "你没有权限"),
    "back": ("Back to the console", "返回控制台"),
    "never": ("never", "从未"),
    "none": ("none", "无"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "just_now": ("just now", "刚刚"),
    "minutes": ("{n} min ago", "{n} 分钟前"),
    "hours": ("{n} h ago", "{n} 小时前"),
    "days": ("{n} d ago", "{n} 天前"),
    "cure": ("What helps", "解决办法"),
    "version": ("Version", "版本"),
    "live": ("live", "线上"),
    "all": ("all", "全部"),
    "show": ("Show", "查看"),
    "filter": ("Filter", "筛选"),
    "previous": ("Previous", "上一页"),
    "next": ("Next", "下一页"),
    "of": ("{first}–{last} of {count}", "第 {first}–{last} 条，共 {count} 条"),
    "table_of": ("Table: {name}", "表格：{name}"),
}
"""Phrases of every page; a section adds its own."""


class Words:
    """One language of the console.

    >>> words = Words("zh", {"cups": ("{n} cups", "{n} 个杯子")})
    >>> words("cups", n=3), words.pick("cup", "杯子"), words.percent(0.1234)
    ('3 个杯子', '杯子', '12.3%')
    """

    def __init__(self, language: str, more: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._column = list(LANGUAGES).index(self.language)
        self._more = more or {}

    def __call__(self, phrase: str, **values: object) -> str:
        found = self._more[phrase] if phrase in self._more else PHRASES[phrase]
        return found[self._column].format(**values)

    def pick(self, english: str, chinese: str) -> str:
        """The one of two that is in this language."""
        return (english, chinese)[self._column]

    @property
    def tag(self) -> str:
        """For the lang attribute."""
        return "zh-Hans" if self.language == "zh" else "en"

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with separators; – where there is none, or NaN."""
        return "–" if value is None or math.isnan(value) else f"{value:,.{digits}f}"

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share of 1 as percent."""
        return "–" if share is None else f"{share:.{digits}%}"

    def moment(self, milliseconds: float | None) -> str:
        """A UTC time as a <time> that programs read too."""
        if not milliseconds:
            return self("never")
        try:
            at = datetime.fromtimestamp(milliseconds / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return "–"
        return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M} UTC")

    @staticmethod
    def day(milliseconds: float) -> str:
        """The UTC day of a moment, for the foot of a plot."""
        return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}"

    def ago(self, milliseconds: float | None) -> str:
        """How long a UTC time is over."""
        if not milliseconds:
            return self("never")
        minutes = int(time.time() - milliseconds / 1000) // 60
        for name, size in (("days", 1440), ("hours", 60), ("minutes", 1)):
            if minutes >= size:
                return self(name, n=minutes // size)
        return self("just_now")
