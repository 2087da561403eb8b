"""C01 finds unreadable rows, wrong types, missing values and products that are none."""

import pytest


def test_unreadable_rows_and_values(raw_of, found_in, clean_rows):
    malformed = [{"row_id": 90, "line": 92, "text": '{"id": "x', "problem": "half a JSON line"}]
    uncast = [{"row_id": 3, "field": "price", "text": "twelve"}, {"row_id": 4, "field": "title", "text": "?"}]
    clean_rows["products"][4]["title"] = None
    rows = {"products": raw_of("products", clean_rows["products"], malformed, uncast)}
    assert found_in(rows, "C01") == [
        ("products", 3, "price", "wrong_type"),
        ("products", 4, "title", "wrong_type"),
        ("products", 90, "", "malformed"),
    ]


@pytest.mark.parametrize(
    ("family", "field"), [("products", "id"), ("queries", "text"), ("judgments", "grade"), ("faq", "answer")]
)
@pytest.mark.parametrize("value", [None, "  "])
def test_missing_required(found_in, clean_rows, family, field, value):
    clean_rows[family][2][field] = None if field == "grade" else value
    assert found_in({family: clean_rows[family]}, "C01") == [(family, 2, field, "missing_required")]


@pytest.mark.parametrize(
    "title",
    [
        "POSTAGE",
        "Dotcom Postage",
        "Manual",
        "Bank Charges",
        "AMAZON FEE",
        "damaged?",
        "?? missing",
        "Adjust bad debt",
        "补差价",
        "运费",
        "邮费专拍",
        "盘点",
        "thrown away",
    ],
)
def test_fees_and_notes_are_no_products(found_in, clean_rows, title):
    clean_rows["products"][5]["title"] = title
    assert found_in({"products": clean_rows["products"]}, "C01") == [("products", 5, "title", "not_a_product")]


@pytest.mark.parametrize(
    "title",
    [
        "Postage stamp album",
        "Tea sample pack",
        "Manual coffee grinder",
        "血糖仪家用测试仪",
        "Carriage clock",
        "测试笔",
        "Missing You card",
        "Rusty metal planter",
        "Discount tent",
        "Check shirt",
        "检测试纸",
    ],
)
def test_products_that_only_mention_them_stay(found_in, clean_rows, title):
    clean_rows["products"][5]["title"] = title
    assert found_in({"products": clean_rows["products"]}, "C01") == []
