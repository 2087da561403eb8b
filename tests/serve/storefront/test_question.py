"""An address of the results page, there and back."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pydantic", reason="mercer[serve] is not installed")

from mercer.records import Filter, Shopper
from mercer.serve.storefront.question import SORTS, Question

questions = st.builds(
    Question,
    q=st.text(max_size=20).map(lambda text: " ".join(text.split())),
    category=st.text(max_size=20),
    brand=st.lists(st.text(min_size=1, max_size=20), max_size=3, unique=True).map(tuple),
    low=st.none() | st.integers(0, 10**6).map(float),
    high=st.none() | st.sampled_from([0.5, 19.99, 1e6]),
    in_stock=st.booleans(),
    sort=st.sampled_from(SORTS),
    page=st.integers(1, 40),
)


def read(url: str) -> Question:
    return Question.read(parse_qsl(urlsplit(url).query), page_size=24)


@given(questions)
def test_what_is_written_is_read(question: Question) -> None:
    assert read(question.url(page=question.page)) == question


def test_a_change_leads_to_the_first_page() -> None:
    assert read(Question(q="cup", page=3).url(brand=("Lumi",))) == Question(q="cup", brand=("Lumi",))
    assert Question().url() == "/search"


def test_brands_are_put_in_and_taken_out_one_by_one() -> None:
    one = read(Question(q="cup", page=3).toggled("青山"))
    two = read(one.toggled("A&B = C"))
    assert two == Question(q="cup", brand=("青山", "A&B = C"))
    assert read(two.toggled("青山")) == Question(q="cup", brand=("A&B = C",))
    request = two.request(Shopper(""), "", page_size=24, language="en")
    assert request.filters == (Filter("brand", ("青山", "A&B = C")),)
    assert len(Question.read([("brand", str(n)) for n in range(99)], page_size=24).brand) == 20


@given(st.dictionaries(st.sampled_from(["q", "low", "high", "page", "sort", "in_stock"]), st.text(max_size=30)))
def test_nonsense_is_left_out(address: dict[str, str]) -> None:
    question = Question.read(address.items(), page_size=24)
    request = question.request(Shopper(""), "", page_size=24, language="en")
    assert request.offset <= 1000
    assert request.sort in SORTS
    for one in request.filters:
        assert one.low is None or 0 <= one.low <= 1e12


def test_filters_reach_the_request() -> None:
    question = Question(q="cup", category="Home > Cups", low=5.0, in_stock=True, page=2)
    request = question.request(Shopper("s"), "t", page_size=24, language="zh")
    assert request.filters == (
        Filter("category", ("Home > Cups",)),
        Filter("price", (), 5.0, None),
        Filter("in_stock", ("true",)),
    )
    assert (request.offset, request.k, request.context) == (24, 24, {"language": "zh"})
