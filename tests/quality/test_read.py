import gzip
import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import EncodingError, FormatError, NotFoundError, SettingsError
from mercer.quality.read import Raw, read
from mercer.quality.schema import SCHEMAS

GOODS = [
    {"id": "1", "title": "Cup", "price": 2.5, "category": ["Home", "Kitchen"],
     "attributes": {"colour": "red", "cl": 30}},
    {"id": "2", "title": "杯子", "price": None, "category": [], "bullet_points": ["light", "blue"], "rating_count": 7},
]  # fmt: skip


def write(folder: Path, data: str | bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def column(raw: Raw, name: str) -> list[object]:
    return raw.table[name].to_pylist()


def uncast(raw: Raw) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in raw.uncast.to_pylist()]


@pytest.mark.parametrize("name", ["g.jsonl", "g.jsonl.gz", "g.jsonl.zst", "g.parquet", "g.parquet.gz"])
def test_json_lines_and_parquet_give_the_same_table(tmp_path: Path, name: str) -> None:
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in GOODS)
    whole = [dict.fromkeys(("id", "title", "price", "category", "attributes", "bullet_points", "rating_count")) | row
             for row in GOODS]  # fmt: skip
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(whole), sink)
    data = sink.getvalue().to_pybytes() if "parquet" in name else lines.encode()
    if name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    if name.endswith(".zst"):
        data = pa.compress(data, codec="zstd", asbytes=True)
    raw = read("products", write(tmp_path, data, name))
    assert raw.table.schema == SCHEMAS["products"]
    assert column(raw, "row_id") == [0, 1]
    assert column(raw, "title") == ["Cup", "杯子"]
    assert column(raw, "price") == [2.5, None]
    assert column(raw, "category") == ["Home > Kitchen", None]
    assert column(raw, "bullets") == [None, "light\nblue"]
    assert json.loads(str(column(raw, "attributes")[0])) == {"colour": "red", "cl": "30"}
    assert column(raw, "rating_count") == [None, 7]
    assert (raw.rows, raw.malformed.num_rows, raw.uncast.num_rows) == (2, 0, 0)
    assert raw.encoding == ("" if "parquet" in name else "UTF-8")
    assert raw.format == ("parquet" if "parquet" in name else "jsonl")


def test_half_a_json_line_goes_out_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, '{"id": "1", "title": "a"}\n\n{"id": "2", "tit\n[1]\n{"id": "3", "title": "b"}', "h.jsonl")
    raw = read("products", path)
    assert column(raw, "id") == ["1", "3"]
    assert column(raw, "row_id") == [0, 3]
    assert raw.rows == 4
    bad = raw.malformed.to_pylist()
    assert [(row["row_id"], row["line"], row["text"]) for row in bad] == [(1, 3, '{"id": "2", "tit'), (2, 4, "[1]")]
    assert "no JSON" in bad[0]["problem"]
    assert "list" in bad[1]["problem"]


def test_shifted_columns_in_a_csv(tmp_path: Path) -> None:
    raw = read("products", write(tmp_path, "id,title,price\n1,Cup,2\n2,Plate\n3,Fork,1,x\n4,Knife,3\n", "s.csv"))
    assert column(raw, "row_id") == [0, 3]
    assert [(row["row_id"], row["line"]) for row in raw.malformed.to_pylist()] == [(1, 3), (2, 4)]


def test_nan_and_infinite_prices_stay_and_text_is_told(tmp_path: Path) -> None:
    raw = read(
        "products", write(tmp_path, "id,title,price\n1,a,NaN\n2,b,inf\n3,c,-inf\n4,d,free\n5,e,\n6,f,1e999\n", "n.csv")
    )
    prices = column(raw, "price")
    assert math.isnan(prices[0])  # type: ignore[arg-type]
    assert prices[1:3] == [math.inf, -math.inf]
    assert prices[3:] == [None, None, math.inf]
    assert uncast(raw) == [(3, "price", "free")]


def test_nan_in_json_too(tmp_path: Path) -> None:
    raw = read(
        "products",
        write(tmp_path, '{"id":"1","title":"a","price":NaN}\n{"id":"2","title":"b","price":Infinity}\n', "n.jsonl"),
    )
    assert math.isnan(column(raw, "price")[0])  # type: ignore[arg-type]
    assert column(raw, "price")[1] == math.inf


def test_bytes_that_are_no_text_cost_their_row_only(tmp_path: Path) -> None:
    data = "id,title\n1,Théière\n2,Crème\n".encode() + b"3,caf\xe9\n4,Cup\n"
    raw = read("products", write(tmp_path, data, "b.csv"))
    assert column(raw, "id") == ["1", "2", "4"]
    [bad] = raw.malformed.to_pylist()
    assert (bad["row_id"], bad["line"], bad["text"]) == (2, 4, "3\tcaf\\xe9")
    lines = '{"id":"1","title":"é"}\n'.encode() + b'{"id":"2","title":"\xe9"}\n'
    raw = read("products", write(tmp_path, lines, "b.jsonl"))
    assert column(raw, "id") == ["1"]
    assert raw.malformed["text"].to_pylist() == ['{"id":"2","title":"\\xe9"}']


def test_duplicate_column_names_are_told_apart(tmp_path: Path) -> None:
    raw = read("products", write(tmp_path, "id,title,title\n1,Cup,Mug\n", "d.csv"))
    assert column(raw, "title") == ["Cup"]
    assert raw.unmapped == ("title (2)",)


@pytest.mark.parametrize(
    ("codec", "said"), [("gb18030", "GB18030"), ("utf-16", "UTF-16"), ("utf-8-sig", "UTF-8 with BOM")]
)
def test_chinese_exports(tmp_path: Path, codec: str, said: str) -> None:
    text = (
        "商品编号,商品名称,价格,原价,类目,库存,是否有货\n"
        '1001,轻奢纯棉四件套,¥899.00,"¥1,299.00",居家>床品,12,有货\n'
        "1002,羊毛被,¥459.00,,居家>被枕,0,缺货\n"
    )
    raw = read("products", write(tmp_path, text.encode(codec), "c.csv"))
    assert raw.encoding == said
    nothing = dict.fromkeys(SCHEMAS["products"].names)
    assert raw.table.to_pylist()[0] == nothing | {
        "row_id": 0,
        "id": "1001", "title": "轻奢纯棉四件套", "category": "居家 > 床品", "price": 899.0, "list_price": 1299.0,
        "currency": "CNY", "stock": 12, "availability": "in_stock",
    }  # fmt: skip


def test_google_merchant_feed(tmp_path: Path) -> None:
    text = (
        "id|title|description|link|image_link|availability|price|sale_price|brand|google_product_category|color\n"
        "A1|Mug|A mug|https://s.example/1|https://s.example/1.jpg|in stock|15.00 USD|12.00 USD|Acme|Home > Mugs|red\n"
        "A2|Cup|A cup|https://s.example/2|https://s.example/2.jpg|preorder|9.00 USD||Acme|Home > Cups|red\n"
    )
    raw = read("products", write(tmp_path, text.replace("|", "\t"), "g.tsv"))
    assert column(raw, "price") == [12.0, 9.0]
    assert column(raw, "list_price") == [15.0, 9.0]
    assert column(raw, "currency") == ["USD", "USD"]
    assert column(raw, "availability") == ["in_stock", "preorder"]
    assert column(raw, "image")[0] == "https://s.example/1.jpg"
    assert json.loads(str(column(raw, "attributes")[0])) == {"color": "red"}


def test_schema_org_product(tmp_path: Path) -> None:
    line = {"@type": "Product", "sku": "A1", "name": "Mug", "brand": {"@type": "Brand", "name": "Acme"},
            "image": ["a.jpg", "b.jpg"], "aggregateRating": {"ratingValue": 4.5, "reviewCount": 11},
            "offers": {"price": "15.00", "priceCurrency": "EUR",
                       "availability": "https://schema.org/OutOfStock"}}  # fmt: skip
    raw = read("products", write(tmp_path, json.dumps(line), "o.jsonl"))
    found = raw.table.to_pylist()[0]
    assert {name: found[name] for name in ("id", "title", "brand", "price", "currency", "availability", "image")} == {
        "id": "A1", "title": "Mug", "brand": "Acme", "price": 15.0, "currency": "EUR", "availability": "out_of_stock",
        "image": "a.jpg",
    }  # fmt: skip
    assert (found["rating"], found["rating_count"]) == (4.5, 11)


def test_ga4_events(tmp_path: Path) -> None:
    text = "event_name,user_pseudo_id,item_id,event_timestamp\n"
    text += "view_item,u1,A1,1291191960000000\nscroll,u1,A1,1291191961000000\n"
    raw = read("events", write(tmp_path, text, "e.csv"))
    assert column(raw, "type") == ["view", "scroll"]
    assert column(raw, "time") == [1291191960000, 1291191961000]
    assert len(set(column(raw, "event_id"))) == 2


def test_ubi_events(tmp_path: Path) -> None:
    line = {"action_name": "add_to_cart", "query_id": "q", "client_id": "c", "user_id": "u",
            "timestamp": "2010-12-01T08:26:00Z",
            "event_attributes": {"object": {"object_id": "A1"}, "position": {"ordinal": 3}}}  # fmt: skip
    found = read("events", write(tmp_path, json.dumps(line), "u.jsonl")).table.to_pylist()[0]
    assert (found["type"], found["query_id"], found["product"], found["position"]) == ("add_to_cart", "q", "A1", 3)
    assert (found["shopper"], found["time"]) == ("u", 1291191960000)


def test_invoices_are_purchases_and_refunds(tmp_path: Path) -> None:
    text = ("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
            "1,A,Cup,2,2010-12-01 08:26:00,2.5,17850.0\n"
            "C2,A,Cup,-1,2010-12-01 08:27:00,2.5,\n3,A,,-5,2010-12-01 08:28:00,0,\n")  # fmt: skip
    path = write(tmp_path, text, "i.csv")
    raw = read("events", path)
    assert raw.mapping["type"] == "=purchase|refund"
    assert column(raw, "type") == ["purchase", "refund", "refund"]
    assert column(raw, "shopper") == ["17850", None, None]
    assert column(raw, "event_id") == column(read("events", path), "event_id")
    assert raw.unmapped == ("Description",)


def test_a_mapping_decides_and_constants_fill(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c\nx,Cup,5\n", "m.csv")
    raw = read("products", path, mapping={"id": "a", "title": "b", "currency": "=CNY"})
    assert (column(raw, "id"), column(raw, "title"), column(raw, "currency")) == (["x"], ["Cup"], ["CNY"])
    assert raw.unmapped == ("c",)
    with pytest.raises(SettingsError, match="column 'bb'") as caught:
        read("products", path, mapping={"id": "a", "title": "bb"})
    assert "'b'" in caught.value.cure
    with pytest.raises(SettingsError, match="titel") as caught:
        read("products", path, mapping={"titel": "b"})
    assert "'title'" in caught.value.cure


def test_a_json_key_may_come_late(tmp_path: Path) -> None:
    lines = '{"id":"1","title":"a"}\n' * 3 + '{"id":"2","title":"b","late":1}\n'
    raw = read("products", write(tmp_path, lines, "l.jsonl"), mapping={"id": "id", "title": "title", "stock": "late"})
    assert column(raw, "stock") == [None, None, None, 1]


@pytest.mark.parametrize(
    ("data", "name", "error", "word"),
    [
        (b"", "a.csv", FormatError, "0 bytes"),
        (b"", "a.csv.gz", FormatError, "0 bytes"),
        (gzip.compress(b"id,title\n1,a\n", mtime=0)[:-9], "a.csv.gz", FormatError, "gzip"),
        (b"id,title,price\n", "a.csv", FormatError, "no rows"),
        (b"\xef\xbb\xbf", "a.csv", FormatError, "blank"),
        (b"\n\n", "a.csv", FormatError, "blank"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a.csv", EncodingError, "PNG"),
        (b"PK\x03\x04\0\0", "a.xlsx", EncodingError, "Excel"),
        (b"PAR1 and then nothing", "a.parquet", FormatError, "Parquet"),
        (b'[{"id": "1"}]', "a.json", FormatError, "JSON array"),
        (b'{"id": "1", "tit', "a.jsonl", FormatError, "none of 1 rows"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(tmp_path: Path, data: bytes, name: str, error: type, word: str) -> None:
    with pytest.raises(error, match=word) as caught:
        read("products", write(tmp_path, data, name))
    assert caught.value.cure


def test_places_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="folder"):
        read("products", tmp_path)
    with pytest.raises(NotFoundError, match="not there"):
        read("products", tmp_path / "none.csv")
    with pytest.raises(SettingsError, match="family"):
        read("product", tmp_path / "none.csv")


def test_progress_counts_every_row(tmp_path: Path) -> None:
    counted: list[int] = []
    raw = read("products", write(tmp_path, "id,title\n1,a\n2,b\nx\n", "p.csv"), tick=counted.append)
    assert sum(counted) == raw.rows == 3


WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12).filter(
    lambda word: word.lower() not in ("null", "none", "nan", "nat", "na", "无")
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(WORD, WORD, st.floats(0, 1e9)), min_size=1, max_size=8))
def test_products_written_as_json_lines_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, float]]
) -> None:
    lines = "".join(json.dumps({"id": a, "title": b, "price": p}, ensure_ascii=False) + "\n" for a, b, p in rows)
    path = write(tmp_path_factory.mktemp("r"), lines, "r.jsonl")
    raw = read("products", path, mapping={"id": "id", "title": "title", "price": "price"})
    assert list(zip(column(raw, "id"), column(raw, "title"), column(raw, "price"), strict=True)) == rows
