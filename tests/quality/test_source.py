import json
from pathlib import Path

import pyarrow.compute as pc
import pytest

from mercer.errors import NotFoundError, SettingsError
from mercer.quality.schema import SCHEMAS
from mercer.quality.source import read_all, sources

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


def test_a_catalogue_from_events_has_the_usual_title_and_the_last_good_price(invoices: Path) -> None:
    found = read_all(sources(invoices.parent, {"events": "invoices.csv"}, {}))
    assert list(found) == ["products", "events"]
    products = found["products"]
    assert products.table.schema == SCHEMAS["products"]
    assert products.format == "derived"
    assert [(row["row_id"], row["id"], row["title"], row["price"]) for row in products.table.to_pylist()] == [
        (0, "A", "RED CUP", 3.5),
        (1, "B", None, None),
    ]
    assert [json.loads(text) for text in products.table["derived"].to_pylist()] == [["id", "title", "price"], ["id"]]


def test_a_mapping_for_the_derived_catalogue(invoices: Path) -> None:
    maps = {"products": {"id": "StockCode", "title": "Description", "currency": "=GBP"}}
    found = read_all(sources(invoices.parent, {"products": "=events", "events": "invoices.csv"}, maps))
    assert found["products"].table["currency"].to_pylist() == ["GBP", "GBP"]
    assert found["products"].table["price"].null_count == 2


def test_paths_mapping_and_timezone(tmp_path: Path) -> None:
    data = {"products": "raw/p.csv", "faq": "/data/faq.csv", "timezone": "Asia/Shanghai"}
    found = sources(tmp_path, data, {"products": {"id": "a"}})
    assert found["products"].path == tmp_path / "raw/p.csv"
    assert found["products"].mapping == {"id": "a"}
    assert not found["products"].derived
    assert found["faq"].path == Path("/data/faq.csv")
    assert (found["faq"].mapping, found["faq"].timezone) == (None, "Asia/Shanghai")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="names no data") as caught:
        sources(tmp_path, {}, {})
    assert "mercer init" in caught.value.cure
    with pytest.raises(SettingsError, match="product"):
        sources(tmp_path, {"product": "p.csv"}, {})
    with pytest.raises(SettingsError, match="without events"):
        sources(tmp_path, {"products": "=events"}, {})


def test_progress_says_the_family(invoices: Path) -> None:
    counted: dict[str, int] = {}

    def tick(family: str, rows: int) -> None:
        counted[family] = counted.get(family, 0) + rows

    read_all(sources(invoices.parent, {"events": "invoices.csv"}, {}), tick=tick)
    assert counted == {"products": 8, "events": 8}


def test_online_retail(shared: Path) -> None:
    found = read_all(sources(shared / "shop/online_retail", {"events": "online_retail.csv.gz"}, {}))
    events, products = found["events"].table, found["products"].table
    assert len(events) == found["events"].rows == 541_909
    assert pc.count_distinct(events["event_id"]).as_py() == 541_909
    assert pc.count_distinct(events["shopper"]).as_py() == 4_372
    assert events["time"].null_count == events["price"].null_count == 0
    assert len(products) == 4_070
    white = products.filter(pc.equal(products["id"], "85123A")).to_pylist()[0]
    assert white["title"] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert white["price"] == 2.95


def test_esci_and_taobao(shared: Path) -> None:
    files = {"products": "products.jsonl.gz", "queries": "queries.tsv", "judgments": "qrels.tsv"}
    found = read_all(sources(shared / "search/esci150", files, {}))
    assert {family: raw.rows for family, raw in found.items()} == {"products": 6764, "queries": 100, "judgments": 4471}
    ids = found["products"].table["id"]
    assert pc.all(pc.is_in(found["judgments"].table["product"], ids.combine_chunks())).as_py()
    assert found["products"].table["price"].null_count > 0
    assert pc.any(pc.match_substring(found["products"].table["category"], " > ")).as_py()
    assert all(raw.malformed.num_rows == raw.uncast.num_rows == 0 for raw in found.values())
    found = read_all(sources(shared / "search/taobao250", files | {"products": "products.jsonl"}, {}))
    assert {family: raw.rows for family, raw in found.items()} == {"products": 4757, "queries": 150, "judgments": 150}


def test_retail_demo_store_and_litemall(shared: Path) -> None:
    demo = read_all(sources(shared / "shop/retail_demo_store", {"products": "products.jsonl"}, {}))["products"].table
    assert len(demo) == 2465
    assert demo["stock"].null_count < 100
    assert json.loads(demo["attributes"][0].as_py())["gender_affinity"] == "F"
    files = {"products": "products.jsonl", "reviews": "reviews.jsonl", "faq": "faq.jsonl"}
    found = read_all(sources(shared / "shop/litemall", files, {}))
    assert {family: raw.rows for family, raw in found.items()} == {"products": 239, "reviews": 1004, "faq": 4}
    first = found["products"].table.to_pylist()[0]
    assert (first["category"], first["price"], first["list_price"]) == ("居家 > 床品件套", 899.0, 919.0)
    assert json.loads(first["attributes"])["材质"] == "100%棉"
    assert found["reviews"].table["rating"].null_count == found["reviews"].table["time"].null_count == 0
