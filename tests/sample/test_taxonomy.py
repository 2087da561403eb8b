"""The vocabulary is whole: nothing is missing in one of the two languages."""

from __future__ import annotations

from mercer.sample.misspell import misspelt
from mercer.sample.taxonomy import EN, ZH, taxonomy


def test_every_leaf_is_whole_in_both_languages() -> None:
    world = taxonomy()
    assert len(world.leaves) == 72
    keys = {leaf.key for leaf in world.leaves}
    for leaf in world.leaves:
        assert set(leaf.goes_with) <= keys
        assert leaf.price > 0
        for kind in range(3):
            assert len(leaf.kinds[kind][ZH]) == len(leaf.kinds[kind][EN]) == 3
            assert len(leaf.points[kind]) >= 3
            assert leaf.asks[kind][ZH][0]
            assert leaf.asks[kind][EN][0].isascii()
        assert set(leaf.colours) <= set(world.colours)


def test_needs_do_not_give_the_name_away() -> None:
    for leaf in taxonomy().leaves:
        for names, ask in zip(leaf.kinds, leaf.asks, strict=True):
            assert not any(name in ask[ZH][0] for name in names[ZH])
            assert not any(name in ask[EN][0] for name in names[EN])


def test_every_department_has_brands_of_its_own() -> None:
    world = taxonomy()
    for department in world.departments:
        assert sum(department in brand.departments for brand in world.brands) >= 5
    names = [name for brand in world.brands for name in brand.names]
    assert len(set(names)) == len(names)


def test_a_slip_changes_the_word() -> None:
    import random

    choose = random.Random(3)
    for word in ("headphones", "chef's knife", "electric kettle"):
        assert misspelt(word, EN, choose, slips={}) not in ("", word)
    assert misspelt("tea", EN, choose, slips={}) == ""
