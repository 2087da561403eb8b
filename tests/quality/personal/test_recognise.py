"""Every form of every kind is recognised and masked, and what only looks like one is left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.quality.personal import KINDS, find, mask
from mercer.quality.personal.kind import RULES

PERSONAL = [
    ("mobile", "电话13800138000转", "13800138000"),
    ("mobile", "138 0013 8000", "13800138000"),
    ("mobile", "打+86-138-0013-8000吧", "13800138000"),
    ("mobile", "１３８００１３８０００", "13800138000"),
    ("mobile", "一三八零零一三八零零零打不通", "13800138000"),
    ("mobile", "我的号码13800138000一直打不通", "13800138000"),
    ("mobile", "1 3 8 0 0 1 3 8 0 0 0", "13800138000"),
    ("mobile", "①③⑧⓪⓪①③⑧⓪⓪⓪", "13800138000"),
    ("mobile", "1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣。", "13800138000"),
    ("mobile", "138\u200b0013\u20608000", "13800138000"),
    ("landline", "店里(021)62345678", "02162345678"),
    ("landline", "0755-26543210", "075526543210"),
    ("landline", "电话：02162345678", "02162345678"),
    ("id_card", "身份证11010519491231002X。", "11010519491231002X"),
    ("id_card", "110105 19491231 002x", "11010519491231002X"),
    ("id_card", "一一零一零五一九四九一二三一零零二X", "11010519491231002X"),
    ("bank_card", "卡号4111 1111 1111 1111", "4111111111111111"),
    ("bank_card", "6222021234567890128", "6222021234567890128"),
    ("passport", "护照号 E12345678", "E12345678"),
    ("permit", "港澳通行证C12345678", "C12345678"),
    ("permit", "台胞证：12345678", "12345678"),
    ("plate", "我的车沪A12345停着", "沪A12345"),
    ("plate", "粤B·D12345", "粤BD12345"),
    ("email", "发到zhang_san@163.com。", "zhang_san@163.com"),
    ("email", "zhang[at]qq[dot]com", "zhang@qq.com"),
    ("wechat", "加微信 abc_12345", "ABC12345"),
    ("wechat", "微信号：xiaomei", "XIAOMEI"),
    ("wechat", "vx:lily2020", "LILY2020"),
    ("qq", "QQ号是12345678", "12345678"),
    ("order", "订单号：202301011234567", "202301011234567"),
    ("order", "order #112-3456789-1234567", "11234567891234567"),
    ("tracking", "SF1234567890123到了", "SF1234567890123"),
    ("tracking", "tracking number: 9400111899223", "9400111899223"),
    ("phone", "call me at 415-555-2671.", "4155552671"),
    ("phone", "+44 20 7946 0958", "442079460958"),
    ("ssn", "my SSN 123-45-6789", "123456789"),
    ("address", "浙江省杭州市西湖区文三路478号华星大厦3号楼502室", None),
    ("address", "我住在北京朝阳区建国路88号", None),
    ("address", "I live at 12 Oak Street, Austin, TX 73301", None),
    ("name", "谢谢张先生！", "张先生"),
    ("name", "欧阳小明女士", "欧阳小明女士"),
    ("name", "收件人：李明，", "李明"),
    ("name", "thanks, Mr. Smith.", "Smith"),
    ("name", "My name is Ann Lee", "Ann Lee"),
]

NOBODY = [
    "尺码 160 165 170 175 180",
    "适用理光1350 1356 1357 1107 907 906 9000",
    "型号13812345678A的货号：13800138000",
    "3hp 16hp 5500 6500 7000 7550 Watt",
    "110105194912310021",  # wrong check digit
    "4111111111111112",
    "13800138000.55 元",
    "https://item.example.com/id=13800138000",
    "客服热线400-820-6666，1-800-555-0199",
    "微信支付，微信wechat moments",
    "QQ音乐 2020",
    "康师傅的红烧牛肉面，司机师傅，高手同学，一位先生",
    "Mr. Coffee maker, Dr. Martens, Mrs. Meyer's",
    "221 Baker Street",
    "南京路步行街",
    "三八妇女节买了一个，一二三四",
    "2023-01-01 12:30:45, 1920x1080, 0.138001380001",
    "E12345678 SKU, C12345678",
    "全新A12345手机",
    "ISBN 9787111213826",
]


@pytest.mark.parametrize(("kind", "text", "value"), PERSONAL, ids=[f"{kind}-{text}" for kind, text, _ in PERSONAL])
def test_is_found_and_masked(kind, text, value):
    found = find(text)
    assert [span.kind for span in found] == [kind]
    if value:
        assert found[0].value == value
    masked, spans = mask(text, salt="s")
    assert spans == found
    assert re.search(rf"\[{kind}-[a-p]{{12}}\]", masked)
    assert not sum(letter.isdigit() for letter in masked)


@pytest.mark.parametrize("text", NOBODY)
def test_is_left_alone(text):
    assert find(text) == []
    assert mask(text, salt="s") == (text, [])


def test_every_kind_is_recognised_by_something_and_tested():
    assert {rule.kind for rule in RULES} | {"address", "name"} == set(KINDS)
    assert {kind for kind, _, _ in PERSONAL} == set(KINDS)


def test_pseudonyms_are_consistent_and_need_the_salt():
    one, other = mask("138-0013-8000", salt="a")[0], mask("电话一三八零零一三八零零零", salt="a")[0]
    assert one in other
    assert mask("13800138000", salt="b")[0] != one
    assert mask("13800138000 和 13900139000 和 138 0013 8000", salt="")[0] == "[mobile-1] 和 [mobile-2] 和 [mobile-1]"


def test_spans_stand_in_the_text_that_came():
    text = "一\u200b打138\u200b00138000吧"
    (span,) = find(text)
    assert text[span.start : span.end] == "138\u200b00138000"


ANY = st.lists(
    st.one_of(
        st.text(max_size=12), st.sampled_from([text for _, text, _ in PERSONAL]), st.text("一三八0138 -年", max_size=14)
    )
).map("".join)


@given(ANY, st.sampled_from(["", "secret"]))
def test_masking_masked_text_changes_nothing_and_loses_nothing_else(text, salt):
    masked, spans = mask(text, salt=salt)
    assert mask(masked, salt=salt)[0] == masked
    place = 0
    for span in spans:
        assert place <= span.start < span.end <= len(text)
        place = span.end
