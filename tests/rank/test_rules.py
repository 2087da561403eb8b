"""Rules by themselves: dates and zones, the file and who writes it, conflicts, places."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import MercerError, NotFoundError, RequestError
from mercer.rank.rule import Rule, RuleSettings
from mercer.rank.rule_book import RuleBook, plain
from mercer.rank.rule_conflict import conflicts
from mercer.rank.rule_read import read_rule, read_rules, read_zone
from mercer.rank.rule_when import Asked, Reading, When
from mercer.rank.rules import Rules, placed
from mercer.records import Filter
from mercer.shop import Shop

READING = Reading(plain, lambda word: word.removesuffix("es").removesuffix("s"))
HIDE = {"id": "h", "do": "hide", "products": ["a"]}


def rule(zone: str = "", **row: Any) -> Rule:
    return read_rule({**HIDE, **row}, zone=read_zone(zone), settings=RuleSettings(hosts=("shop.example",)))


def moment(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def ready(*rows: dict[str, Any]) -> Rules:
    return Rules.ready(read_rules(rows, zone=None, settings=RuleSettings()), READING)


def test_days_are_whole_in_the_zone_of_the_file() -> None:
    one = rule("Asia/Shanghai", start="2026-11-11", end=datetime.date(2026, 11, 11))
    assert (one.begins, one.ends) == (moment("2026-11-11T00:00+08:00"), moment("2026-11-12T00:00+08:00"))
    assert [one.held(at) for at in (one.begins - 1, one.begins, one.ends - 1, one.ends)] == [
        "planned", "live", "live", "ended"
    ]  # fmt: skip
    assert rule("Asia/Shanghai", **one.row()) == one, "what is listed can be put back"


def test_a_time_has_its_own_zone_or_that_of_the_file_and_none_is_guessed() -> None:
    assert rule(start="2026-11-11T09:00:00Z").begins == moment("2026-11-11T09:00+00:00")
    assert rule("Europe/Berlin", end="2026-07-01T09:00").ends == moment("2026-07-01T09:00+02:00")
    assert rule("Europe/Berlin", end="2026-12-01T09:00").ends == moment("2026-12-01T09:00+01:00")
    for text in ("2026-11-11", "2026-11-11T09:00:00"):
        with pytest.raises(RequestError, match="no time zone"):
            rule(start=text)
    for text in ("soon", "2026-13-01", "", 5, True, "9999-12-31"):
        with pytest.raises(RequestError, match=r"moment|zone"):
            rule("" if text == "9999-12-31" else "UTC", end=text)
    with pytest.raises(RequestError, match="before it starts"):
        rule("UTC", start="2026-11-12", end="2026-11-11")
    with pytest.raises(RequestError, match="timezone is 'Mars/Olympus'"):
        rule("Mars/Olympus")


@pytest.mark.parametrize("url", ["/a", "/search?q=杯", "https://shop.example/a", "https://shop.example", "/"])
def test_safe_addresses_are_taken(url: str) -> None:
    assert rule(do="redirect", products=None, query="a", url=url).url == url


@pytest.mark.parametrize(
    "url",
    ["http://shop.example/", "https://shop.example.evil/", "https://shop.example@evil/", "https://evil/shop.example",
     "//evil", "/\\evil", "\\\\evil", "javascript:x", "data:x", "evil", "/a\nb", "/a b", "https://shop.example:1/",
     "/\t/x"],
)  # fmt: skip
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(RequestError, match="url is"):
        rule(do="redirect", products=None, query="a", url=url)


def test_images_are_of_the_shop_itself() -> None:
    with pytest.raises(RequestError, match="image is"):
        rule(do="banner", products=None, text="hi", image="https://shop.example/a.png")


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["note", "enabled", "query", "words", "pattern", "category", "scenes", "device", "start", "end", "products",
     "filters", "position", "points", "url", "text", "image", "synonyms"]
)  # fmt: skip


@given(
    kind=st.sampled_from(["hide", "filter", "pin", "boost", "bury", "redirect", "synonym", "banner", "x"]),
    fields=st.dictionaries(names, json, max_size=4),
)
def test_nothing_but_a_problem_with_its_cure_comes_of_nonsense(kind: str, fields: dict[str, Any]) -> None:
    try:
        rules = ready({"id": "r", "do": kind, "products": ["a"], **fields})
    except MercerError as error:
        said = (error.problem, error.cure)
    else:
        said = ("fine", "none")
        rules(Asked("search", ("a query",)), 0)
        assert read_rule(rules.rules[0].row(), zone=None, settings=RuleSettings()) == rules.rules[0]
    assert all(said)


def test_words_of_a_condition_are_compared_by_their_stems_and_han_runs_as_they_are() -> None:
    when = When(rule(words=["red dresses", "红 裙子"]), READING)
    assert when.meets("dress in red")
    assert when.meets("红色裙子")
    assert not when.meets("red")
    assert not when.meets("红裤子")
    assert not When(rule(query="cup", words="mug"), READING).meets("cup"), "kinds of conditions hold together"


def test_a_pattern_takes_linear_time() -> None:
    when = When(rule(pattern=r"^(a+)+$"), READING)
    assert not when.meets("a" * 500 + "b"), "with backtracking this would not end"


# the file


@pytest.fixture
def book(tmp_path: Path) -> RuleBook:
    return RuleBook(Shop.create(tmp_path / "shop"), reading=READING)


def test_what_a_person_wrote_stays(book: RuleBook) -> None:
    book.path.write_text(
        '# ours\ntimezone = "UTC"\n\n[[rule]]\nid = "a"  # why\ndo = "hide"\nproducts = ["x"]\n', "utf-8"
    )
    book.put(
        [{**HIDE, "id": "b", "filters": [{"field": "price", "low": 5}]}, {**HIDE, "id": "c", "start": "2026-11-11"}]
    )
    text = book.path.read_text("utf-8")
    assert text.startswith('# ours\ntimezone = "UTC"\n')
    assert 'id = "a"  # why\n' in text
    assert {one.id: one.filters for one in book.rules.rules}["b"] == (Filter("price", (), 5.0),)
    book.remove(["b"])
    assert 'id = "a"  # why\n' in book.path.read_text("utf-8")
    assert [one.id for one in book.rules.rules] == ["c", "a"], "the later start first"


def test_all_or_none(book: RuleBook) -> None:
    book.put([HIDE])
    before = book.path.read_bytes()
    for change in (
        lambda: book.put([{**HIDE, "id": "good"}, {**HIDE, "id": "bad", "position": 1}]),
        lambda: book.put([{**HIDE, "id": "same"}, {**HIDE, "id": "same"}]),
        lambda: book.replace([{"id": "bad"}]),
        lambda: book.replace([], version="another"),
        lambda: book.put([{**HIDE, "id": f"r{n}"} for n in range(1000)]),
    ):
        with pytest.raises(RequestError):
            change()
    with pytest.raises(NotFoundError, match="'z'"):
        book.remove(["h", "z"])
    assert book.path.read_bytes() == before


def test_writers_at_once_lose_nothing(book: RuleBook) -> None:
    def write(number: int) -> None:
        for turn in range(5):
            book.put([{**HIDE, "id": f"r{number}-{turn}"}])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(book.rules.rules) == 20
    assert not list(book.path.parent.glob(".rules.toml*")), "no half file is left"


def test_a_full_disk_leaves_the_file_as_it_was(book: RuleBook, monkeypatch: pytest.MonkeyPatch) -> None:
    book.put([HIDE])
    before = book.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MercerError, match="no space"):
        book.put([{**HIDE, "id": "more"}])
    monkeypatch.undo()
    assert book.path.read_bytes() == before
    assert [one.id for one in book.rules.rules] == ["h"]


# conflicts


def told(*rows: dict[str, Any], queries: Sequence[str] = ()) -> set[tuple[str, tuple[str, ...]]]:
    there = {"a", "b", "c"}

    def meeting(filters: Sequence[Filter]) -> set[str]:
        return {"a", "b"} if filters and filters[0].values == ("ab",) else set() if filters else there

    found = conflicts(ready(*rows), now=0, reading=READING, queries=queries, meeting=meeting)
    return {(one.problem, one.rules) for one in found}


def pin(id: str, *products: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "do": "pin", "products": list(products), **more}


def test_two_pins_of_one_place_or_product() -> None:
    assert told(pin("p", "a"), pin("q", "b")) == {("one position", ("p", "q"))}
    assert told(pin("p", "a", "c"), pin("q", "b", position=2)) == {("one position", ("p", "q"))}
    assert told(pin("p", "a"), pin("q", "a", position=5)) == {("one product", ("p", "q"))}
    assert told(pin("p", "a"), pin("q", "b", position=2)) == set()


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ({"query": "cup"}, {"query": "Cup "}, True),
        ({"query": "cup"}, {"query": "mug"}, False),
        ({"query": "red cup"}, {"words": "cups"}, True),
        ({"words": "cup"}, {"words": "red"}, True),
        ({"query": "cup"}, {"pattern": "^c"}, True),
        ({"pattern": "^c"}, {"pattern": "p$"}, True),
        ({"pattern": "^c"}, {"pattern": "z$"}, False),
        ({"query": "cup"}, {}, True),
        ({"device": "phone"}, {"device": "Phone"}, True),
        ({"device": "phone"}, {"device": "desk"}, False),
        ({"category": "Home > Cups"}, {"category": "Home"}, True),
        ({"category": "Home > Cups"}, {"category": "Garden"}, False),
        ({"scenes": ["home"]}, {"scenes": ["similar"]}, False),
        ({"end": "2030-01-01T00:00:00Z"}, {"start": "2030-01-01T00:00:00Z"}, False),
        ({"end": "2030-01-02T00:00:00Z"}, {"start": "2030-01-01T00:00:00Z"}, True),
        ({"end": "1969-01-01T00:00:00Z"}, {}, False),
        ({"enabled": False}, {}, False),
    ],
)
def test_rules_meet_where_their_conditions_do(one: dict[str, Any], other: dict[str, Any], meet: bool) -> None:
    found = told(pin("p", "a", **one), pin("q", "b", **other), queries=["cup"])
    assert any(problem == "one position" for problem, _ in found) == meet


def test_what_hides_filters_doubles_or_never_comes() -> None:
    assert told(pin("p", "a"), {"id": "h", "do": "hide", "products": ["a", "x"]}) == {
        ("hidden", ("h", "p")), ("unknown product", ("h",)),
    }  # fmt: skip
    by = [{"field": "brand", "values": ["ab"]}]
    assert told(pin("p", "c"), {"id": "f", "do": "filter", "filters": by}) == {("filtered out", ("f", "p"))}
    assert told(pin("p", "a"), {"id": "f", "do": "filter", "filters": by}) == set()
    assert told(pin("p", "a"), {"id": "h", "do": "hide", "filters": by}) == {("hidden", ("h", "p"))}
    none = [{"field": "brand", "values": ["none"]}]
    assert told({"id": "b", "do": "boost", "filters": none}) == {("no product", ("b",))}
    both = ({"id": "b", "do": "boost", "products": ["a"]}, {"id": "d", "do": "bury", "products": ["a"]})
    assert told(*both) == {("boost and bury", ("b", "d"))}
    assert told(pin("p", "a", query="cup", words="mug")) == {("never", ("p",))}
    assert told(pin("p", "a", query="cup"), queries=["mug"]) == {("unasked", ("p",))}


def test_redirects_and_banners_that_hold_at_once() -> None:
    def redirect(id: str, url: str, **more: Any) -> dict[str, Any]:
        return {"id": id, "do": "redirect", "url": url, **more}

    assert told(redirect("a", "/x", query="cup"), redirect("b", "/y", words="cup")) == {("redirects", ("a", "b"))}
    assert told(redirect("a", "/search?q=big+cup", words="cup")) == {("loop", ("a",))}
    later = {"id": "z", "do": "banner", "text": "z", "start": "2029-01-01T00:00:00Z"}
    assert told({"id": "a", "do": "banner", "text": "a"}, later) == {("banners", ("z", "a"))}


# places


@given(size=st.integers(0, 12), pins=st.dictionaries(st.integers(0, 15), st.integers(0, 20), max_size=5))
def test_placed_members_stand_where_they_shall(size: int, pins: dict[int, int]) -> None:
    pins = {place: member for place, member in pins.items() if list(pins.values()).count(member) == 1}
    order = np.arange(size)
    out = placed(order, pins).tolist()
    assert sorted(out) == sorted({*range(size), *pins.values()})
    assert [one for one in out if one not in pins.values()] == [one for one in range(size) if one not in pins.values()]
    for place, member in pins.items():
        if place < len(out) - len(pins) + 1:
            assert out[place] == member


def test_synonyms_are_pairs_both_ways_while_the_rule_holds() -> None:
    row = {"id": "s", "do": "synonym", "synonyms": [["sofa", "couch"], ["杯子", "cup"]], "end": "2030-01-01T00:00:00Z"}
    rules = ready(row)
    pairs = {("sofa", "couch"), ("couch", "sofa"), ("杯子", "cup"), ("cup", "杯子")}
    assert set(rules.synonyms(0)) == pairs
    assert rules.synonyms(moment("2030-01-01T00:00:00Z")) == ()
