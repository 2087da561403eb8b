"""A text in; what it says once each known way of hiding words is taken off, out."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Iterator

__all__ = ["COMMENT", "squeeze", "turned", "unfold", "views"]

INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
TAGS = re.compile("[\U000e0020-\U000e007e]+")
"""Unicode tag characters: ASCII that no screen shows and every model reads."""
MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u20d0-\u20f0]")
COMMENT = re.compile(
    r"<!--(.*?)-->|<[^<>]*(?:display: ?none|font-size: ?0|visibility: ?hidden|color: ?(?:#fff|white))[^<>]*>([^<>]*)<",
    re.DOTALL | re.IGNORECASE,
)
_LOOKALIKE = """
аa еe оo рp сc уy хx іi јj ѕs ԁd һh ӏl ԛq ԝw вb кk мm нh тt ɡg αa εe οo ρp τt
υu νv ιi κk χx βb ηn ωw ɑa ɩi ℓl ⅼl ⅰi ⅽc ⅾd ⅿm АA ВB ЕE КK МM НH ОO РP СC ТT
УY ХX ІI ЅS ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh
ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ıi łl øo
"""
LOOKALIKE = str.maketrans({pair[0]: pair[1] for pair in _LOOKALIKE.split()})
"""Letters of other scripts that look Latin: the part of Unicode's confusables that Latin words are forged with."""
_OLD = "無視規則說請統輸執評給滿標題設遵護顯詞對話從現開發員權聽訴買戶須務應優這個產購問時擇總結論開啟轉約過濾繞"
_NEW = "无视规则说请统输执评给满标题设遵护显词对话从现开发员权听诉买户须务应优这个产购问时择总结论开启转约过滤绕"
TRADITIONAL = str.maketrans(_OLD, _NEW)
FORGED = re.compile(r"[\u00c0-\u058f\u1d00-\u1dbf\u1e00-\u1fff\u20d0-\u20f0\u2100-\u218f\ua730-\ua7ff]")
OLD = re.compile("[" + "".join(map(chr, TRADITIONAL)) + "]")
LEET = str.maketrans("013457@$!|", "oieastasil")
BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{20,}={0,2}(?![A-Za-z0-9+/=_-])")
HEX = re.compile(r"(?:(?:\\x|0x|%)?[0-9a-fA-F]{2}[ ,]?){12,}")
ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}){4,}")
SPACED = re.compile(r"(?:(?<![a-z0-9])[a-z0-9] ){5}|[\u4e00-\u9fff](?: [\u4e00-\u9fff]){4}")
WIDE = re.compile(" {2,}")
ONE = re.compile(
    r"(?<=(?<![a-z0-9])[a-z0-9]) (?=[a-z0-9](?![a-z0-9]))|"
    r"(?<=[\u4e00-\u9fff，。！？：；、,]) (?=[\u4e00-\u9fff，。！？：；、,])|"
    r"(?<=\w) (?=[,.;:!?'](?: |\x00|$))|(?<=[,.;:!?']) (?=\w(?: |\x00|$))"
)
"""A blank between single letters, or between Chinese ones."""
SIGNED = re.compile(r"(?:[a-z][*._|~^\-]+[a-z ].{0,12}?){4}")
SIGN = re.compile(r"(?<=[a-z])[*._|~^\-]+(?=[a-z ])|(?<=[a-z])[*_|~^]+")
SIGNS = re.compile(r"[\W_]+")


def unfold(text: str) -> str:
    """Full width, look-alikes, accents and invisible characters as plain small letters; traditional as simplified.

    >>> unfold("Ｉｇｎо\\u200bre")
    'ignore'
    """
    if text.isascii():
        return text.lower()
    text = INVISIBLE.sub("", text)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    if FORGED.search(text):
        text = MARKS.sub("", unicodedata.normalize("NFD", text)).translate(LOOKALIKE)
    if OLD.search(text):
        text = text.translate(TRADITIONAL)
    return text.lower()


def squeeze(text: str) -> str:
    """Letters and digits alone: "i g n o r e", "i-g-n.o.r.e" and "忽 略" say what they say.

    >>> squeeze("I g-n.o*r e")
    'ignore'
    """
    return SIGNS.sub("", unfold(text))


def views(text: str) -> Iterator[tuple[str, str]]:
    """(how it was hidden, what it says): nothing for what was never hidden, and no text twice."""
    for name, found in _hidden(text):
        if len(found) >= 8 and found != text:
            yield name, unfold(found)


def _hidden(text: str) -> Iterator[tuple[str, str]]:
    if not text.isascii():
        tags = "".join(chr(ord(letter) - 0xE0000) for run in TAGS.findall(text) for letter in run)
        yield "tag characters", tags
        if INVISIBLE.search(text):
            yield "invisible characters", text
    if "<" in text:
        for match in COMMENT.finditer(text):
            yield "hidden markup", match[1] or match[2] or ""
    for match in BASE64.finditer(text):
        yield "base64", _base64(match[0])
    for match in HEX.finditer(text):
        yield "hexadecimal", _bytes(re.sub(r"\\x|0x|%|[ ,]", "", match[0]))
    yield from _escaped(text)
    yield from _parted(unfold(text))


def _escaped(text: str) -> Iterator[tuple[str, str]]:
    if "\\u" in text:
        for match in ESCAPED.finditer(text):
            yield "escapes", "".join(chr(int(code, 16)) for code in match[0].split("\\u")[1:])
    if text.count("%") > 5:
        yield "percent", urllib.parse.unquote(text, errors="replace")
    if text.count("&#") > 5:
        yield "entities", html.unescape(text)


def _parted(folded: str) -> Iterator[tuple[str, str]]:
    if SPACED.search(folded):
        wide = WIDE.sub("\x00", folded) if WIDE.search(folded) else folded
        yield "signs between letters", ONE.sub("", wide).replace("\x00", " ")
    if SIGNED.search(folded):
        yield "signs between letters", SIGN.sub("", folded)
    if re.search("[a-z][013457@$!|][a-z]", folded):
        yield "digits for letters", folded.translate(LEET)


def _base64(word: str) -> str:
    try:
        return _readable(
            base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word.rstrip("=")) % 4))
        )
    except (binascii.Error, ValueError):
        return ""


def _bytes(digits: str) -> str:
    return _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _readable(data: bytes) -> str:
    """The text of some bytes, "" where they are no text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if sum(letter.isprintable() or letter.isspace() for letter in text) > 0.95 * len(text) else ""


def turned(text: str) -> Iterator[tuple[str, str]]:
    """The text by ROT13 and from its end: dear, and so for texts that something else makes suspect.

    >>> dict(turned("vtaber"))["rot13"]
    'ignore'
    """
    folded = unfold(text)
    yield "rot13", codecs.decode(folded, "rot13")
    yield "reversed", folded[::-1]
