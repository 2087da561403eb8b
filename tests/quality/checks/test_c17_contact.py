"""C17 masks sellers' numbers in listings and leaves what a listing rightly says."""

import json

import pytest

from mercer.quality.run import check


def product(**fields):
    return {"id": "p1", "title": "Mug", **fields}


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"title": "纯棉连衣裙 加微信 lily2020"}, "title", "contact"),
        ({"description": "质量问题请打13800138000，私聊优惠"}, "description", "contact"),
        ({"bullets": "柔软\nQQ：12345678"}, "bullets", "contact"),
        ({"description": "write to anna.reed@gmail.com"}, "description", "contact"),
        ({"description": "法人身份证11010519491231002X"}, "description", "identity_number"),
    ],
)
def test_it_is_found_and_masked(raw_of, found_in, fields, field, problem):
    rows = [product(**fields)]
    assert found_in({"products": rows}, "C17") == [("products", 0, field, problem)]
    trusted = check({"products": raw_of("products", rows)}, now=0).trusted["products"]
    assert "-1]" in trusted[field][0].as_py()


@pytest.mark.parametrize(
    "text",
    [
        "客服热线400-820-6666",
        "support@anker.com answers within a day",
        "生产地址：浙江省义乌市稠江街道高新路18号",
        "Mr. Smith's shaving soap, 张老师推荐",
        "EAN 4006381333931, 型号13812345678A",
    ],
)
def test_what_a_firm_says_of_itself_stays(found_in, text):
    assert found_in({"products": [product(description=text)]}, "C17") == []


def test_attributes_stay_json(raw_of):
    rows = [product(attributes='{"联系": "微信：lily2020", "色": "红"}')]
    trusted = check({"products": raw_of("products", rows)}, now=0).trusted["products"]
    assert json.loads(trusted["attributes"][0].as_py()) == {"联系": "微信：[wechat-1]", "色": "红"}


def test_clean_products_are_left_alone(found_in, clean_rows):
    assert found_in({"products": clean_rows["products"]}, "C17") == []
