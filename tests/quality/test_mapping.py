from pathlib import Path

import pytest

from mercer.errors import SettingsError
from mercer.quality.expression import Expression, parse
from mercer.quality.mapping import guess
from mercer.quality.read import read


def write(folder: Path, text: str, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_content_finds_what_names_do_not_say(tmp_path: Path) -> None:
    rows = "".join(f"k{i},{'red' if i % 2 else 'blue'},A comfortable chair number {i},x\n" for i in range(40))
    found = guess("products", write(tmp_path, f"foo,bar,baz,qux\n{rows}"))
    assert found.mapping["id"] == "foo"
    assert found.mapping["title"] == "baz"
    assert found.mapping["attributes"] == "bar + qux"
    by_column = {choice.column: choice for choice in found.choices}
    assert by_column["id"].why == "100% unique"
    assert not by_column["id"].sure
    assert by_column["title"].preview[0] == "A comfortable chair number 0"


def test_a_name_is_not_believed_against_its_content(tmp_path: Path) -> None:
    found = guess("products", write(tmp_path, "id,title,price,rating\n1,Cup,ask us,good\n2,Mug,ask him,bad\n"))
    assert "price" not in found.mapping
    assert "rating" not in found.mapping
    assert set(found.unmapped) <= {"price", "rating"}


def test_the_id_that_other_files_know_wins(tmp_path: Path) -> None:
    path = write(tmp_path, "id,asin,title\n" + "".join(f"{i},B{i},Chair {i}\n" for i in range(20)))
    assert guess("products", path).mapping["id"] == "id"
    known = {"product": {f"B{i}" for i in range(100)}}
    found = guess("products", path, known=known)
    assert found.mapping["id"] == "asin"
    assert "join" in next(choice.why for choice in found.choices if choice.column == "id")


def test_events_without_actions_are_views_and_that_is_unsure(tmp_path: Path) -> None:
    found = guess("events", write(tmp_path, "user_id,item_id,timestamp\nu1,A,1291191960\nu2,B,1291191961\n"))
    assert found.mapping == {"type": "=view", "shopper": "user_id", "product": "item_id", "time": "timestamp"}
    assert [choice.column for choice in found.choices if not choice.sure] == ["type"]


def test_order_lines_without_quantity_are_purchases(tmp_path: Path) -> None:
    found = guess("events", write(tmp_path, "订单号,用户id,商品id,单价,下单时间\n1,u,A,5,2020-01-01 00:00:00\n"))
    assert found.mapping["type"] == "=purchase"
    assert found.mapping["session"] == "订单号"


@pytest.mark.parametrize("text", ["q1,B1,3\nq1,B2,0\n", "q1,0,B1,3\nq1,0,B2,0\n", "q1 0 B1 3\nq1 0 B2 0\n"])
def test_judgments_without_a_header_go_by_place(tmp_path: Path, text: str) -> None:
    table = read("judgments", write(tmp_path, text)).table
    assert table.to_pylist()[1] == {"row_id": 1, "query_id": "q1", "product": "B2", "grade": 0.0}


def test_a_column_of_actions_with_words_of_its_own_stays_that_column(tmp_path: Path) -> None:
    found = guess("events", write(tmp_path, "user_id,item_id,event_type,timestamp\nu1,A,foo,1291191960\n"))
    assert found.mapping["type"] == "event_type"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    found = guess("judgments", write(tmp_path, "query_id,when\nq1,x\nq2,y\n"))
    assert found.missing == ("product", "grade")


def test_the_reduced_price_falls_back_to_the_price(tmp_path: Path) -> None:
    found = guess("products", write(tmp_path, "id,title,price,sale_price\n1,Cup,15,12\n2,Mug,9,\n"))
    assert found.mapping["price"] == "sale_price | price"
    assert found.mapping["list_price"] == "price"


def test_an_unknown_family(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="family"):
        guess("product", tmp_path)


def test_a_raw_name_with_signs_in_it_is_that_column() -> None:
    parsed = parse("products", {"title": "a | b", "id": "c + d"}, ["a | b", "c + d"], closed=True)
    assert parsed == {"title": Expression(("a | b",)), "id": Expression(("c + d",))}


REAL = [
    ("products", "search/esci150/products.jsonl.gz", {"id": "asin", "bullets": "bullet_points", "price": "price"}),
    ("queries", "search/esci150/queries.tsv", {"query_id": "column_1", "text": "column_2"}),
    ("judgments", "search/esci150/qrels.tsv", {"query_id": "column_1", "product": "column_3", "grade": "column_4"}),
    ("products", "search/taobao250/products.jsonl", {"id": "id", "title": "title"}),
    ("queries", "search/taobao250/queries.tsv", {"query_id": "column_1", "text": "column_2"}),
    ("judgments", "search/taobao250/qrels.tsv", {"query_id": "column_1", "product": "column_3", "grade": "column_4"}),
    ("events", "shop/online_retail/online_retail.csv.gz",
     {"type": "=purchase|refund", "product": "StockCode", "shopper": "CustomerID", "session": "InvoiceNo",
      "time": "InvoiceDate", "price": "UnitPrice", "quantity": "Quantity"}),
    ("products", "shop/retail_demo_store/products.jsonl", {"id": "id", "title": "name", "stock": "current_stock"}),
    ("products", "shop/litemall/products.jsonl",
     {"id": "id", "list_price": "list_price", "availability": "on_sale", "description": "brief"}),
    ("reviews", "shop/litemall/reviews.jsonl",
     {"id": "id", "product": "product", "shopper": "user", "text": "text", "rating": "stars", "time": "time"}),
    ("faq", "shop/litemall/faq.jsonl", {"question": "question", "answer": "answer"}),
]  # fmt: skip


@pytest.mark.parametrize(("family", "file", "expected"), REAL, ids=[file for _, file, _ in REAL])
def test_real_files(shared: Path, family: str, file: str, expected: dict[str, str]) -> None:
    found = guess(family, shared / file)
    assert found.encoding == "UTF-8"
    assert expected.items() <= found.mapping.items()
    assert not found.missing
    assert all(choice.sure for choice in found.choices if choice.column in expected and choice.column != "description")
