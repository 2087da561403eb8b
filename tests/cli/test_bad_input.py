"""Bad files through the command line: a problem and a cure, or a count in quarantine; nothing is lost."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GOOD = "id,title,price,brand\n" + "".join(f"p{n},Mug number {n},{5 + n % 3}.5,Acme\n" for n in range(60))


@pytest.fixture
def checked(mercer: Any, tmp_path: Path) -> Callable[..., Any]:
    """``checked(bytes, events=bytes)``: the files through init and check; the check's answer comes back."""

    def run(products: bytes, *, name: str = "products.csv", code: int = 0, **others: bytes) -> Any:
        files: list[object] = []
        for family, content in {"products": products, **others}.items():
            path = tmp_path / (name if family == "products" else f"{family}.csv")
            path.write_bytes(content)
            files += [f"--{family}", path]
        ran = mercer("init", tmp_path / "shop", "--yes", *files)
        assert ran.code == 0, ran.err
        ran = mercer("check", tmp_path / "shop", "--json")
        assert ran.code == code, ran.err
        return ran.json

    return run


def found(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(line["check"], line["action"]) for line in report["problems"]}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "none.csv"),
        ("empty.csv", b"", "empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "picture.csv"),
        ("zeros.csv", b"\x00" * 5000, "zeros.csv"),
        ("half.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:60], "half.csv.gz"),
        ("not.parquet", b"PAR1" + b"\x01" * 500, "not.parquet"),
    ],
)
def test_a_file_that_is_none_is_refused(
    refused: Any, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert said in refused("init", tmp_path / "shop", "--products", tmp_path / name, "--yes")
    if content is not None:
        assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize(("name", "content"), [("p.csv", "id,title\n"), ("p.jsonl", '{"id": "1", "tit')])
def test_a_file_without_a_product_never_becomes_an_index(mercer: Any, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    codes = [mercer("init", tmp_path / "shop", "--products", tmp_path / name, "--yes").code]
    codes += [mercer(command, tmp_path / "shop").code for command in ("check", "index")]
    assert any(codes)
    assert codes[-1] in (1, 2)


def test_a_folder_for_a_file_is_refused(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv" in refused("init", tmp_path / "shop", "--products", tmp_path / "folder.csv", "--yes")


def test_a_file_for_a_shop_is_refused_and_kept(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(GOOD, "utf-8")
    refused("init", tmp_path / "p.csv", "--products", tmp_path / "p.csv", "--yes")
    assert (tmp_path / "p.csv").read_text("utf-8") == GOOD


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_other_encodings_are_read_or_refused(mercer: Any, tmp_path: Path, encoding: str) -> None:
    rows = "".join(f"p{n},纯棉连衣裙 红色 {n},{5 + n % 3}.5,青山\n" for n in range(60))
    (tmp_path / "p.csv").write_bytes(("id,title,price,brand\n" + rows).encode(encoding))
    ran = mercer("init", tmp_path / "shop", "--products", tmp_path / "p.csv", "--yes")
    if ran.code == 2:
        assert "cure" in ran.err
        return
    assert mercer("check", tmp_path / "shop", "--json").json["manifest"]["rows"]["products"]["trusted"] == 60


def test_half_a_json_line_is_quarantined_alone(checked: Any) -> None:
    rows = [json.dumps({"id": f"p{n}", "title": f"Mug {n}", "price": 5}) for n in range(60)]
    report = checked("\n".join([*rows, '{"id": "p60", "ti']).encode(), name="products.jsonl")
    assert report["manifest"]["rows"]["products"] == {"raw": 61, "trusted": 60, "quarantine": 1}


def test_duplicate_ids_and_shifted_columns_are_found(checked: Any) -> None:
    shifted = "p60,Mug, with a comma,5.5,Acme\n"
    report = checked((GOOD + "p3,Quite another thing,9.5,Zeta\n" + shifted).encode())
    assert "C02" in {check for check, _ in found(report)}
    rows = report["manifest"]["rows"]["products"]
    assert rows["quarantine"] >= 1
    assert rows["trusted"] + rows["quarantine"] == rows["raw"] == 62


@pytest.mark.parametrize("price", ["NaN", "inf", "-inf", "1e400", "-5", "free"])
def test_a_price_that_is_no_price_never_reaches_the_index(
    mercer: Any, checked: Any, tmp_path: Path, price: str
) -> None:
    import math

    import pyarrow.parquet as pq

    report = checked((GOOD + f"p60,Mug number 60,{price},Acme\n").encode())
    folder = tmp_path / "shop" / "store" / "checked" / report["version"]
    prices = pq.read_table(folder / "products.parquet")["price"].to_pylist()
    assert all(one is None or (math.isfinite(one) and one >= 0) for one in prices)
    assert report["manifest"]["rows"]["products"]["raw"] == 61


def test_an_event_for_an_unknown_product_is_quarantined(checked: Any) -> None:
    rows = "".join(f"e{n},view,s{n % 7},p{n % 60},{1_750_000_000_000 + n * 600_000}\n" for n in range(200))
    events = "event_id,type,shopper,product,time\n" + rows + "e200,view,s1,nowhere,1750000000000\n"
    report = checked(GOOD.encode(), events=events.encode())
    assert report["manifest"]["rows"]["events"] == {"raw": 201, "trusted": 200, "quarantine": 1}
    assert ("E01", "quarantine") in found(report)


SCRIPTS = ("กระเป๋าผ้าสีแดง", "حقيبة قماش حمراء", "😀🎒 bag 👜", "赤い布のバッグ", "빨간 천 가방", "красная сумка")


def test_a_catalogue_of_any_script_is_searchable(mercer: Any, checked: Any, tmp_path: Path, tiny_model: str) -> None:
    rows = "".join(f"p{n},{SCRIPTS[n % len(SCRIPTS)]} {n},{5 + n % 3}.5,Acme\n" for n in range(60))
    checked(("id,title,price,brand\n" + rows).encode())
    shop = tmp_path / "shop"
    with (shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        settings.write(tiny_model)
    assert mercer("index", shop).code == 0
    for place, title in enumerate(SCRIPTS):
        word = title.split()[-1] if "😀" not in title else "bag"
        hits = mercer("search", shop, word, "--system", "lexical", "--json", "-k", 5).json["hits"]
        assert hits, title
        assert all(int(hit["id"][1:]) % len(SCRIPTS) == place for hit in hits), title


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[serach]\npool = 3\n", "section [serach] of mercer.toml is unknown | cure  did you mean search?"),
        ("[search]\npol = 3\n", "[search] pol is unknown | cure  did you mean pool?"),
        ("[search]\npool = 3\n", "[search] pool is 3"),
        ("[rank]\ndense = nan\n", "[rank] dense is nan"),
        ("[rank]\ndense = inf\n", "[rank] dense is inf"),
        ("[retrieve.text]\ntitle = 99\n", "title is 99"),
        ("[retrieve]\ntext = 3\n", "[retrieve] text is 3"),
        ("[retrieve\n", "is no TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused(refused: Any, own_shop: Path, text: str, said: str) -> None:
    (own_shop / "mercer.toml").write_text(text, "utf-8")
    assert said in refused("search", own_shop, "x")


@pytest.mark.parametrize(
    "command", ["check", "index", "search", "recommend", "measure", "serve", "promote", "rollback"]
)
def test_a_shop_of_a_newer_mercer_is_left_alone(refused: Any, own_shop: Path, command: str) -> None:
    (own_shop / "store" / "format.json").write_text('{"format": 99}', "utf-8")
    (own_shop / "mercer.toml").write_text("[of_the_future]\n", "utf-8")
    words = {"search": ["search", own_shop, "x"], "measure": ["measure", "search", own_shop]}
    said = refused(*words.get(command, [command, own_shop]))
    assert "has format 99, this Mercer reads up to 1 | cure  upgrade mercer" in said
    assert (own_shop / "store" / "format.json").read_text("utf-8") == '{"format": 99}'


def test_a_full_disk_keeps_the_live_version(mercer: Any, refused: Any, own_shop: Path, tmp_path: Path) -> None:
    import shutil
    import subprocess

    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(path.stat().st_size for path in own_shop.rglob("*") if path.is_file()) + 12_000_000
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"cannot mount a small disk: {made.stderr.decode().strip()}")
    try:
        shop = Path(shutil.copytree(own_shop, disk / "shop"))
        text = (shop / "mercer.toml").read_text("utf-8")
        (shop / "mercer.toml").write_text(text + "\n[retrieve]\nlinks = 20\n", "utf-8")
        before = (shop / "store" / "live.json").read_bytes()
        while (free := shutil.disk_usage(disk).free) > 400_000:
            with (disk / "ballast").open("ab") as ballast:
                ballast.write(b"x" * min(free - 400_000, 100_000))
        said = refused("index", shop)
        assert "no space is left" in said
        assert (shop / "store" / "live.json").read_bytes() == before
        (disk / "ballast").unlink()
        assert mercer("search", shop, "chair").code == 0
        assert mercer("index", shop).code == 0
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
