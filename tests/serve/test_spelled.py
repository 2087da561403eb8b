"""A mistyped query over HTTP and on the page: corrected, told, and asked as typed where the shopper wants."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from mercer.serve.storefront.question import Question


@pytest.mark.parametrize(("typed", "meant"), [("wool blnaket", "wool blanket"), ("棉麻围群", "棉麻围裙")])
def test_an_answer_says_what_was_asked_instead(client: Any, typed: str, meant: str) -> None:
    answer = client.post("/v1/search", json={"query": typed}).json()
    assert answer["corrected"] == meant
    assert answer["suggestion"] == ""
    assert answer["hits"][0]["id"] == client.post("/v1/search", json={"query": meant}).json()["hits"][0]["id"]


def test_a_body_switches_it_off(client: Any) -> None:
    assert client.post("/v1/search", json={"query": "wool blnaket", "correct": False}).json()["corrected"] == ""


@pytest.mark.parametrize(
    ("language", "said", "instead"),
    [
        ("en", "Showing results for “wool blanket”.", "Search instead for “wool blnaket”"),
        ("zh", "已为你显示“wool blanket”的结果。", "仍然搜索“wool blnaket”"),
    ],
)
def test_the_page_tells_and_links_to_the_query_as_typed(client: Any, language: str, said: str, instead: str) -> None:
    client.cookies.set("mercer_language", language)
    page = client.get("/search?q=wool+blnaket", headers={"accept-language": language}).text
    assert said in page
    assert f'<a href="/search?q=wool+blnaket&amp;exact=true">{instead}</a>' in page
    exact = client.get("/search?q=wool+blnaket&exact=true", headers={"accept-language": language}).text
    assert said not in exact
    assert 'name="exact" value="true"' in exact or "results" not in exact


@pytest.mark.parametrize(("language", "said"), [("en", "Did you mean"), ("zh", "你要找的是不是")])
def test_the_page_offers_what_it_does_not_dare(double_client: Any, double: Any, language: str, said: str) -> None:
    import dataclasses

    plain = double.search
    double.search = lambda request: dataclasses.replace(plain(request), suggestion="桌灯 & lamp")
    page = double_client.get("/search?q=x", headers={"accept-language": language}).text
    assert said in page
    assert f'/search?q={quote("桌灯", safe="")}+%26+lamp">桌灯 &amp; lamp</a>' in page


def test_filters_and_pages_keep_the_query_as_typed() -> None:
    question = Question.read([("q", "blnaket"), ("exact", "true"), ("page", "3")], page_size=10)
    assert question.exact
    assert "exact=true" in question.url(sort="price_up")
    assert "exact=true" in question.bare()
    assert not question.request(_nobody(), "", page_size=10, language="en").correct


def _nobody() -> Any:
    from mercer.records import Shopper

    return Shopper("")
