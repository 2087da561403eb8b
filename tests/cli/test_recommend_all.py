"""A page for every shopper: the same pages as one by one, in either kind of file, and a cut-off run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def lines(path: Path) -> dict[str, list[str]]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {row["shopper"]: [hit["product"] for hit in row["hits"]] for row in rows}


def test_everybody_gets_their_page(own_shop: Path, tmp_path: Path, mercer: Callable[..., Any]) -> None:
    out, table = tmp_path / "mail.jsonl", tmp_path / "mail.parquet"
    ran = mercer("recommend", own_shop, "--all", "--out", out, "-k", 4, "--language", "zh", "--json")
    assert (ran.code, ran.err.count("error")) == (0, 0), ran.err
    pages = lines(out)
    assert ran.json["shoppers"] == len(pages) > 10
    assert ran.json["resumed"] == 0
    assert not list(tmp_path.glob("*.part*"))
    one = next(iter(pages))
    alone = mercer("recommend", own_shop, "--shopper", one, "-k", 4, "--json").json
    assert [hit["id"] for hit in alone["hits"]] == pages[one]
    assert len({tuple(page) for page in pages.values()}) > len(pages) / 2, "everybody got the same"

    assert mercer("recommend", own_shop, "--all", "--out", table, "-k", 4).code == 0
    rows = pq.read_table(table).to_pylist()
    assert [row["position"] for row in rows[:4]] == [1, 2, 3, 4]
    assert {name: [row["product"] for row in rows if row["shopper"] == name] for name in pages} == pages


def test_a_run_that_was_cut_off_goes_on(own_shop: Path, tmp_path: Path, mercer: Callable[..., Any]) -> None:
    import mercer.cli.recommend_all as room

    out, part = tmp_path / "mail.jsonl", tmp_path / "mail.jsonl.part"
    asked = ("recommend", own_shop, "--all", "--out", out, "-k", 3, "--json")
    assert mercer(*asked).code == 0
    whole = lines(out)
    kept: list[str] = []
    finished = room._finished

    def cut(path: Path, _: Path) -> int:
        kept.extend(path.read_text("utf-8").splitlines(keepends=True))
        return finished(path, out)

    room._finished = cut
    try:
        assert mercer(*asked).code == 0
    finally:
        room._finished = finished
    out.unlink()
    marked = json.loads(kept[1]) | {"hits": [{"product": "kept from before"}]}
    part.write_text(kept[0] + json.dumps(marked) + "\n" + kept[2] + kept[3][:9], "utf-8")
    ran = mercer(*asked)
    assert (ran.code, ran.json["resumed"]) == (0, 2)
    again = lines(out)
    assert again.pop(marked["shopper"]) == ["kept from before"]
    assert again == {name: page for name, page in whole.items() if name != marked["shopper"]}

    part.write_text(kept[0].replace('"k": 3', '"k": 9') + kept[1], "utf-8")
    assert mercer(*asked).json["resumed"] == 0, "another question is no run to go on with"
    assert lines(out) == whole


def test_what_cannot_be_is_refused(own_shop: Path, tmp_path: Path, refused: Any) -> None:
    assert "no .jsonl" in refused("recommend", own_shop, "--all", "--out", tmp_path / "mail.csv")
    assert "do not go together" in refused("recommend", own_shop, "--all")
    assert "do not go together" in refused("recommend", own_shop, "--all", "--out", "x.jsonl", "--shopper", "s")
    told = refused("recommend", own_shop, "--all", "--out", tmp_path / "m.jsonl", "--scene", "basket", "--basket", "P1")
    assert "not for everybody" in told


def test_a_basket_and_a_session_are_asked_for(own_shop: Path, mercer: Callable[..., Any]) -> None:
    first = mercer("recommend", own_shop, "-k", 1, "--json").json["hits"][0]["id"]
    page = mercer("recommend", own_shop, "--basket", first, "--json")
    assert page.code == 0, page.err
    assert first not in {hit["id"] for hit in page.json["hits"]}
    context = ("--session", "v1", "--device", "phone", "--occasion", "gift")
    assert mercer("recommend", own_shop, *context, "--json").code == 0
