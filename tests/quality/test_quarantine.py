"""Row hashes depend on content alone, and rows keep the reasons why they left."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mercer.quality.quarantine import row_hash
from mercer.quality.run import check

VALUES = st.one_of(st.none(), st.text(max_size=5), st.floats(allow_nan=False), st.integers())


@given(st.dictionaries(st.sampled_from("abcd"), VALUES), st.integers(0, 9), st.integers(0, 9))
def test_the_place_does_not_count(row, one, other):
    assert row_hash("products", {**row, "row_id": one}) == row_hash("products", {**row, "row_id": other})


@given(st.dictionaries(st.sampled_from("abcd"), st.text(max_size=5), min_size=1))
def test_content_and_family_count(row):
    changed = {**row, next(iter(row)): next(iter(row.values())) + "x"}
    assert row_hash("products", row) != row_hash("products", changed)
    assert row_hash("products", row) != row_hash("reviews", row)


def test_odd_numbers_have_a_hash():
    assert row_hash("products", {"price": math.nan}) != row_hash("products", {"price": math.inf})


def test_an_id_that_the_reader_made_does_not_count(raw_of, clean_rows):
    import dataclasses

    clean_rows["events"][0]["type"] = "teleport"

    def hashes():
        raw = raw_of("events", clean_rows["events"])
        unmapped = dataclasses.replace(raw, mapping={"type": "type"})
        return check({"events": unmapped}, now=1_750_000_000_000).quarantine["events"]["row_hash"].to_pylist()

    before = hashes()
    clean_rows["events"][0]["event_id"] = "made anew"
    assert hashes() == before


def test_all_reasons_are_kept(raw_of, clean_rows):
    clean_rows["products"][0] |= {"title": "POSTAGE", "price": 0.0}
    taken = check({"products": raw_of("products", clean_rows["products"])}, now=0).quarantine["products"]
    assert '"C01"' in taken["reasons"][0].as_py()
    assert '"C06"' in taken["reasons"][0].as_py()
