"""Chance in; invented people's numbers, addresses and names as shoppers write them out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mercer.bench.dirt import Difficulty

__all__ = ["LISTED", "VALUES", "sentence"]

T = TypeVar("T")
HAN = "零一二三四五六七八九"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
AREAS = ["110105", "310104", "440305", "330106", "510107", "420111", "370203", "610113", "500103", "320102"]
_PREFIXES_TEXT = """
130 133 135 138 139 147 150 152 157 159 166 170 176 178 180 183 186 188 189 191 195 198 199
"""
PREFIXES = _PREFIXES_TEXT.split()
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱郭何林罗郑梁谢宋唐许邓冯韩曹曾彭"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛超霞平刚桂英华建国志明秀兰文辉晓东雪梅"
_ENGLISH_TEXT = """
Smith Johnson Walker Turner Bennett Cooper Hughes Parker Reed Foster Murphy Griffin Hayes Sullivan
"""
ENGLISH = _ENGLISH_TEXT.split()
FIRST = ["Emma", "Liam", "Olivia", "Noah", "Sophie", "Lucas", "Grace", "Henry", "Alice", "Oscar", "Nora", "Felix"]
CITIES = (
    "浙江省杭州市西湖区",
    "上海市浦东新区",
    "北京市朝阳区",
    "广东省深圳市南山区",
    "成都市武侯区",
    "江苏省苏州市工业园区",
)
STREETS = ["文三路", "建国路", "科技园南路", "人民南路", "解放大道", "中山北路", "星湖街", "张杨路", "益州大道"]
ESTATES = ["阳光小区", "翠苑公寓", "锦绣花园", "恒大家园", "世纪城", "万科大厦"]
ROADS = ["Maple Street", "Oak Avenue", "Sunset Boulevard", "Park Road", "Cedar Lane", "River Drive", "Elm Court"]
TOWNS = ("Springfield, IL 62704", "Austin, TX 73301", "Portland, OR 97205", "Denver, CO 80202")
LISTED = ("mobile", "wechat", "qq", "id_card", "bank_card", "email")


def digits(rng: Any, count: int, *, first: str = "") -> str:
    return first + "".join(str(rng.integers(10)) for _ in range(count - len(first)))


def pick(rng: Any, values: Sequence[T]) -> T:
    return values[int(rng.integers(len(values)))]


def mobile(rng: Any) -> str:
    return digits(rng, 11, first=pick(rng, PREFIXES))


def id_card(rng: Any) -> str:
    born = f"{rng.integers(1950, 2008)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
    number = pick(rng, AREAS) + born + digits(rng, 3)
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=True))
    return number + "10X98765432"[total % 11]


def bank_card(rng: Any) -> str:
    number = digits(
        rng, pick(rng, (15, 18)), first=pick(rng, ("622202", "621700", "622848", "625910", "453242", "524094"))
    )
    if number[0] != "6":
        number = number[:15]
    for last in "0123456789":
        whole = [int(digit) for digit in reversed(number + last)]
        if (sum(whole[::2]) + sum(2 * digit - 9 * (digit > 4) for digit in whole[1::2])) % 10 == 0:
            return number + last
    raise AssertionError


def landline(rng: Any) -> str:
    return pick(rng, ("010", "021", "0755", "0571", "028", "0512")) + "-" + pick(rng, "25678") + digits(rng, 7)


def plate(rng: Any) -> str:
    tail = digits(rng, 4) + pick(rng, "ABCDEFGHJK")
    return pick(rng, "京沪粤浙苏川鲁") + pick(rng, "ABCDEFG") + tail


def email(rng: Any) -> str:
    name = pick(rng, ("zhangwei", "liuyang", "emma.reed", "l_chen", "sunny", "wangfang", "h.foster"))
    return f"{name}{digits(rng, 3)}@{pick(rng, ('qq.com', '163.com', 'gmail.com', 'outlook.com', 'sina.com.cn'))}"


def wechat(rng: Any) -> str:
    return pick(rng, ("lily", "xiaomei", "wx_", "jack", "shop", "amy_")) + digits(rng, int(rng.integers(4, 8)))


def order(rng: Any) -> str:
    return digits(rng, int(rng.integers(12, 20)), first="2")


def tracking(rng: Any) -> str:
    return pick(rng, ("SF", "YT", "JD")) + digits(rng, 13)


def address(rng: Any) -> str:
    if rng.random() < 0.3:
        return f"{rng.integers(1, 999)} {pick(rng, ROADS)}, {pick(rng, TOWNS)}"
    door = f"{pick(rng, STREETS)}{rng.integers(1, 999)}号"
    if rng.random() < 0.7:
        door += f"{pick(rng, ESTATES)}{rng.integers(1, 30)}栋{rng.integers(1, 5)}单元{rng.integers(101, 2505)}室"
    return pick(rng, CITIES) + door


def name(rng: Any) -> str:
    if rng.random() < 0.3:
        return f"{pick(rng, ('Mr.', 'Mrs.', 'Ms.', 'Dr.'))} {pick(rng, ENGLISH)}"
    given = "".join(pick(rng, GIVEN) for _ in range(int(rng.integers(0, 3))))
    return pick(rng, SURNAMES) + given + pick(rng, ("先生", "女士", "小姐", "师傅", "老师", "经理"))


VALUES: dict[str, Callable[[Any], str]] = {
    "mobile": mobile,
    "landline": landline,
    "id_card": id_card,
    "bank_card": bank_card,
    "passport": lambda rng: pick(rng, "EG") + digits(rng, 8),
    "permit": lambda rng: pick(rng, "CH") + digits(rng, 8),
    "plate": plate,
    "email": email,
    "wechat": wechat,
    "qq": lambda rng: digits(rng, int(rng.integers(6, 11)), first="3"),
    "order": order,
    "tracking": tracking,
    "phone": lambda rng: f"{rng.integers(201, 799)}-{rng.integers(201, 999)}-{digits(rng, 4)}",
    "address": address,
    "name": name,
}

SENTENCES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mobile": (
        ("有问题打我电话{}", "联系方式：{}", "{} 随时联系", "call me: {}", "手机{}微信同号"),
        ("客服一直不回，我的号码{}，请回电", "需要的加我{}哦", "reach me on {} after six", "留个电话{}给大家"),
    ),
    "landline": (("店里电话{}", "固话：{}"), ("打{}没人接", "our office line is {}", "门店座机 {} 一直占线")),
    "id_card": (
        ("身份证{}", "实名认证填的{}一直不通过"),
        ("海关要我提供证件号{}才放行", "我的号码是{}，为什么核验失败", "ID {} was rejected"),
    ),
    "bank_card": (
        ("退款退到卡号{}", "我的银行卡{}"),
        ("请把钱打到{}，建行的", "refund it to my card {} please", "返现账号 {} 尽快"),
    ),
    "passport": (("护照号{}", "passport {}"), ("护照号码：{}，清关用", "my passport no. is {}")),
    "permit": (("港澳通行证{}", "通行证号码 {}"), ("回乡证：{}", "往来港澳通行证号是{}")),
    "plate": (("车牌{}停在楼下", "我的车{}"), ("送货车{}刮了我的门", "开{}来自提的")),
    "email": (
        ("发到我邮箱{}", "mail me at {}"),
        ("发票请寄{}谢谢", "please write to {} about this", "邮箱：{}，三天没人回"),
    ),
    "wechat": (("加我微信{}", "微信号：{}", "vx:{}"), ("有需要的V信{}", "wechat: {}", "微信 {} "
          "备注买家", "wx号{}返现")),
    "qq": (("QQ：{}", "加QQ{}"), ("QQ号是{}", "扣扣{}私聊", "我的QQ {} 有图")),
    "order": (("订单号：{}", "order number {}"), ("订单编号{}至今没发货", "My order {} never came", "订单 {} 退款")),
    "tracking": (
        ("快递单号{}", "tracking number: {}"),
        ("运单号 {} 显示已签收", "物流{}三天没动", "the parcel {} is lost"),
    ),
    "phone": (("call me at {}", "my cell is {}"), ("You can text me on {}", "phone {} any time")),
    "address": (
        ("我的地址是{}", "收货地址：{}", "寄到{}", "ship it to {}"),
        ("我住在{}，快递说送不到", "麻烦换到{}再发一次", "I live at {} and it still got lost", "地址 {} 没错啊"),
    ),
    "name": (
        ("客服{}态度很好", "thanks to {} for the help", "找{}"),
        ("送货的{}很准时", "{}耐心解释了半天", "The seller, {}, answered at once", "多亏{}帮忙"),
    ),
}  # fmt: skip
"""Kind → sentences to develop with (seeds up to 10), and others to report on."""


def sentence(kind: str, difficulty: Difficulty, *, rng: Any, seed: int) -> str:
    """A sentence that gives away one value; how it is written depends on the difficulty."""
    value = VALUES[kind](rng)
    frame = pick(rng, SENTENCES[kind][seed > 10])
    if difficulty != "easy":
        value = _written(kind, value, difficulty, rng)
    return frame.format(value)


def _written(kind: str, value: str, difficulty: Difficulty, rng: Any) -> str:
    """Glued and spaced forms, full width; with adversarial difficulty Chinese numerals, marks and emoji."""
    if kind in ("address", "name"):
        return value.replace("号", "号 ", 1) if kind == "address" and rng.random() < 0.5 else value
    ways = (
        ["full_width", "same", "grouped"] if difficulty == "medium" else ["numerals", "single", "invisible", "circled"]
    )
    return _WAYS[pick(rng, ways)](kind, value)


def _same(_kind: str, value: str) -> str:
    return value


def _full_width(_kind: str, value: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalnum() else letter for letter in value)


def _grouped(kind: str, value: str) -> str:
    """As people group such numbers."""
    groups = {"mobile": (3, 7), "id_card": (6, 14), "bank_card": (4, 8, 12, 16)}.get(kind)
    if groups is None:
        return value
    sign = " " if len(value) % 2 else "-"
    ends = [0, *groups, len(value)]
    return sign.join(value[start:end] for start, end in itertools.pairwise(ends) if start < len(value))


def _numerals(kind: str, value: str) -> str:
    if kind in ("mobile", "qq", "id_card", "bank_card"):
        return "".join(HAN[int(letter)] if letter.isdigit() else letter for letter in value)
    return value.replace("@", "[at]").replace(".", "[dot]") if kind == "email" else _full_width(kind, value)


def _single(kind: str, value: str) -> str:
    return " ".join(value) if kind in ("mobile", "id_card", "bank_card") else value


def _invisible(_kind: str, value: str) -> str:
    return value[:3] + "\u200b" + value[3:5] + "\u2060" + value[5:]


def _circled(kind: str, value: str) -> str:
    if kind not in ("mobile", "id_card", "bank_card", "qq"):
        return value
    return "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(letter)] if letter.isdigit() else letter for letter in value)


_WAYS: dict[str, Callable[[str, str], str]] = {
    "same": _same,
    "full_width": _full_width,
    "grouped": _grouped,
    "numerals": _numerals,
    "single": _single,
    "invisible": _invisible,
    "circled": _circled,
}
