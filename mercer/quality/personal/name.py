"""A text in; names of people with a title or after "my name is", Chinese and English, out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercer.quality.personal.span import Span

__all__ = ["names"]

SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江顾侯邵孟龙万段雷钱汤尹黎常武乔贺赖龚陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂"
    "焦向柳邢岳齐梅莫庄辛管祝左涂谷祁舒耿卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍覃霍翁隋植甘景薄单包司柏宁柯阮桂闵"
)
"""The 200 that most Chinese people have, without those that are mostly other words (于, 和, 时, 史, 文, 路, 应)."""
LONG = ("欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "端木", "夏侯", "长孙")
DOUBTFUL = frozenset("任万常安成向关包管单方高白金石江康明盛项游查景童甘曲阳席左温严谷祝章费雷龙马牛毛夏武宁欧植")
"""Ordinary words, too: alone before a title they are a name only where a sentence or a word of address begins."""
TITLES = r"(?:先生|女士|小姐|太太|师傅|老师|医生|经理|主任|教授|同学|店长)"
_TITLED = re.compile(TITLES)
_BEGINS = re.compile(r"(?:^|[^\u4e00-\u9fff]|[的是叫找给姓的位请和跟与问让由谢了亏])$")
_ROLES_TEXT = """
客服 师傅 老师 主管 快递 司机 医生 教授 作者 感谢 前台 店员 店长 卖家 老板 同事 朋友 经理
专员 顾问 护士 谢谢 麻烦 小哥 送货
"""
_ROLES = frozenset(_ROLES_TEXT.split())
_NOT_NAMES = re.compile(
    r"(?:谢谢|感谢|多谢|高级|安装|白领|石油|方太|康师傅|高中|白衣|任何|单位|万能|金牌|温柔|高冷|常驻|成年|安利|包装|管家|陈年|严厉|"
    r"安全|专业|关于|龙虾|马上|章节|毛笔|江湖|黄牛|牛肉|夏天|单身|成都|江苏|方法|许多|田园|余下|白小姐|钟点|舞蹈|顾客|高手|司机|工程师|大堂|(?:女|男)(?:先生|女士))"
)
_HAN = re.compile("(?:(?![的了们这那个是在有])[\u4e00-\u9fff])+")
SAID = ("名", "件人", "货人", "系人", "我叫", "本人")
_SAID = re.compile(
    r"(?:(?:姓名|收件人|收货人|联系人|户名|名字|客户名)[是为:： ]{1,3}|我叫|名字叫|本人:?)"
    r"(?P<v>(?:" + "|".join(LONG) + "|[" + "".join(sorted(SURNAMES)) + r"])[\u4e00-\u9fff]{1,2})"
    r"(?=$|[^\u4e00-\u9fff]|电话|手机|地址|身份|的|住)"
)
_ENGLISH = re.compile(
    r"(?<![A-Za-z])(?:Mr|Mrs|Ms|Dr|Prof)(?:\. ?| )(?P<v>[A-Z][a-z]{2,}(?:[ -][A-Z][a-z]{2,})?)(?!['’]s? )(?![A-Za-z])"
)
_NAME_IS = re.compile(
    r"(?:(?:[Mm]y|[Cc]ustomer|[Ff]ull|[Rr]ecipient) name(?: is|:)) ?(?P<v>[A-Z][a-z]{1,"
    r"15}(?: [A-Z]\.?(?= [A-Z]))?(?: [A-Z][a-z]{1,15}){0,2})"
)
_BRANDS_TEXT = """
coffee clean potato beer heater martens marten scholl scholls pepper seuss bronner bronners dre who
brown browns oetker squishy rogers bean teal wall elsey tobias jacobs marcy strange doom
frankenstein claus incredible fantastic meyers meyer butterworth butterworths dash bubz fox
wonderful bubble pen sketch sketchy bar music right perfect always never collins seuss zhivago
jekyll hyde darcy fields sticky barber beams bento dentist dentek teals moisturizer jart
"""
BRANDS = frozenset(_BRANDS_TEXT.split())
"""Trade names that begin with a title."""


def names(text: str) -> Iterator[Span]:
    """张先生, 欧阳小明女士, 收件人：李明, Mr. Smith, "my name is Ann Lee"."""
    for match in _TITLED.finditer(text) if not text.isascii() else ():
        start = _surname(text, match.start())
        if start is not None:
            yield Span(start, match.end(), "name", text[start : match.end()], 0.8)
    for pattern, words in ((_SAID, SAID), (_ENGLISH, ("Mr", "Ms", "Dr", "Prof")), (_NAME_IS, ("ame",))):
        if not any(word in text for word in words):
            continue
        for match in pattern.finditer(text):
            if match["v"].split()[0].lower() not in BRANDS:
                start = match.start("v") if pattern is not _ENGLISH else match.start()
                yield Span(start, match.end("v"), "name", match["v"], 0.8)


def _surname(text: str, title: int) -> int | None:
    """Where the name that ends at `title` begins: the longest that begins with a surname and no other word."""
    for length in (4, 3, 2, 1):
        start = title - length
        if start < 0:
            continue
        name, before = text[start:title], text[max(0, start - 2) : start]
        if not _HAN.fullmatch(name) or _NOT_NAMES.search(before[-1:] + text[start : title + 2]):
            continue
        long = length > 1 and name.startswith(LONG)
        if length == 4 and not long:
            continue
        if long or (name[0] in SURNAMES and _fits(name, before)):
            return start
    return None


def _fits(name: str, before: str) -> bool:
    if len(name) == 1:
        return name not in DOUBTFUL or _BEGINS.search(before) is not None
    return _BEGINS.search(before) is not None or before in _ROLES
