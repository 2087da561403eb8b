"""A text in; postal addresses that lead to one door, Chinese and English, out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercer.quality.personal.span import Span

__all__ = ["addresses"]

_HAN = r"[\u4e00-\u9fff]"
_NUMBER = r"[0-9A-Za-z一二三四五六七八九十百零\-]{1,6}"
_ROOM = (
    rf"(?:[ ,，]?(?:{_HAN}{{2,10}}?(?:小区|花园|公寓|大厦|家园|苑|广场|新村|城|庄园|中心|学院|大学|宿舍|"
    rf"园区|园|里))?[ ,，]?{_NUMBER}(?:号楼|号院|栋|幢|座|单元|室|楼|层|房|号|门)"
    rf"(?:[0-9]{{1,5}}(?![0-9单栋号幢层楼])[室房]?)?)"
)
STREET = re.compile(
    rf"{_HAN}{{1,20}}?(?:路|街|大道|巷|弄|胡同|道|里|村|镇|乡|街道)(?:[东西南北中]{{1,2}}(?:段|路|街)?|"
    rf"[一二三四五六七八九十]段)?[ ]?"
    rf"{_NUMBER}(?:号|弄|组|队)(?:院|楼)?{_ROOM}{{0,4}}"
)
ESTATE = re.compile(
    rf"{_HAN}{{2,10}}?(?:小区|花园|公寓|大厦|家园|苑|广场|新村|庄园|宿舍|大学|学院)[ ,，]?{_NUMBER}(?:号楼|栋|"
    rf"幢|座|单元|号){_ROOM}{{1,3}}"
)
REGION = re.compile(rf"{_HAN}{{2,4}}(?:省|自治区|市|自治州|区|县|旗|街道|镇)")
_VERBS = re.compile(
    r"(?:.*?(?:地址|住在|寄到|寄往|寄给|送到|发到|搬到|换到))?[我在到往于至是寄住给了址家就的请发送搬]*"
)
_PROVINCES_TEXT = """
北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南
广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门 广州 深圳
杭州 南京 苏州 成都 武汉 西安 长沙 郑州 青岛 厦门 宁波 东莞 佛山 无锡 合肥 济南 福州 大连
沈阳 哈尔滨 长春 昆明 南宁 贵阳 太原 石家庄 南昌 温州 泉州 常州 义乌 珠海 中山 惠州
"""
PROVINCES = _PROVINCES_TEXT.split()
_CITY = re.compile("(?:" + "|".join(PROVINCES) + ")(?:省|市)?")
_ASKED = re.compile(r"(?:地址|住址|住在|家住|寄到|寄往|寄给|发到|送到|送货到|收货|搬到|我在|住)[是为在:： ]*$")
_ROOMS = re.compile(r"(?:单元|室|号楼|栋|幢)")

_TYPE = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Terrace|Parkway|Pkwy|Circle|Cir|"
    r"Highway|Hwy|Way|Close|Crescent|Square)"
)
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]|"
    "USA|UK|England|Scotland|Wales|Ireland|Canada|Australia"
)
_ENGLISH_TYPE = re.compile(r"[0-9] [^\n]{2,60}?" + _TYPE)
ENGLISH = re.compile(
    rf"(?<![0-9A-Za-z$])[0-9]{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-Z][A-Za-z']+ |[0-9]{{1,3}}(?:st|nd|rd|th)"
    rf" ){{1,3}}{_TYPE}\b\.?"
    r"(?P<unit>,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|#)\.? ?#?[0-9A-Za-z\-]{1,6})?"
    rf"(?P<town>,? (?:[A-Z][A-Za-z.]+ ?){{1,3}}, ?(?:{_STATES})\b(?: [0-9]{{5}}(?:-[0-9]{{4}})?)?)?"
    r"(?P<code>,? (?:[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}|[0-9]{5}(?:-[0-9]{4})?))?"
)
_ENGLISH_ASKED = re.compile(
    r"(?:address(?: is)?|live at|lives at|living at|ship(?:ped)? (?:it )?to|deliver(?:ed)? (?:it )?to|"
    r"send (?:it )?to|moved to|"
    r"come to|mail(?:ed)? (?:it )?to|house at|home at|sent to|reside at)[: ]*$",
    re.IGNORECASE,
)


def addresses(text: str) -> Iterator[Span]:
    """Chinese: a street or estate with a number, and a town before it, a room after it or a word that says so.

    English: a number and street with a unit, town or code after it, or words like "live at" before it.
    """
    for pattern in (STREET, ESTATE):
        for match in pattern.finditer(text):
            start, town = _begin(match[0])
            asked = _ASKED.search(text[max(0, match.start() - 8) : match.start() + start])
            if town or asked or _ROOMS.search(match[0]):
                start += match.start()
                yield Span(start, match.end(), "address", text[start : match.end()].replace(" ", ""), 0.8)
    if _ENGLISH_TYPE.search(text):
        for match in ENGLISH.finditer(text):
            before = text[max(0, match.start() - 24) : match.start()]
            if match["unit"] or match["town"] or match["code"] or _ENGLISH_ASKED.search(before):
                yield Span(match.start(), match.end(), "address", match[0].lower(), 0.8)


def _begin(piece: str) -> tuple[int, bool]:
    """Where the address in a run of Chinese letters begins, and whether it begins with a town."""
    place = _CITY.search(piece)
    if place is not None:
        return place.start(), True
    verb = _VERBS.match(piece)
    start = verb.end() if verb else 0
    region = REGION.search(piece, start)
    return start, region is not None
