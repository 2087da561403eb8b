from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import FormatError, SettingsError
from mercer.records import Product
from mercer.understand.sound import readings
from mercer.understand.spelling import Spelling, SpellingSettings

TITLES = (
    "Nordwald ceramic coffee mug, blue", "Nordwald stainless steel water bottle 500ml", "Wireless keyboard for iPad",
    "iPad case with pencil holder", "Leather phone case for iPhone13", "Women's running shoes, size 40",
    "Oak cutting board with handle", "Toothpaste without sweetener", "Linen summer dress with pockets",
    "Tennis racket bag", "Cotton bath towel", "e-cloth cleaning cloth", "Kitchen scissors",
)  # fmt: skip
HAN = (
    "雪纺连衣裙女夏季新款", "碎花连衣裙长款", "手冲咖啡壶套装", "不锈钢保温杯大容量", "苹果手机壳防摔",
    "无线蓝牙耳机降噪", "儿童书包小学生", "柜门铰链不锈钢", "运动鞋男透气", "智能台灯护眼学习",
)  # fmt: skip
PRODUCTS = [
    Product(f"{copy}-{place}", title, brand="Nordwald" if "Nordwald" in title else "")
    for place, title in enumerate((*TITLES, *HAN))
    for copy in range(4)
]
SPELLING = Spelling.build(PRODUCTS, {"ceramic mug": 3, "连衣裙": 5})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ceramci mug", "ceramic mug"),
        ("cermic mug", "ceramic mug"),
        ("ceraamic mug", "ceramic mug"),
        ("ceranic mug", "ceramic mug"),
        ("toothpaste without sweetner", "toothpaste without sweetener"),
        ("wirless keybaord", "wireless keyboard"),
        ("stainles stel bottle", "stainless steel bottle"),
        ("leather ipadcase", "leather ipad case"),
        ("i pad case", "ipad case"),
        ("key board for ipad", "keyboard for ipad"),
        ("Kitchn Scissors", "kitchen Scissors"),
        ("连衣群", "连衣裙"),
        ("连以裙女", "连衣裙女"),
        ("手机可防摔", "手机壳防摔"),
        ("柜门交链", "柜门铰链"),
        ("保温背大容量", "保温杯大容量"),
        ("无线蓝牙耳鸡", "无线蓝牙耳机"),
        ("手冲加啡壶", "手冲咖啡壶"),
        ("连衣衣裙", "连衣裙"),
        ("蓝牙耳耳机", "蓝牙耳机"),
        ("lianyiqun", "连衣裙"),
        ("lian yi qun", "连衣裙"),
        ("shoujike", "手机壳"),
        ("lanya耳机", "蓝牙耳机"),
        ("连 衣裙", "连衣裙"),
        ("iPad 柜门交链", "iPad 柜门铰链"),
    ],
)
def test_a_mistyped_query_is_corrected_silently(typed: str, meant: str) -> None:
    assert SPELLING(typed).text == meant


@pytest.mark.parametrize(
    "query",
    [
        *TITLES, *HAN, "", " ", "500ml", "iPhone13", "hwy14-186bku1", "XK-2200", "Nordwald", "ecloth", "e-cloth",
        "mugs", "run shoe", "guitar", "boat", "42",
        "悲伤蛙眼罩", "笔记本电脑", "👍", "ｉＰａｄ", "Ночник", "ワイヤレス",
    ],
)  # fmt: skip
def test_what_is_right_or_unknown_stays(query: str) -> None:
    assert SPELLING(query).text == query


def test_a_weak_guess_is_offered_not_made() -> None:
    unsure = Spelling(SPELLING.counts, settings=SpellingSettings(silent=1.0))
    found = unsure("ceramci mug")
    assert (found.text, found.suggestion) == ("ceramci mug", "ceramic mug")
    assert 0.5 <= found.changes[0].confidence < 1


def test_a_change_tells_where_and_how_sure() -> None:
    change = SPELLING("blue ceramci mug").changes[0]
    assert (change.before, change.after, change.start, change.end) == ("ceramci", "ceramic", 5, 12)
    assert change.confidence > 0.9


def test_switched_off_it_changes_nothing() -> None:
    assert Spelling(SPELLING.counts, settings=SpellingSettings(correct=False))("ceramci").text == "ceramci"


def test_a_misspelling_in_the_log_does_not_become_right() -> None:
    assert Spelling.build(PRODUCTS, {"ceramci mug": 2})("ceramci mug").text == "ceramic mug"


def test_a_new_title_makes_its_words_right() -> None:
    spelling = Spelling.build(PRODUCTS, {})
    spelling.add([Product("new", "Ceramci keybaord 交链")])
    assert spelling("ceramci").text == "ceramci"


def test_context_decides_between_words_alike() -> None:
    titles = ["red wine glass"] * 9 + ["grape vine plant"] * 9
    spelling = Spelling.build([Product(str(place), title) for place, title in enumerate(titles)], {})
    assert max(spelling("grape viine plant").changes, key=lambda c: c.confidence).after == "vine"


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    SPELLING.save(tmp_path / "spelling.json")
    loaded = Spelling.load(tmp_path / "spelling.json")
    for query in ("ceramci mug", "连衣群", "lianyiqun", "XK-2200"):
        assert loaded(query) == SPELLING(query)


def test_an_index_without_the_file_corrects_nothing(tmp_path: Path) -> None:
    assert Spelling.load(tmp_path / "spelling.json")("ceramci").text == "ceramci"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 2}', '{"format": 1, "counts": {}}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "spelling.json").write_text(text, "utf-8")
    with pytest.raises(FormatError, match=r"spelling\.json"):
        Spelling.load(tmp_path / "spelling.json")


def test_the_file_is_compact_json(tmp_path: Path) -> None:
    SPELLING.save(tmp_path / "spelling.json")
    assert set(json.loads((tmp_path / "spelling.json").read_text("utf-8"))["counts"]) == set(SPELLING.counts)


@pytest.mark.parametrize("bad", [{"silent": 1.1}, {"offer": 0.2}, {"offer": 0.95}, {"entries": 1}])
def test_settings_are_checked(bad: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="spelling"):
        SpellingSettings(**bad)  # type: ignore[arg-type]


def test_without_the_packages_it_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercer.understand.spelling_words.find_spec", lambda name: None)
    monkeypatch.setattr("mercer.understand.sound.find_spec", lambda name: None)
    bare = Spelling(SPELLING.counts)
    assert bare.missing == ["rapidfuzz", "symspellpy", "pypinyin"]
    assert bare("ceramci lianyiqun 柜门").text == "ceramci lianyiqun 柜门"


ALPHABET = st.text(st.sampled_from("abceilmnorsu 连衣裙手机壳柜门交链 -'0123👍Ａ"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40) | ALPHABET | st.sampled_from((*TITLES, *HAN)).map(lambda title: title[1:]))
def test_it_never_raises_and_is_idempotent(query: str) -> None:
    once = SPELLING(query).text
    assert SPELLING(once).text == once
    assert not once or once.strip() or not query.strip()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(" ".join(TITLES).replace(",", "").split()), max_size=6))
def test_clean_frequent_words_stay(chosen: list[str]) -> None:
    corrected = SPELLING(" ".join(chosen)).text
    assert corrected.replace(" ", "") == "".join(chosen) or corrected == " ".join(chosen)


SHOP = [
    Product(f"{n}-{title}", title)
    for title in ("德绒内衣男", "儿童骑士玩具", "内衣皂 洗衣", "海绵能量棒")
    for n in range(4)
]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("德绒neiyi男", "德绒内衣男"), ("儿童qishi玩具", "儿童骑士玩具"), ("neiyi皂", "内衣皂")],
)
def test_pinyin_between_han_characters_is_read_by_what_stands_around_it(typed: str, meant: str) -> None:
    assert Spelling.build(SHOP, {})(typed).text == meant


def test_a_word_of_the_language_stays_although_the_shop_has_another() -> None:
    shop = [Product(str(n), title) for n, title in enumerate(["鳄龟能猛", "鳄龟 能猛"] * 9)]
    assert Spelling.build(shop, {})("鳄龟凶猛").text == "鳄龟凶猛"


def test_a_reading_that_hardly_anybody_says_is_dear() -> None:
    assert readings("能")["neng"] < 0.1
    assert readings("能")["nai"] > 3
    assert readings("长")["chang"] < readings("长")["zhang"] < 3
