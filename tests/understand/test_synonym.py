"""Synonyms: the file is read and refused by line, found in queries as whole words, mined with evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.errors import FormatError
from mercer.understand.synonym import Rule, Synonyms, append
from mercer.understand.synonym_mine import difference, from_clicks, from_retyped, from_titles
from mercer.understand.understand import Understand, UnderstandSettings


def written(folder: Path, text: str) -> Synonyms:
    (folder / "synonyms.txt").write_text(text, "utf-8")
    return Synonyms.read(folder / "synonyms.txt")


def instead(same: Synonyms, query: str) -> dict[str, tuple[str, ...]]:
    return {one.words: one.instead for one in same(query)}


def test_groups_go_both_ways_and_rules_one(tmp_path: Path) -> None:
    same = written(tmp_path, "# ours\n笔记本电脑、笔记本，laptop\ntee => t-shirt, shirt\n! cup, mug\n\n")
    assert instead(same, "red laptops") == {"laptops": ("笔记本电脑", "笔记本")}
    assert instead(same, "轻薄笔记本电脑 15寸") == {"笔记本电脑": ("笔记本", "laptop")}
    assert instead(same, "white tees") == {"tees": ("t-shirt", "shirt")}
    assert instead(same, "t-shirt") == {}
    assert instead(same, "cup") == {}
    assert same.same("mug", "cups")
    assert not same.same("mug", "tee")


def test_one_han_character_counts_only_alone(tmp_path: Path) -> None:
    same = written(tmp_path, "包, 袋子")
    assert instead(same, "面包 红色") == {}
    assert instead(same, "红色 包") == {"包": ("袋子",)}


@pytest.mark.parametrize("line", ["alone", "a =>", "=> b", "! a => b", ", ,"])
def test_a_line_that_is_no_rule_is_refused_by_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(FormatError, match="line 2"):
        written(tmp_path, f"a, b\n{line}\n")


def test_what_is_appended_is_read_back_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "synonyms.txt"
    rules = [Rule(("sofa", "couch")), Rule(("tee",), ("shirt",)), Rule(("a1", "b1"), refused=True)]
    append(path, rules[:2])
    path.write_text(path.read_text("utf-8") + "x1, y1", "utf-8")
    append(path, rules[2:])
    assert Synonyms.read(path).rules == (rules[0], rules[1], Rule(("x1", "y1")), rules[2])


def test_a_query_says_what_stands_for_what() -> None:
    understand = Understand(synonyms=Synonyms([Rule(("sofa", "couch"))]))
    known = understand("sofa covers under $50", same=[("cover", "throw")])
    assert known.words == "sofa covers"
    assert {one.words: one.instead for one in known.alternatives} == {"sofa": ("couch",), "covers": ("throw",)}
    said = [(step.before, step.after) for step in known.steps if step.name == "synonym"]
    assert said == [("sofa", "couch"), ("covers", "throw")]
    assert understand("covers").alternatives == ()
    off = Understand(synonyms=understand.synonyms, settings=UnderstandSettings(synonyms=False))
    assert off("sofa").alternatives == ()


def test_titles_that_write_both_names() -> None:
    titles = [
        "Lenovo/联想 电脑",
        "联想/lenovo 鼠标",
        "Stainless Steel (SS) cup",
        "Stainless steel (SS) pot",
        "black/white mug",
    ]
    found = {(one.one, one.other): one.evidence for one in from_titles([*titles, "黑/white a", "black/white pot"])}
    assert found == {("lenovo", "联想"): "2 titles say both", ("stainless steel", "ss"): "2 titles say both"}


def test_queries_clicked_for_the_same_products() -> None:
    queries = {"q1": "red sofa cover", "q2": "red couch cover", "q3": "blue lamp", "q4": "red sofa cover 12"}
    clicks = [(id, product) for id in ("q1", "q2", "q4") for product in ("p1", "p2", "p3")] + [("q3", "p9")] * 5
    found = from_clicks(queries, clicks)
    assert [(one.one, one.other) for one in found] == [("couch", "sofa")]
    assert "3 products" in found[0].evidence
    assert from_clicks(queries, [("q1", "p1"), ("q2", "p2")]) == []


def test_one_query_typed_after_another() -> None:
    visits = [["red sofa", "red couch"], ["red couch", "red sofa", "lamp"], ["size 12 shoe", "size 14 shoe"]] * 2
    assert [(one.one, one.other) for one in from_retyped(visits)] == [("couch", "sofa")]
    assert difference("12 inch", "14 inch") is None
    assert difference("手机壳 红", "手机套 红") == ("壳", "套") or difference("手机壳 红", "手机套 红") == ("套", "壳")
