"""Who is seen and who should be, on rankings small enough to work out by hand."""

from __future__ import annotations

import math

import pytest

from mercer.errors import RequestError, SettingsError
from mercer.measure.fairness import FairSettings, exposure, price_bands, swapped, swaps, too_little

GROUPS = {"a": "big", "b": "big", "c": "small", "d": "small"}
SECOND = 1 / math.log2(3)


def test_exposure_by_what_is_due() -> None:
    truth = {f"q{at}": {"a": 1.0, "c": 1.0} for at in range(20)}
    found = {one.group: one for one in exposure({query: ["a", "c"] for query in truth}, truth, GROUPS)}
    assert found["big"].merit == found["small"].merit == pytest.approx(0.5), "equally right, equally due"
    assert found["big"].share == pytest.approx(1 / (1 + SECOND))
    assert found["small"].ratio == pytest.approx(SECOND / (1 + SECOND) / 0.5)
    assert (found["small"].products, found["small"].low) == (2, pytest.approx(found["small"].ratio))
    turned = {query: ["a", "c"] if at % 2 else ["c", "a"] for at, query in enumerate(truth)}
    assert [one.ratio for one in exposure(turned, truth, GROUPS)] == pytest.approx([1.0, 1.0])


def test_the_limit_holds_beyond_doubt_only() -> None:
    truth = {f"q{at}": {"a": 1.0, "c": 1.0} for at in range(40)}
    hidden = exposure({query: ["a", "b"] for query in truth}, truth, GROUPS)
    assert [one.group for one in too_little(hidden, FairSettings(least=0.5))] == ["small"]
    assert not too_little(hidden, FairSettings()), "no limit is set"
    few = exposure({"q0": ["a", "b"], "q1": ["c", "a"]}, {q: truth[q] for q in ("q0", "q1")}, GROUPS)
    assert not too_little(few, FairSettings(least=0.9))


def test_groups_and_queries_that_are_unknown() -> None:
    found = exposure({"q": ["x", "a"], "none": ["a"]}, {"q": {"a": 1.0}, "none": {"a": 0.0}}, GROUPS)
    assert [(one.group, one.share) for one in found] == [("big", 1.0)]
    with pytest.raises(RequestError, match="no query has a right answer"):
        exposure({"q": ["a"]}, {}, GROUPS)


def test_price_bands_have_as_many_products_each() -> None:
    bands = price_bands({str(at): float(at) for at in range(100)}, 4)
    assert sorted(list(bands.values()).count(name) for name in set(bands.values())) == [25, 25, 25, 25]
    assert price_bands({}, 4) == {}


def test_words_are_swapped_whole_in_both_languages() -> None:
    asked = ["Women's razor", "men shoes", "男士毛衣", "国产手机", "mental health", "tea"]
    said = [
        ("Women's razor", "men's razor"),
        ("men shoes", "women shoes"),
        ("男士毛衣", "女士毛衣"),
        ("国产手机", "进口手机"),
    ]
    assert swaps(asked) == said
    (one,) = swapped([("a", "b")], {"a": ["x", "y"], "b": ["y", "z"]}, {"x": 10.0, "y": 10.0, "z": 14.0})
    assert (one.shared, one.price) == (0.5, pytest.approx(1.2))
    (gone,) = swapped([("a", "b")], {}, {})
    assert math.isnan(gone.price)


def test_settings_that_cannot_be() -> None:
    for wrong in ({"by": "colour"}, {"least": 2.0}, {"k": 0}, {"bands": 1}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            FairSettings(**wrong)
