import json
from pathlib import Path

import pytest

from mercer.errors import FormatError
from mercer.quality.derive import catalogue
from mercer.quality.read import read

INVOICES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID
1,A,RED CUP,2,2010-12-01 08:26:00,2.5,17850.0
2,A,red cup,1,2010-12-02 08:26:00,3.5,17850.0
3,A,RED CUP,1,2010-12-03 08:26:00,0,17850.0
C4,A,damaged,-1,2010-12-05 08:26:00,9.5,17850.0
C5,A,damaged,-1,2010-12-05 08:26:00,9.5,17850.0
C6,A,damaged,-1,2010-12-05 08:26:00,9.5,17850.0
7,B,,1,2010-12-03 08:26:00,-4,17850.0
8,,GHOST,1,2010-12-03 08:26:00,1,17850.0
"""


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    path = tmp_path / "invoices.csv"
    path.write_text(INVOICES, "utf-8")
    return path


def test_the_order_of_rows_does_not_matter(invoices: Path) -> None:
    head, *rows = INVOICES.splitlines()
    turned = invoices.with_name("turned.csv")
    turned.write_text("\n".join([head, *reversed(rows)]), "utf-8")
    first, second = (catalogue(read("events", path)).table for path in (invoices, turned))
    assert first.equals(second)


def test_where_no_column_holds_titles_the_code_is_the_title(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("user_id,item_id,event_type,timestamp\nu1,A7,view,1291191960\nu2,B8,cart,1291191961\n", "utf-8")
    products = catalogue(read("events", path))
    assert products.table["title"].to_pylist() == ["A7", "B8"]
    assert json.loads(products.table["derived"][0].as_py()) == ["id", "title"]


def test_events_without_products_derive_nothing(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("user_id,item_id,event_type,timestamp\nu1,,view,1291191960\n", "utf-8")
    with pytest.raises(FormatError, match="names no product"):
        catalogue(read("events", path))


def test_brand_and_category_come_along_and_refunds_count_last(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(
        "event_time,event_type,product_id,category_code,brand,price,user_id\n"
        "2020-01-01 00:00:00,view,A,shoes,acme,5,u\n2020-01-02 00:00:00,view,A,shoes,acme,6,u\n"
        "2020-01-03 00:00:00,refund,A,hats,acne,7,u\n2020-01-03 00:00:00,refund,A,hats,acne,7,u\n"
        "2020-01-03 00:00:00,refund,A,hats,acne,7,u\n",
        "utf-8",
    )
    [row] = catalogue(read("events", path)).table.to_pylist()
    assert (row["brand"], row["category"], row["price"]) == ("acme", "shoes", 6.0)
