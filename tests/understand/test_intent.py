"""Which category a query wants: by words of titles, by clicks for the very query, several where it is ambiguous."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.errors import FormatError
from mercer.records import Filter, Product
from mercer.understand.intent import Intent
from mercer.understand.understand import Understand, UnderstandSettings

KINDS = {
    ("Clothes", "Coats", "Wool"): "wool coat men",
    ("Home", "Hooks"): "coat hook wall",
    ("厨房", "杯子"): "保温杯 不锈钢",
    ("Home", "Lamps"): "lamp wall",
}
PRODUCTS = [Product(f"{kind[-1]}{n}", title, category=kind) for kind, title in KINDS.items() for n in range(100)]
PRODUCTS += [Product("none", "wool coat")]


@pytest.fixture(scope="module")
def intent() -> Intent:
    return Intent.build(PRODUCTS, {"wall thing": ["Lamps1", "Lamps2", "gone"], "coat": []})


def test_the_words_of_titles_say_it(intent: Intent) -> None:
    assert [one.category for one in intent("wool coats")] == ["Clothes > Coats"]
    assert [one.category for one in intent("不锈钢保温杯")] == ["厨房 > 杯子"]
    assert intent("wool coats")[0].products == 100


def test_an_ambiguous_query_keeps_several(intent: Intent) -> None:
    found = intent("coat")
    assert {one.category for one in found} == {"Clothes > Coats", "Home > Hooks"}
    assert sum(one.probability for one in found) == pytest.approx(1, abs=0.05)


def test_clicks_for_the_very_query_weigh_in(intent: Intent) -> None:
    plain, clicked = intent("wall"), intent("wall things")
    assert plain[0].probability == pytest.approx(plain[1].probability, abs=0.01)
    assert (clicked[0].category, clicked[0].clicks) == ("Home > Lamps", 2)
    assert clicked[0].probability > plain[0].probability


def test_nothing_known_says_nothing(intent: Intent) -> None:
    assert intent("zzz") == intent("") == []
    assert Intent.build(PRODUCTS[:100], {})("wool coat") == [], "a shop of one category"
    assert Intent.build([], {})("wool") == []


def test_a_step_says_it_and_points_are_off_unless_set(intent: Intent) -> None:
    known = Understand(intent=intent)("wool coats")
    assert [(step.name, step.after) for step in known.steps] == [("intent", "Clothes > Coats")]
    assert known.boosts == ()
    soft = Understand(intent=intent, settings=UnderstandSettings(intent=0.1))("wool coats").boosts[0]
    assert (soft.filter, soft.signal) == (Filter("category", values=("Clothes > Coats",)), "intent")
    assert soft.weight == pytest.approx(0.1 * known.steps[0].confidence, abs=1e-3)


def test_saved_and_loaded_is_the_same(intent: Intent, tmp_path: Path) -> None:
    path = tmp_path / "intent.json"
    assert Intent.load(path)("wool") == []
    intent.save(path)
    for query in ("wool coats", "wall things", "coat"):
        assert Intent.load(path)(query) == intent(query)
    path.write_text("[]", "utf-8")
    with pytest.raises(FormatError, match=r"intent\.json"):
        Intent.load(path)
