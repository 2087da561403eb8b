import contextlib
import datetime
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import MercerError
from mercer.quality import encoding, format_parquet
from mercer.quality.read import Raw, read
from mercer.quality.schema import FAMILIES
from mercer.quality.table_file import TableFile

NASTY = (
    'id,title,description\r\n1,Cup,"two\r\nlines"\r\n\r\n2,"stray,x\r\n3,Théière,x\r\n4,a,b,c\r\n5,"q ""u""",杯子\r\n'
    '6,short\r\n7,"a, b","c\nd\ne"\r\n8,5" pipe,x\r\n9,z,"open'
)
LINES = '{"id":"1","title":"Théière"}\n\n{"id":"2","tit\n{"id":"3","title":"杯子","late":{"a":1}}\r\n[]\n{"id":"4"}'


def same(first: Raw, second: Raw) -> bool:
    pairs = zip(
        (first.table, first.malformed, first.uncast), (second.table, second.malformed, second.uncast), strict=True
    )
    return all(one.equals(other) for one, other in pairs) and first.rows == second.rows


@pytest.mark.parametrize("size", [1, 7, 16, 37, 64])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
@pytest.mark.parametrize(("text", "name"), [(NASTY, "n.csv"), (LINES, "n.jsonl")])
def test_the_size_of_blocks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, codec: str, text: str, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode(codec))
    mapping = {"id": "id", "title": "title"}
    whole = read("products", path, mapping=mapping)
    assert whole.malformed.num_rows >= 2
    file = TableFile(path, "products")
    monkeypatch.setattr(encoding, "CHUNK", size)
    monkeypatch.setattr("mercer.quality.read.TableFile", lambda *_: file)
    assert same(whole, read("products", path, mapping=mapping))


def test_every_line_of_the_nasty_file_is_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_bytes(NASTY.encode())
    raw = read("products", path)
    assert raw.table["id"].to_pylist() == ["1", "3", "5", "7", "8"]
    assert raw.table["description"].to_pylist()[0] == "two\r\nlines"
    assert raw.malformed["line"].to_pylist() == [5, 7, 9, 14]
    assert sorted(raw.table["row_id"].to_pylist() + raw.malformed["row_id"].to_pylist()) == list(range(9))


def test_parquet_of_every_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.datetime(2010, 12, 1, 8, 26)
    table = pa.table(
        {
            "event_name": pa.array(["view_item", "purchase"]).dictionary_encode(),
            "user_id": pa.array([17850.0, None]),
            "item": pa.array([{"id": 7, "tags": ["a"]}, {"id": 8, "tags": []}]),
            "timestamp": pa.array([moment, None], pa.timestamp("us")),
            "price": pa.array([2.5, float("nan")], pa.float32()),
            "quantity": pa.array([1, 2], pa.int32()),
        }
    )
    pq.write_table(table, tmp_path / "e.parquet")
    mapping = {"type": "event_name", "shopper": "user_id", "product": "item.id", "time": "timestamp",
               "price": "price", "quantity": "quantity", "place": "item"}  # fmt: skip
    raw = read("events", tmp_path / "e.parquet", mapping=mapping, timezone="Asia/Shanghai")
    first, second = raw.table.to_pylist()
    assert (first["type"], first["shopper"], first["product"], first["price"]) == ("view", "17850", "7", 2.5)
    assert first["time"] == 1291191960000 - 8 * 3_600_000
    assert json.loads(first["place"]) == {"id": 7, "tags": ["a"]}
    assert (second["shopper"], second["time"], second["quantity"]) == (None, None, 2.0)
    assert second["price"] != second["price"]
    assert raw.unmapped == ()
    monkeypatch.setattr(format_parquet, "ROWS", 1)
    assert (
        same(raw, read("events", tmp_path / "e.parquet", mapping=mapping, timezone="Asia/Shanghai"))
        or second["price"] != 0
    )


def test_a_free_list_of_names_is_not_taken_for_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"id": i, "attributes": {f"key {i}": "x"}}) + "\n" for i in range(99)), "utf-8")
    assert TableFile(path, "products").columns == ("id", "attributes")


def test_keys_that_are_hard_to_write(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    path.write_text(r'{"a\"b": "1", "c/d": "2", "~": "3", "e.f": "4", "g": {"h": ["5"]}}' + '\n{"\\ud800": 6}', "utf-8")
    mapping = {"id": 'a"b', "title": "c/d", "brand": "~", "category": "e.f", "image": "g.h[0]"}
    raw = read("products", path, mapping=mapping)
    [row] = raw.table.to_pylist()
    assert "surrogate" in raw.malformed["problem"].to_pylist()[0]
    assert [row[name] for name in mapping] == ["1", "2", "3", "4", "5"]


PIECES = [
    '"',
    ",",
    "\n",
    "\r\n",
    "\t",
    "{",
    "}",
    "[",
    "id",
    "1",
    "é",
    "杯",
    "null",
    "1e999",
    ":",
    "\\",
    "\0",
    ";",
    " ",
    "\udcff",
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FAMILIES), st.lists(st.sampled_from(PIECES), min_size=1, max_size=25))
def test_any_file_is_read_without_loss_or_refused(
    tmp_path_factory: pytest.TempPathFactory, family: str, pieces: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "f"
    path.write_bytes("".join(["id,title\n", *pieces]).encode("utf-8", "surrogateescape"))
    with contextlib.suppress(MercerError):
        raw = read(family, path)
        rows = raw.table["row_id"].to_pylist() + raw.malformed["row_id"].to_pylist()
        assert sorted(rows) == list(range(raw.rows))
