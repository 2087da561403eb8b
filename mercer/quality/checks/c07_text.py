"""Batches of any family with text in; text that is broken, and what it was where that can be proved, out."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Problem, check
from mercer.quality.finding import found_batch
from mercer.quality.mojibake import unscramble

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TextRules", "mend", "text"]

FIELDS = ("title", "description", "bullets", "brand", "category", "attributes", "text", "question", "answer")
MAIN = ("title", "text", "question")
"""Fields without which a row says nothing."""

SUSPECT = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{00ff}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}]|"
    r"[\x{0100}-\x{017f}\x{4e00}-\x{9fff}\x{e000}-\x{f8ff}\x{feff}\x{fffd}]|&(#|[A-Za-z])|<[/A-Za-z!]|\?\?\?|"
    r"(?i:lorem ipsum)"
)
"""RE2: what sends a text to the slow tests; most texts never go."""

INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""Control, zero-width and bidirectional characters. U+200C and U+200D stay: Persian and emoji are written with them."""
ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_NAMES = (
    "a|abbr|b|big|blockquote|br|center|div|em|font|h[1-6]|hr|i|img|li|ol|p|s|script|small|span|strong|style|sub|sup|"
    "table|tbody|td|th|thead|tr|u|ul"
)
TAG = re.compile(rf"<(/?)({_NAMES})(\s[^<>]*|\s*/)?>", re.IGNORECASE)
HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
BREAKING = {"br", "p", "div", "li", "tr", "hr", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6"}
ALONE = {"br", "hr", "img", "p", "li", "td", "th", "tr"}
"""Tags that HTML allows without an end."""
LOST = re.compile(r"\ufffd|锟斤拷|(?<!\S)\?{3,}(?=\w)|(?<=\w)\?{3,}(?=\w)")
"""U+FFFD and its GB18030 reading, and question marks where letters of another script stood."""
PLACEHOLDER = re.compile(
    r"lorem ipsum.*|n/?a|null|none|nan|undefined|todo|tbd|xxx+|asdf+|foo|test ?\d*|title|product (name|title)|"
    r"no (title|name|description)|untitled|无|暂无|无标题|待补充|商品名称|商品标题",
    re.IGNORECASE | re.DOTALL,
)
NAMES = ("title", "question")
"""Where a placeholder is a fault; a shopper may well search or answer with one."""


@dataclass(frozen=True)
class TextRules(CheckSettings):
    """What is worth repairing."""

    lost_share: float = 0.03
    """Share of a title's characters (0 to 1) that are lost above which the row cannot be sold by it."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not 0 <= self.lost_share <= 1:
            raise SettingsError(f"lost_share is {self.lost_share}", cure="give a share between 0 and 1")


@check(
    "C07",
    families=("products", "queries", "reviews", "faq", "policies", "dialogues"),
    tier="batch",
    severity="medium",
    repairs=True,
    problems={
        "mojibake": Problem("text was read in the wrong encoding", "文字编码错误（乱码）", "fix"),
        "entity": Problem("HTML entities stand in the text", "文字中含有HTML实体", "fix"),
        "markup": Problem("HTML tags stand in the text", "文字中含有HTML标签", "fix"),
        "invisible": Problem("invisible characters stand in the text", "文字中含有不可见字符", "fix"),
        "lost": Problem("most of the text was lost", "文字大部分已丢失", "quarantine"),
        "partly_lost": Problem("characters of the text were lost", "部分字符已丢失", "warn"),
        "placeholder": Problem("a placeholder stands where text should", "占位内容，并非真实文字", "quarantine"),
    },
    settings=TextRules,
    english="text is whole, visible and free of markup",
    chinese="文字完整、可见、不含标记",
)
def text(batch: pa.RecordBatch, settings: TextRules) -> pa.RecordBatch:
    """Mojibake, entities, tags and invisible characters are mended; lost characters and placeholders only found."""
    import pyarrow.compute as pc

    rows: list[Any] = []
    for field in FIELDS:
        if field in batch.schema.names:
            values = batch[field]
            suspect = pc.match_substring_regex(values, SUSPECT)
            if field in NAMES:
                suspect = pc.or_(suspect, pc.less(pc.utf8_length(values), 16))
            index = pc.indices_nonzero(pc.fill_null(suspect, False))
            ids, texts = batch["row_id"].take(index).to_pylist(), values.take(index).to_pylist()
            for row_id, value in zip(ids, texts, strict=True):
                rows += [(row_id, field, *found) for found in _look(value, field, settings)]
    return found_batch(rows)


def _look(value: str, field: str, settings: TextRules) -> Iterator[tuple[str, float, dict[str, Any], str]]:
    """(problem, score, evidence, suggestion) of one text."""
    mended, done = _mend_json(value) if field == "attributes" else mend(value)
    for problem in done:
        yield problem, 0.95, {"was": value}, mended
    lost = sum(len(match) for match in LOST.findall(mended))
    if lost:
        severe = field in MAIN and lost > settings.lost_share * len(mended)
        yield "lost" if severe else "partly_lost", 0.9, {"text": mended[:200], "characters": lost}, ""
    elif field in NAMES and _is_placeholder(mended.strip()):
        yield "placeholder", 0.8, {"text": mended[:200]}, ""


def _is_placeholder(value: str) -> bool:
    """A known filler, or punctuation and nothing else."""
    said = any(unicodedata.category(letter)[0] not in "PZC" for letter in value)
    return bool(value) and (not said or PLACEHOLDER.fullmatch(value) is not None)


def _mend_json(value: str) -> tuple[str, list[str]]:
    """`mend` for every text of a JSON object, which stays one."""
    try:
        names = json.loads(value)
    except ValueError:
        return value, []
    done: list[str] = []
    if not isinstance(names, dict):
        return value, done
    for name, item in names.items():
        if isinstance(item, str):
            names[name], problems = mend(item)
            done += [problem for problem in problems if problem not in done]
    return (json.dumps(names, ensure_ascii=False, sort_keys=True), done) if done else (value, done)


def mend(value: str) -> tuple[str, list[str]]:
    """The mended text, and which problems were mended.

    >>> mend("Tom &amp; Jerry <b>mug</b>"), mend("AT&T, 1 < 2 && I <3 U")
    (('Tom & Jerry mug', ['entity', 'markup']), ('AT&T, 1 < 2 && I <3 U', []))
    """
    done = []
    for problem, step in STEPS:
        after = step(value)
        if after != value:
            done.append(problem)
            value = after
    return value, done


def _without_entities(value: str) -> str:
    """Twice, for &amp;amp; of files that were exported twice; a name that HTML does not know stays."""
    for _ in range(2):
        value = ENTITY.sub(lambda match: html.unescape(match[0]).replace("\u00a0", " "), value)
    return value


def _without_tags(value: str) -> str:
    if not TAG.search(value) and not HIDDEN.search(value):
        return value
    shown = HIDDEN.sub("", value)
    closed = {match[2].lower() for match in TAG.finditer(shown) if match[1]} | ALONE
    bare = TAG.sub(lambda match: _instead(match, closed), shown)
    if bare == value:
        return value
    return re.sub(r"\n\s*\n+", "\n", bare).strip()


def _instead(match: re.Match[str], closed: set[str]) -> str:
    """What stands for a tag: a new line, nothing, or itself where it is never closed, as in "if a<b>c"."""
    name = match[2].lower()
    if name not in closed:
        return match[0]
    return "\n" if name in BREAKING else ""


def _without_invisible(value: str) -> str:
    return INVISIBLE.sub("", value)


STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("mojibake", unscramble),
    ("entity", _without_entities),
    ("markup", _without_tags),
    ("invisible", _without_invisible),
)
"""In this order: an entity may hide a tag, and a tag's text an invisible character."""
