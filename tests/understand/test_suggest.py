"""Completions: the right ones, in the right order, in both languages, fast, and through a file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import FormatError, SettingsError
from mercer.records import Product
from mercer.understand.suggest import Suggest, SuggestSettings, head, normal

PRODUCTS = [
    Product("1", "Oak Serving Board, oiled", brand="Nordwald", category=("Kitchen", "Serving")),
    Product("2", "【新品】手冲咖啡壶 600ml", brand="山间", category=("厨房", "咖啡器具")),
    Product("3", "Linen Apron", brand="Nordwald", category=("Kitchen", "Textiles")),
    Product("4", "小化妆包", brand="Lumi 璐米", category=("美妆",)),
]
QUERIES = {"oak board": 9, "Oatmeal bowl": 2, "咖啡壶": 5, "咖啡豆": 1}


@pytest.fixture(scope="module")
def suggest() -> Suggest:
    return Suggest.build(PRODUCTS, QUERIES)


def test_queries_come_by_frequency_and_before_titles(suggest: Suggest) -> None:
    assert suggest("oa", 10) == ["oak board", "Oatmeal bowl", "Oak Serving Board"]
    assert suggest("咖啡", 10)[:2] == ["咖啡壶", "咖啡豆"]


def test_any_word_may_be_begun(suggest: Suggest) -> None:
    assert suggest("board", 10) == ["oak board", "Oak Serving Board"]
    assert "Oak Serving Board" in suggest("serv", 10)
    assert suggest("oard", 10) == []


def test_chinese_begins_at_any_character(suggest: Suggest) -> None:
    assert suggest("化妆", 10) == ["小化妆包"]
    assert suggest("包", 10) == ["小化妆包"]
    assert "手冲咖啡壶" in suggest("咖啡壶", 10)
    assert suggest("璐", 10) == ["Lumi 璐米"]


def test_width_case_and_spaces_do_not_matter(suggest: Suggest) -> None:
    assert suggest("ＮＯＲＤ", 10) == suggest("  nord", 10) == ["Nordwald"]
    assert suggest("OAK   bo", 10) == ["oak board"]


def test_brands_and_categories_are_there_once(suggest: Suggest) -> None:
    assert suggest("kitchen", 10) == ["Kitchen"]
    assert suggest("nordwald", 10) == ["Nordwald"]


def test_nothing_typed_gives_the_most_common(suggest: Suggest) -> None:
    assert suggest("", 2) == ["oak board", "咖啡壶"]


def test_k_is_obeyed(suggest: Suggest) -> None:
    assert len(suggest("", 3)) == 3
    assert suggest("oa", 0) == suggest("oa", -1) == []


def test_what_names_a_person_is_shown_to_nobody() -> None:
    suggest = Suggest.build([], {"mail me at a@b.org": 99, "13800138000": 99, "tea": 1})
    assert suggest("", 10) == ["tea"]


def test_same_text_in_other_cases_is_one_entry() -> None:
    suggest = Suggest.build([], {"Tea Cup": 2, "tea cup": 5, "TEA  CUP": 1})
    assert suggest("tea", 10) == ["tea cup"]


def test_saved_and_loaded_is_the_same(suggest: Suggest, tmp_path: Path) -> None:
    suggest.save(tmp_path / "suggest.json")
    loaded = Suggest.load(tmp_path / "suggest.json")
    for prefix in ("", "o", "咖", "kit", "zzz"):
        assert loaded(prefix, 10) == suggest(prefix, 10)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 9, "entries": []}', '{"format": 1}'])
def test_damaged_file_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "suggest.json").write_text(text, "utf-8")
    with pytest.raises(FormatError, match=r"suggest\.json"):
        Suggest.load(tmp_path / "suggest.json")


def test_settings_are_checked() -> None:
    with pytest.raises(SettingsError, match="entries is 0"):
        SuggestSettings(entries=0)


def test_the_answers_worked_out_ahead_are_the_answers() -> None:
    """Prefixes with many keys are answered from a table; it must say what a scan says."""
    entries = {
        f"{first}{second} item {number}": float(number % 17)
        for number in range(120)
        for first in "ab"
        for second in "xyz"
    }
    suggest = Suggest(entries)
    assert "a" in suggest._written._ahead
    for prefix in ("a", "ax", "i", "item", "item 3"):
        expected = {
            text
            for text in entries
            if any(word.startswith(prefix) or text[at:].startswith(prefix) for at, word in enumerate(text.split()))
        }
        got = suggest(prefix, 20)
        assert len(got) == len(set(got)) == 20
        if prefix.startswith("a"):
            best = sorted((entries[text] for text in expected), reverse=True)[:20]
            assert [entries[text] for text in got] == best


def test_fifty_thousand_entries_are_answered_at_once() -> None:
    suggest = Suggest(
        {f"{chr(97 + number % 26)}{number} thing 物{number % 91}": float(number % 1000) for number in range(20_000)}
    )
    prefixes = ["", "a", "t", "thing", "物", "物1", "b1", "z99"]
    fastest = min(_seconds(suggest, prefixes) for _ in range(5))
    assert fastest / len(prefixes) < 0.002, "a table that fell back to scanning would take tens of milliseconds"


def _seconds(suggest: Suggest, prefixes: list[str]) -> float:
    start = time.perf_counter()
    for prefix in prefixes:
        suggest(prefix, 10)
    return time.perf_counter() - start


@given(st.text(max_size=40), st.text(max_size=10))
def test_any_text_is_survived(title: str, prefix: str) -> None:
    suggest = Suggest.build([Product("1", title, brand=title)], {title: 1})
    for text in suggest(prefix, 5):
        assert normal(prefix) in normal(text)
    assert len(head(title)) <= max(12, len(title))


@pytest.mark.parametrize("typed", ["hua", "huazhuang", "hua zhuang b", "hzb", "HZB"])
def test_pinyin_begins_chinese_completions(typed: str) -> None:
    suggest = Suggest({"化妆包": 3.0, "咖啡壶": 5.0, "hzz": 1.0})
    assert suggest(typed, 3)[0] == "化妆包"
    assert suggest("h", 3) == ["hzz"]


def test_letters_come_before_sounds_of_the_same_weight() -> None:
    assert Suggest({"红茶": 2.0, "hongkong tea": 2.0})("hong", 3) == ["hongkong tea", "红茶"]


def test_what_has_nothing_in_stock_is_not_completed(tmp_path: Path) -> None:
    gone = [Product("9", "Walnut stool", brand="Lost", category=("Kitchen", "Stools"), stock=0)]
    suggest = Suggest.build([*PRODUCTS, *gone], {"walnut seat": 9, "oak board": 2}, wanted={"walnut seat": ["9"]})
    assert suggest("walnut") == suggest("lost") == suggest("stools") == []
    assert suggest("kitchen") == ["Kitchen"]
    suggest.save(tmp_path / "suggest.json")
    loaded = Suggest.load(tmp_path / "suggest.json")
    assert loaded("nord", gone=lambda id: id in ("1", "3")) == []
    assert loaded("nord", gone=lambda id: id == "1") == ["Nordwald"]
    assert loaded("oak b", gone=lambda _: True) == ["oak board"]


def test_an_older_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "suggest.json").write_text('{"format": 1, "entries": [["tea", 1.0]]}', "utf-8")
    assert Suggest.load(tmp_path / "suggest.json")("t", gone=lambda _: True) == ["tea"]
