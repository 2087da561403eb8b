"""Negations reach as far as they should; products that disclaim a word are told from those that have it."""

from __future__ import annotations

import pytest

from mercer.records import Product
from mercer.understand.negation import Without, negations


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
