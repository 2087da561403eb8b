"""Nothing in; the table of numbers and addresses of the net that name a person, and how each is recognised, out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mercer.quality.personal.number import is_area_code, is_bank_card, is_identity_card

__all__ = ["KINDS", "LONG", "NEEDS", "PROVINCES", "RULES", "Kind", "Rule"]

Group = Literal["identity_number", "contact", "plate", "transaction", "address", "name"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of personal data."""

    group: Group
    chinese: str


KINDS: dict[str, Kind] = {
    "id_card": Kind("identity_number", "身份证号"),
    "bank_card": Kind("identity_number", "银行卡号"),
    "passport": Kind("identity_number", "护照号"),
    "permit": Kind("identity_number", "通行证号"),
    "ssn": Kind("identity_number", "社会保障号"),
    "email": Kind("contact", "电子邮箱"),
    "mobile": Kind("contact", "手机号"),
    "landline": Kind("contact", "固定电话"),
    "phone": Kind("contact", "电话"),
    "wechat": Kind("contact", "微信号"),
    "qq": Kind("contact", "QQ号"),
    "plate": Kind("plate", "车牌号"),
    "order": Kind("transaction", "订单号"),
    "tracking": Kind("transaction", "运单号"),
    "address": Kind("address", "地址"),
    "name": Kind("name", "姓名"),
}


NEEDS: dict[str, tuple[str, ...]] = {
    "email": ("@", "[at", "(at", "{at", "<at", "[ at", "( at", "艾特"),
    "ssn": ("ssn", "social"),
    "wechat": ("信", "wechat", "weixin", "wx", "vx", "加", "➕", "+"),
    "qq": ("qq", "q q", "扣扣", "企鹅号", "球球", "秋秋", "加q", "➕q", "+q"),
    "passport": ("护照", "passport"),
    "permit": ("证", "permit"),
}
"""Kind → pieces, in small letters, of which a text must have one, or it is not looked through for it."""
PROVINCES = re.compile("[京津沪渝冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼新]")
"""What a number plate begins with."""
LONG = frozenset(("id_card", "bank_card", "mobile", "landline", "phone", "order", "tracking"))
"""Kinds that need five digits near each other."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to recognise a kind.

    `pattern` finds candidates (its group ``v``, or all of it, is the value); `accept` has the last word.
    """

    kind: str
    pattern: re.Pattern[str]
    score: float
    numerals: bool = False
    """Chinese numerals count as digits."""
    accept: Callable[[str], bool] | None = None
    """Given the value without blanks and hyphens."""
    shapes: frozenset[tuple[int, ...]] | None = None
    """Lengths of the groups of digits that may be set apart; None: any."""
    context: re.Pattern[str] | None = None
    """What must stand in the 24 code points before it."""
    unless: re.Pattern[str] | None = None
    """What must not."""


def _is_landline(value: str) -> bool:
    digits = re.sub("[^0-9]", "", re.split("转|ext", value)[0])
    return is_area_code(digits[:3]) or is_area_code(digits[:4])


def _is_service(value: str) -> bool:
    """Numbers that a firm pays for: 400 and 800 in China, 800 to 888 in North America."""
    return _SERVICE.fullmatch(re.sub("[^0-9]", "", value)) is not None


_SERVICE = re.compile(r"1?(?:400|8(?:00|22|33|44|55|66|77|88))[0-9]{7}")


def _rule(kind: str, pattern: str, score: float, **more: object) -> Rule:
    for name in ("context", "unless"):
        if name in more:
            more[name] = re.compile(str(more[name]), re.IGNORECASE)
    return Rule(kind, re.compile(pattern), score, **more)  # type: ignore[arg-type]  # checked by the tests of the table


GAP = r"[ \-._·/、]?"
OPEN = r"(?<![0-9])(?<![0-9][.])"
"""Look-arounds instead of \\b, which sees no border between 话 and 1."""
SHUT = r"(?![0-9])(?![.][0-9])"
_MOBILE = r"1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])[0-9]{8}"
_is_mobile = re.compile(rf"(?:(?:\+|00)?86)?{_MOBILE}").fullmatch
_ONES = (1,) * 11
_PHONE = (
    r"(?:电话|致电|拨打|联系方式|联系我|联系:|座机|手机号|手机:|来电|热线|tel|phone|call|mobile|cell|"
    r"text me|whats ?app)"
)
_ORDER = r"(?:订单|单号|order|tracking|运单|编号|货号|流水|条码|sku|isbn|ean|upc|asin|model|型号|item)"
_TIGHT = r"[号码:： 是为\-#.]*$"
_NEAR = r"[^\n]{0,8}$"

RULES: tuple[Rule, ...] = (
    _rule("email", r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63} ?@ ?"
          r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?[.。]){1,4}[A-Za-z]{2,12}(?![A-Za-z0-9])", 0.95),
    _rule("email", r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63} ?[\[({<] ?(?:at|AT|@|艾特) ?[\])}>] ?"
          r"[A-Za-z0-9\-]{2,40}(?: ?(?:\.|[\[({<] ?(?:dot|DOT|点) ?[\])}>]) ?[A-Za-z]{2,12}){1,"
          r"3}(?![A-Za-z0-9])", 0.95),
    _rule("id_card", rf"{OPEN}[1-9](?:{GAP}[0-9]){{16}}{GAP}[0-9Xx]{SHUT}", 1.0, numerals=True,
          accept=is_identity_card,
          shapes=frozenset({(18,), (6, 8, 4), (6, 4, 4, 4), (3, 3, 4, 4, 4), (14, 4), (6, 12), (1,) * 18})),
    _rule("id_card", rf"{OPEN}[1-9](?:{GAP}[0-9]){{16}}{GAP}[0-9Xx]{SHUT}", 0.9, numerals=True,
          accept=lambda value: is_identity_card(value, checked=False), context=r"身份证|证件号|id card|id no" + _NEAR),
    _rule("id_card", rf"{OPEN}[1-9][0-9]{{14}}{SHUT}", 0.9, accept=is_identity_card, context=r"身份证|证件号" + _NEAR),
    _rule("bank_card", rf"{OPEN}[2-9](?:{GAP}[0-9]){{14,18}}{SHUT}", 1.0, numerals=True, accept=is_bank_card,
          unless=_ORDER + _TIGHT,
          shapes=frozenset({(15,), (16,), (17,), (18,), (19,), (4, 4, 4, 4), (4, 4, 4, 4, 3), (6, 13), (6, 10), (8, 8),
                            (4, 6, 5), (4, 15), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (1,) * 16, (1,) * 19})),
    _rule("bank_card", rf"{OPEN}[2-9](?:{GAP}[0-9]){{14,18}}{SHUT}", 0.9, numerals=True,
          context=r"(?:卡号|银行卡|储蓄卡|信用卡|借记卡|账号|帐号|card (?:number|no))" + _NEAR),
    _rule("mobile", rf"{OPEN}(?:(?:\+|00)?86{GAP})?1(?:{GAP}[0-9]){{10}}{SHUT}", 0.95, numerals=True,
          accept=lambda value: _is_mobile(value) is not None, unless=_ORDER + _TIGHT,
          shapes=frozenset({(11,), (3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (5, 6), _ONES, (13,), (2, 11),
                            (2, 3, 4, 4), (2, 3, 8), (2, *_ONES), (5, 4, 4), (4, 11), (3, 11)})),
    _rule("mobile", rf"{OPEN}(?:(?:\+|00)?86{GAP})?1(?:[ \-._·/、,，*]{{0,3}}[0-9]){{10}}{SHUT}", 0.9, numerals=True,
          accept=lambda value: _is_mobile(value) is not None,
          context=r"(?:" + _PHONE + r"|手机|联系|微信|wx|vx|v信|加我)" + _NEAR),
    _rule("landline", rf"{OPEN}(?:\(0[0-9]{{2,3}}\) ?|0[0-9]{{2,3}}[ \-])[2-8][0-9]{{2,3}}[ \-]?[0-9]{{4}}"
          rf"(?:(?:-|转|ext\.? ?)[0-9]{{1,5}})?{SHUT}", 0.95, numerals=True, accept=_is_landline),
    _rule("landline", rf"{OPEN}0[0-9]{{2,3}}[2-8][0-9]{{6,7}}{SHUT}", 0.9, numerals=True,
          accept=_is_landline, context=_PHONE + _NEAR),
    _rule("landline", rf"{OPEN}[2-8][0-9]{{2,3}}[ \-]?[0-9]{{4}}{SHUT}", 0.9,
          context=r"(?:电话|座机|致电|拨打)" + _TIGHT),
    _rule("ssn", rf"{OPEN}(?!000|666|9)[0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}{SHUT}", 0.9,
          context=r"(?:ssn|social security)" + _NEAR),
    _rule("phone", r"(?<![0-9+\-])(?:\+?1[ .\-]?)?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .\-]|"
          r"[2-9][0-9]{2}([.\-])[2-9][0-9]{2}\1|"
          r"(?<=1[ .\-])[2-9][0-9]{2} [2-9][0-9]{2} )[0-9]{4}(?![0-9A-Za-z]|[.\-][0-9])", 0.95, unless=_ORDER + _TIGHT,
          accept=lambda value: not _is_service(value)),
    _rule("phone", rf"(?<![0-9+])\+[1-9][0-9]{{0,2}}(?:[ .\-]?\(?[0-9]{{1,4}}\)?){{2,6}}{SHUT}", 0.95,
          accept=lambda value: 9 <= sum(map(str.isdigit, value)) <= 15),
    _rule("phone", rf"(?<![0-9+$¥£€])[+(]?[0-9][0-9 ().\-]{{7,18}}[0-9]{SHUT}", 0.9,
          accept=lambda value: 9 <= sum(map(str.isdigit, value)) <= 15 and not _is_service(value),
          context=r"(?:致电|拨打|\btel|\bphone|call me|call us|call|mobile|\bcell|text me|whats ?app)"
          r"(?: number| no\.?| me)?(?: is| at| on)?[:： .]*$"),
    _rule("wechat", r"(?:微信|薇信|威信|徽信|微信号|v信|V信|weixin|[Ww]e[Cc]hat|WECHAT|(?<![A-Za-z])(?:wx|WX|vx|VX|Vx))"
          r"(?:号| ?[Ii][Dd]| account)?(?:是|为|[:： ]|➕|加|:)*(?<![A-Za-z])"
          r"(?P<v>[A-Za-z](?=[A-Za-z_\-]*[0-9_\-])[A-Za-z0-9_\-]{5,19}|[1-9][0-9]{5,10})(?![A-Za-z0-9_\-])", 0.9,
          numerals=True),
    _rule("wechat", r"(?:微信|薇信|威信|v信|V信|weixin|[Ww]e[Cc]hat|WECHAT|(?<![A-Za-z])(?:wx|WX|vx|VX|Vx))"
          r"(?:号| ?[Ii][Dd])?(?:号|[Ii][Dd]|[ ]?[:：]|是) ?(?P<v>[A-Za-z][A-Za-z0-9_\-]{5,19})"
          r"(?![A-Za-z0-9_\-])", 0.9),
    _rule("wechat", r"(?:加我?|➕|\+)(?:个)?(?:微信|薇|V|v|威|卫星|绿泡泡|微)(?:信)?(?:号)?[:： ]{0,2}"
          r"(?P<v>[A-Za-z][A-Za-z0-9_\-]{5,19}|[1-9][0-9]{5,10})(?![A-Za-z0-9_\-])", 0.9, numerals=True),
    _rule("qq", r"(?:(?<![A-Za-z])[Qq] ?[Qq]|扣扣|企鹅号|球球|秋秋|(?:加|➕|\+)[Qq])(?:号码|号|群号|群)?(?:是|"
          r"为|[:： ]|加|:)*"
          rf"(?P<v>[1-9][0-9]{{4,10}}){SHUT}", 0.9, numerals=True),
    _rule("plate", r"(?<![\u4e00-\u9fff][A-Za-z])"
          r"[京津沪渝冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼新][A-HJ-NP-Z][ ·.\-]?"
          r"(?=[A-Z]*[0-9][A-Z]*[0-9][A-Z]*[0-9])(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJ-NP-Z0-9]{6})"
          r"(?![A-Za-z0-9])", 0.95, unless=r"(?:全|最|崭|更|上|型号)[ ]*$"),
    _rule("passport", r"(?<![A-Za-z0-9])(?:[EeGgDdPpSsHhMm][A-Za-z]?[0-9]{7,8}|[A-Za-z]{1,2}[0-9]{6,8}|[0-9]{9})"
          r"(?![A-Za-z0-9])", 0.9, context=r"(?:护照|passport)" + _NEAR),
    _rule("permit", r"(?<![A-Za-z0-9])(?:[CcWwHhMmLlTt][A-Za-z]?[0-9]{7,10}|[0-9]{8})(?![A-Za-z0-9])", 0.9,
          context=r"(?:通行证|台胞证|回乡证|港澳证|permit)" + _NEAR),
    _rule("order", r"(?<![0-9])[0-9]{3}-[0-9]{7}-[0-9]{7}(?![0-9])", 0.95),
    _rule("order", r"(?:订单编?号?码?|交易号|流水号|[Oo]rder(?: ?(?:number|no\.?|#|id|code))?|ORDER(?: NO\.?)?)"
          r"(?:是|为|was|is|[:：# ])*"
          r"(?P<v>[A-Za-z]{0,4}-?[0-9](?=(?:[A-Za-z\-]*[0-9]){5})[0-9A-Za-z\-]{5,26})(?![A-Za-z0-9])", 0.9),
    _rule("tracking", r"(?<![A-Za-z0-9])(?:SF[0-9]{12,13}|YT[0-9]{13,15}|JD[A-Z]{0,2}[0-9]{11,15}|ZTO[0-9]{12}|"
          r"1Z[0-9A-Z]{16}|[A-Z]{2}[0-9]{9}(?:CN|US|GB|HK|SG|DE|JP))(?![A-Za-z0-9])", 0.95),
    _rule("tracking", r"(?:快递单?号?|运单号?|物流单?号?|包裹单?号?|单号|[Tt]racking(?: ?(?:number|no\.?|#|id|"
          r"code))?|waybill)"
          r"(?:是|为|[:：# ])*(?P<v>[A-Za-z]{0,4}[0-9](?=(?:[A-Za-z\-]*[0-9]){7})[0-9A-Za-z\-]{7,26})"
          r"(?![A-Za-z0-9])", 0.9),
)  # fmt: skip
"""In order of trust: of two that overlap, the first stays."""
