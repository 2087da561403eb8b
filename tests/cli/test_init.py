import json
import tomllib
from functools import partial
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from mercer.cli.init import register
from mercer.errors import FormatError, MercerError, NotFoundError, SettingsError, UsageError
from mercer.quality.source import read_all, sources
from mercer.sample import FILES, SampleSettings
from mercer.shop import Shop

app = typer.Typer(pretty_exceptions_enable=False)
register(app)


@app.callback()
def main() -> None:
    """So that init stays a sub-command."""


def run(*arguments: object, fails: type[MercerError] | None = None, types: str = "") -> Result:
    result = CliRunner().invoke(app, ["init", *map(str, arguments)], input=types)
    if fails is None:
        assert result.exception is None, result.exception
    else:
        assert isinstance(result.exception, fails), result.exception
    return result


@pytest.fixture
def goods(tmp_path: Path) -> Path:
    path = tmp_path / "goods.csv"
    path.write_text("asin,name,price,supplier\nB1,Cup,2.5,Acme\nB2,Mug,3,Acme\n", "utf-8")
    return path


def settings(shop: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads((shop / "mercer.toml").read_text("utf-8"))


def test_it_makes_a_shop_that_can_be_read(tmp_path: Path, goods: Path) -> None:
    shop = tmp_path / "shop"
    result = run(shop, "--products", goods)
    assert Shop(shop).folder == shop
    written = settings(shop)
    assert written["data"] == {"products": str(goods.resolve()), "timezone": "UTC"}
    assert written["map"] == {"products": {"id": "asin", "title": "name", "price": "price", "brand": "supplier"}}
    assert read_all(sources(shop, written["data"], written["map"]))["products"].rows == 2
    for word in ("asin", "supplier", "UTF-8", "csv", "comma", "Acme", "%"):
        assert word in result.stderr
    assert result.stdout == ""


def test_json_for_machines(tmp_path: Path, goods: Path) -> None:
    said = json.loads(run(tmp_path / "shop", "--products", goods, "--json").stdout)
    assert said["map"]["products"]["id"] == "asin"
    found = said["files"]["products"]
    assert (found["format"], found["encoding"], found["delimiter"]) == ("csv", "UTF-8", ",")
    column = next(column for column in found["columns"] if column["column"] == "brand")
    assert column["raw"] == "supplier"
    assert column["preview"] == ["Acme"]
    assert 0 < column["confidence"] <= 1


def test_what_the_owner_wrote_is_kept(tmp_path: Path, goods: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "mercer.toml").write_text('[search]\n# mine\nalpha = 0.3\n[data]\nfaq = "faq.csv"\n', "utf-8")
    run(shop, "--products", goods)
    run(shop, "--products", goods, "--timezone", "Asia/Shanghai")
    written = settings(shop)
    assert written["search"] == {"alpha": 0.3}
    assert written["data"] == {"faq": "faq.csv", "products": str(goods.resolve()), "timezone": "Asia/Shanghai"}
    assert "# mine" in (shop / "mercer.toml").read_text("utf-8")


def test_files_inside_the_shop_are_named_relative_to_it(tmp_path: Path, goods: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "raw").mkdir(parents=True)
    goods.rename(shop / "raw" / "goods.csv")
    run(shop, "--products", shop / "raw" / "goods.csv")
    assert settings(shop)["data"]["products"] == "raw/goods.csv"


def test_without_products_the_catalogue_comes_from_the_events(tmp_path: Path) -> None:
    events = tmp_path / "e.csv"
    events.write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice\n1,A,RED CUP,2,2010-12-01 08:26:00,2.5\n",
        "utf-8",
    )
    result = run(tmp_path / "shop", "--events", events)
    written = settings(tmp_path / "shop")
    assert written["data"]["products"] == "=events"
    assert written["map"]["products"] == {"id": "StockCode", "price": "UnitPrice", "title": "Description"}
    assert "derived" in result.stderr
    found = read_all(sources(tmp_path / "shop", written["data"], written["map"]))
    assert found["products"].table["title"].to_pylist() == ["RED CUP"]


def test_ids_known_from_judgments_settle_the_product_id(tmp_path: Path) -> None:
    goods, qrels = tmp_path / "p.csv", tmp_path / "qrels.txt"
    goods.write_text("id,asin,title\n" + "".join(f"{i},B{i},Chair {i}\n" for i in range(9)), "utf-8")
    qrels.write_text("".join(f"q1 0 B{i} 1\n" for i in range(9)), "utf-8")
    run(tmp_path / "shop", "--products", goods, "--judgments", qrels)
    assert settings(tmp_path / "shop")["map"]["products"]["id"] == "asin"


def test_wrong_use_leaves_no_shop(tmp_path: Path, goods: Path) -> None:
    shop = tmp_path / "shop"
    run(shop, fails=UsageError)
    run(shop, "--products", tmp_path / "none.csv", fails=NotFoundError)
    run(shop, "--products", tmp_path, fails=FormatError)
    run(shop, "--products", goods, "--sample", fails=UsageError)
    run(shop, "--products", goods, "--timezone", "Mars/Olympus", fails=SettingsError)
    assert not shop.exists()


def test_a_broken_settings_file_is_not_overwritten(tmp_path: Path, goods: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "mercer.toml").write_text("[data\n", "utf-8")
    run(shop, "--products", goods, fails=SettingsError)
    assert (shop / "mercer.toml").read_text("utf-8") == "[data\n"


def test_on_a_terminal_only_the_unsure_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercer.cli.init._at_terminal", lambda: True)
    path = tmp_path / "e.csv"
    path.write_text("user_id,item_id,what,timestamp\nu1,A,seen it,1291191960\nu2,B,took it,1291191961\n", "utf-8")
    result = run(tmp_path / "asked", "--events", path, types="wat\nwhat\n")
    assert settings(tmp_path / "asked")["map"]["events"]["type"] == "what"
    assert "did you mean 'what'?" in result.stderr
    assert result.stderr.count("is read from") == 2
    run(tmp_path / "left", "--events", path, types="\n")
    assert settings(tmp_path / "left")["map"]["events"]["type"] == "=view"
    assert "is read from" not in run(tmp_path / "yes", "--events", path, "--yes").stderr


def test_the_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "商品.csv"
    path.write_bytes(
        "商品编号,商品名称,价格\n1,轻奢纯棉刺绣水洗四件套,899\n2,秋冬保暖加厚澳洲羊毛被,459\n".encode("gb18030")
    )
    result = run(tmp_path / "shop", "--products", path)
    assert "GB18030" in result.stderr
    assert settings(tmp_path / "shop")["map"]["products"] == {"id": "商品编号", "title": "商品名称", "price": "价格"}


def test_an_invented_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = partial(SampleSettings, products=200, shoppers=30, events=900, queries=20, images=2)
    monkeypatch.setattr("mercer.sample.SampleSettings", small)
    shop = tmp_path / "shop"
    run(shop, "--sample", "--seed", 3)
    written = settings(shop)
    assert written["data"] == {family: f"raw/{name}" for family, name in FILES.items()} | {"timezone": "UTC"}
    assert written["map"]["events"]["product"] == "product"
    found = read_all(sources(shop, written["data"], written["map"]))
    assert {family: raw.rows for family, raw in found.items() if family in ("products", "events")} == {
        "products": 200,
        "events": 900,
    }
    assert all(raw.malformed.num_rows == raw.uncast.num_rows == 0 for raw in found.values())
    assert all(raw.unmapped == () for raw in found.values())
