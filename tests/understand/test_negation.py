"""Negations reach as far as they should; products that disclaim a word are told from those that have it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.records import Product
from mercer.understand import negation
from mercer.understand.negation import Without, negations
from mercer.understand.normalise import simplified


@pytest.mark.parametrize(
    ("query", "negated"),
    [
        ("paper bags without handles", ["handles"]),
        ("lights without wiring with switch", ["wiring"]),
        ("wireless thermostat without c wire", ["c wire"]),
        ("zipper sweaters for women without hoodie", ["hoodie"]),
        ("bag without handles or straps", ["handles", "straps"]),
        ("shampoo without sulfates, parabens for women", ["sulfates", "parabens"]),
        ("chair with no wheels", ["wheels"]),
        ("juice no sugar", ["sugar"]),
        ("no sugar", ["sugar"]),
        ("no sugar cookies", ["sugar"]),
        ("w/o lid", ["lid"]),
        ("sugar-free gum", []),
        ("gum sugar free", []),
        ("no 5 chanel", []),
        ("yes or no game", []),
        ("non slip mat", []),
        ("nova notebook", []),
        ("without", []),
        ("红酒 不含酒精", ["酒精"]),
        ("不含酒精的洗手液", ["酒精"]),
        ("不含酒精洗手液", ["酒精"]),
        ("不带钢圈内衣", ["钢圈"]),
        ("不含MSG的酱油", ["MSG"]),
        ("无糖饮料", ["糖"]),
        ("零添加酱油", ["添加"]),
        ("无线耳机", []),
        ("无人机", []),
        ("无印良品", []),
        ("10糖", []),
    ],
)
def test_what_is_negated(query: str, negated: list[str]) -> None:
    assert [one.words for one in negations(query)] == negated


@pytest.mark.parametrize(
    ("words", "title", "said"),
    [
        ("handles", "Paper bag with handle", (True, False)),
        ("handles", "Handle-free bag", (False, True)),
        ("handles", "bag without twisted handles", (False, True)),
        ("handles", "Gift box", (False, False)),
        ("stem", "Stemless wine glass", (False, True)),
        ("laces", "laceless shoe", (False, True)),
        ("batteries", "Clock, battery included", (True, False)),
        ("batteries", "Battle clock", (False, False)),
        ("c wire", "thermostat no c-wire needed", (False, True)),
        ("酒精", "75%酒精洗手液", (True, False)),
        ("酒精", "不含酒精洗手液", (False, True)),
        ("酒精", "無酒精濕巾", (False, True)),
        ("糖", "0糖饮料", (False, True)),
        ("糖", "红糖", (True, False)),
    ],
)
def test_has_it_or_is_without(words: str, title: str, said: tuple[bool, bool]) -> None:
    assert Without([words])(Product("1", title)) == said


def test_a_description_disclaims_but_does_not_accuse() -> None:
    assert Without(["lid"])(Product("1", "Cup", description="A lid is sold apart")) == (False, False)
    assert Without(["lid"])(Product("1", "Cup", bullets="comes without lid")) == (False, True)


PIECES = {
    "handles": "handle handles Handle-free HANDLELESS no without mishandle handlebar _handle éhandle İ Σ FREE free - .",
    "c wire": "c wire C-Wire c_wire ctwire cwire wireless no without c . - free",
    "batteries": "battery Batteries battle non zero free no batterie -",
    "发胶": "发胶 髮膠 發膠 发 髮 膠 胶 不含 無 无 0 no",
    "髮膠": "发胶 髮膠 發膠 发 髮 膠 胶 不含 無 无 0 no",
    "c型": "c型 C型 c 型 不带 無",
}
"""A negated word, and what a text is made of that is hard for it."""


def texts(words: str) -> st.SearchStrategy[str]:
    parts = st.tuples(st.sampled_from(PIECES[words].split()), st.sampled_from(["", " ", "\n"]))
    return st.lists(parts, max_size=8).map(lambda found: "".join(piece + gap for piece, gap in found))


def slowly(words: str, title: str, text: str) -> tuple[tuple[bool, bool], bool]:
    """Every text simplified, every letter a place to begin at: what `Without` says, the plain way."""
    phrase = negation._Phrase.of(words)
    plain = simplified(words).lower()
    each = re.findall(r"[a-z0-9]+", plain)
    pattern = re.escape(plain) if not phrase.stems else (
        r"\b" + r"[\W_]+".join(negation._head(word) + r"[a-z0-9]*" for word in each) + r"\b")  # fmt: skip
    slow = negation._Phrase(re.compile(pattern), phrase.stems)
    return slow(simplified(title).lower()), slow(simplified(text).lower())[1]


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from([*PIECES]))
def test_the_quick_way_says_what_the_slow_way_says(data: st.DataObject, words: str) -> None:
    title, bullets, description = (data.draw(texts(words)) for _ in range(3))
    (has, free), anywhere = slowly(words, title, f"{title} . {bullets} . {description}")
    product = Product("1", title, bullets=bullets, description=description)
    assert Without([words])(product) == (has and not free, anywhere)
