"""What products say they are for: read out of titles, and neither ages nor sizes; asked by queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.errors import FormatError
from mercer.records import Filter, Product
from mercer.understand.knowledge import Knowledge
from mercer.understand.recognise import Vocabulary
from mercer.understand.understand import Understand, UnderstandSettings

TITLES = {
    "12": "Clear case for Apple iPhone 12, slim",
    "13": "Clear case for iPhone 13 [3 pack]",
    "both": "Screen protector compatible with iPhone 12/13 Pro Max",
    "13p": "适用于iPhone13 Pro 手机壳",
    "old": "Case fits iPhone 7 Plus and iPhone 8 (2017)",
    "list": "Cable for iPhone 11, works with the 13 too",
    "ages": "Board game for ages 8 and up",
    "ages2": "Puzzle for Ages 10",
    "ages3": "Ball for ages 12",
    "size": "Sheet for Bed 2 pack",
    "phone": "Apple iPhone 13 128 GB",
    "shades": "Glasses for women and men, vintage shades SJ2057",
}
PRODUCTS = [Product(id, title, brand="Apple") for id, title in TITLES.items()]


@pytest.fixture(scope="module")
def known() -> Knowledge:
    return Knowledge.build(PRODUCTS)


def test_devices_are_read_behind_for_and_in_lists(known: Knowledge) -> None:
    assert {id: [model for _, model in devices] for id, devices in known.fits.items()} == {
        "12": ["12"],
        "13": ["13"],
        "both": ["12", "13 pro max"],
        "13p": ["13 pro"],
        "old": ["7 plus", "8"],
        "list": ["11"],
    }


def test_what_fits_and_what_is_for_another_model(known: Knowledge) -> None:
    (found,) = known("leather case for iPhone 13")
    assert found.device == ("iphone", "13")
    assert found.fits == ("13",)
    assert set(found.misfits) == {"12", "old"}, "a title with the number may fit after all"
    assert known("iphone 13 pro 手机壳")[0].fits == ("13p",)
    assert known("board game ages 8") == known("red shoes") == []


def test_a_query_says_so_and_wishes_it() -> None:
    understand = Understand(Vocabulary.build(PRODUCTS), knowledge=Knowledge.build(PRODUCTS))
    asked = understand("apple iphone 13 case")
    wishes = {boost.signal: (set(boost.filter.values), boost.weight) for boost in asked.boosts}
    assert wishes == {"fits": ({"13"}, 0.05), "misfits": ({"12", "old"}, -0.15)}
    step = next(step for step in asked.steps if step.name == "fits")
    assert (step.after, step.evidence) == ("iphone 13", "1 products are for it, 2 for others of its line")
    assert asked.text == "apple iphone 13 case"


def test_the_device_alone_wants_itself_not_what_fits_it() -> None:
    understand = Understand(Vocabulary.build(PRODUCTS), knowledge=Knowledge.build(PRODUCTS))
    assert [boost.signal for boost in understand("apple iphone 13").boosts] == ["misfits"]


def test_switched_off_nothing_is_read() -> None:
    off = UnderstandSettings(fits=0.0, misfits=0.0)
    asked = Understand(settings=off, knowledge=Knowledge.build(PRODUCTS))("iphone 13 case")
    assert (asked.boosts, asked.steps) == ((), ())


def test_attributes_name_devices_too() -> None:
    shop = [
        Product(f"{n}", "Band", attributes={"Compatible devices": f"Fitbit Charge {n}, Charge {n} SE"})
        for n in (2, 3, 4)
    ]
    shop += [Product("t", "Fitbit Charge 5 tracker")]
    found = Knowledge.build(shop)("charge 3 band")[0]
    assert (found.fits, set(found.misfits)) == (("3",), {"2", "4"})


def test_saved_and_loaded_is_the_same(known: Knowledge, tmp_path: Path) -> None:
    path = tmp_path / "knowledge.json"
    assert Knowledge.load(path)("iphone 13 case") == []
    known.save(path)
    assert Knowledge.load(path)("iphone 13 case") == known("iphone 13 case")
    path.write_text("{}", "utf-8")
    with pytest.raises(FormatError, match=r"knowledge\.json"):
        Knowledge.load(path)


def test_wishes_name_products_by_id(known: Knowledge) -> None:
    boost = Understand(knowledge=known)("iphone 12 case").boosts[0]
    assert boost.filter == Filter("id", values=("12", "both"))


def test_what_is_put_later_fits_too() -> None:
    known = Knowledge.build([Product(f"{n}{m}", f"Case for iPhone {m}") for n in "ab" for m in (12, 13)])
    known.add(
        [Product("new", "Clear case for iPhone 13"), Product("a12", "Case for iPhone 13"), Product("x", "A vase")]
    )
    (found,) = known("iphone 13 case")
    assert set(found.fits) == {"a13", "b13", "new", "a12"}
    assert found.misfits == ("b12",)
    known.add([Product("new", "Clear case")])
    assert "new" not in known("iphone 13 case")[0].fits
    known.add([Product("z", "Cover for Pixel 7")])
    assert known("pixel 7 case") == [], "one product makes no line"
