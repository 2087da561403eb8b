"""mercer measure search: JSON on standard output alone, refusals with a cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_json_of_the_shops_own_queries(mercer: Any, own_shop: Path) -> None:
    ran = mercer("measure", "search", own_shop, "--json", "--metric", "nDCG@10", "--metric", "Recall@100")
    assert ran.code == 0, ran.err
    board = ran.json
    assert board["refused"] == []
    assert set(board["milliseconds"]) == {"lexical", "dense", "hybrid"}
    assert board["version"]
    assert (own_shop / "store" / "reports" / "measure-search.html").stat().st_size > 1000
    assert "nDCG@10" in str(board)


def test_files_of_ones_own(mercer: Any, own_shop: Path, tmp_path: Path) -> None:
    (tmp_path / "q.tsv").write_text("query_id\ttext\na\tchair\nb\t" + "x" * 2000 + "\nc\tunjudged\n", "utf-8")
    (tmp_path / "j.qrels").write_text("a 0 P10001 3\nb 0 nowhere 1\nz 0 P10002 1\n", "utf-8")
    files = ("--queries", tmp_path / "q.tsv", "--judgments", tmp_path / "j.qrels")
    facts = mercer("measure", "search", own_shop, *files, "--gains", "3=1,1=.1,0=0", "--json").json
    assert facts["refused"] == ["b"], "a query that is too long counts as found nothing"
    assert facts["judged_products_not_in_index"] == 1
    assert (facts["unjudged_queries"], facts["queries_without_text"]) == (1, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--metric", "nDCG@0"], "nDCG@0"),
        (["--metric", "wonder@10"], "wonder"),
        (["--system", "magic"], "system 'magic' is unknown | cure  name live, lexical, dense or hybrid"),
        (["--gains", "3=x"], "3=x"),
        (["--queries", "nowhere.tsv"], "nowhere.tsv"),
    ],
)
def test_what_cannot_be_measured_is_refused(refused: Any, tiny_shop: Path, given: list[str], said: str) -> None:
    assert said in refused("measure", "search", tiny_shop, *given)


def test_queries_and_judgments_without_overlap(refused: Any, tiny_shop: Path, tmp_path: Path) -> None:
    (tmp_path / "q.tsv").write_text("query_id\ttext\na\tchair\n", "utf-8")
    (tmp_path / "j.qrels").write_text("b 0 P10001 3\n", "utf-8")
    said = refused("measure", "search", tiny_shop, "--queries", tmp_path / "q.tsv", "--judgments", tmp_path / "j.qrels")
    assert "1 queries and 1 judged queries share no id | cure  check the query ids" in said


def test_stages_of_the_live_door(mercer: Any, own_shop: Path) -> None:
    ran = mercer("measure", "search", own_shop, "--stages", "--metric", "nDCG@10", "--json")
    assert ran.code == 0, ran.err
    told = ran.json
    assert told["asked"] >= told["judged"] > 0
    assert {"lexical", "encode", "dense", "rank", "all"} <= set(told["stages"])
    for spent in told["stages"].values():
        assert 0 <= spent["p50"] <= spent["p95"] <= spent["p99"]
    for share in told["shares"].values():
        assert 0 <= share["low"] <= share["value"] <= share["high"] <= 1
    assert set(told["shares"]) == {"zero results", "corrected", "suggested", "relaxed", "degraded"}
    assert set(told["board"]["systems"]) == set(told["fallbacks"]) >= {"live", "no dense: lexical", "popular"}
    text = mercer("measure", "search", own_shop, "--stages", "--metric", "nDCG@10").out
    assert "zero results" in text
    assert "no dense: lexical" in text


def test_stages_without_a_judgment_and_with_an_empty_answer(mercer: Any, own_shop: Path, tmp_path: Path) -> None:
    (tmp_path / "q.tsv").write_text("query_id\ttext\na\tdress under 60\nb\t" + "x" * 2000 + "\nc\tdress\n", "utf-8")
    (tmp_path / "j.qrels").write_text("z 0 P10001 3\n", "utf-8")
    files = ("--queries", tmp_path / "q.tsv", "--judgments", tmp_path / "j.qrels")
    told = mercer("measure", "search", own_shop, *files, "--stages", "--json").json
    assert (told["asked"], told["judged"], told["refused"], told["board"]) == (3, 0, 1, None)
    assert told["shares"]["zero results"]["value"] == pytest.approx(1 / 3), "a refused query found nothing"
    assert "no query is judged" in mercer("measure", "search", own_shop, *files, "--stages").out
