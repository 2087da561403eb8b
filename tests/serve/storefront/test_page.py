"""Pages as HTML: what a visitor without a browser sees, and what a hostile catalogue or address cannot do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mercer.errors import ShopLocked
from mercer.records import Product

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")

EVIL = '"><script>alert(1)</script>'


def test_what_a_catalogue_says_is_text(double_client: Any, double: Any) -> None:
    double.upsert([Product(EVIL, EVIL, EVIL, EVIL, EVIL, (EVIL,), 1.0, currency=EVIL, attributes={EVIL: EVIL})])
    for path in ("/", "/search", f"/search?q={EVIL}&brand={EVIL}&category={EVIL}", "/p/" + re.sub("/", "%2F", EVIL)):
        page = double_client.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text


def test_a_visitor_is_known_again_and_only_by_a_token_of_ours(double_client: Any) -> None:
    first = re.search(r'data-shopper="([^"]+)"', double_client.get("/").text)
    second = re.search(r'data-shopper="([^"]+)"', double_client.get("/").text)
    assert first
    assert second
    assert first[1] == second[1]
    double_client.cookies.clear()
    page = double_client.get("/", headers={"cookie": f"mercer_shopper={EVIL}"})
    assert EVIL not in page.text
    cookies = page.headers.get_list("set-cookie")
    sites = {"mercer_shopper": "lax", "mercer_session": "lax", "mercer_page": "strict"}
    assert {cookie.split("=")[0] for cookie in cookies} == set(sites)
    assert all("HttpOnly" in cookie and f"SameSite={sites[cookie.split('=')[0]]}" in cookie for cookie in cookies)


@pytest.mark.parametrize(
    "named", ["customer-4711-of-the-shop", "visitor-", "visitor-" + "a" * 19, "visitor-" + "a" * 21]
)
def test_a_cookie_names_no_customer_of_the_shop(double_client: Any, named: str) -> None:
    """Anybody can write a cookie; who a customer is, the shop's own server says, with a key."""
    page = double_client.get("/", headers={"cookie": f"mercer_shopper={named}"})
    (mine,) = re.findall(r'data-shopper="([^"]+)"', page.text)
    assert mine != named
    assert re.fullmatch(r"visitor-[A-Za-z0-9_-]{20}", mine)


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\r\nb"])
def test_the_language_switch_leads_nowhere_else(double_client: Any, back: str) -> None:
    answer = double_client.get("/language/zh", params={"back": back}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert "mercer_language=zh" in answer.headers["set-cookie"]


def test_an_unknown_language_changes_nothing(double_client: Any) -> None:
    assert "set-cookie" not in double_client.get("/language/tlh", follow_redirects=False).headers


def test_another_site_cannot_fill_the_cart(double_client: Any, double: Any) -> None:
    form = {"product": "p-1"}
    headers = {"sec-fetch-site": "cross-site"}
    assert double_client.post("/cart", data=form, headers=headers).status_code == 403
    assert double.logged == {}
    assert double_client.post("/cart", data=form, follow_redirects=False).status_code == 303
    assert double_client.post("/cart", data={"product": "ghost"}).status_code == 404
    assert double_client.post("/cart", content=b"\xff\xfe=&&&").status_code in (404, 422)


def test_people_get_a_page_for_an_error_and_programs_a_problem(double_client: Any) -> None:
    page = double_client.get("/p/ghost", headers={"accept": "text/html", "accept-language": "zh"})
    assert page.status_code == 404
    assert "这里什么都没有" in page.text
    assert double_client.get("/p/ghost").headers["content-type"] == "application/problem+json"


def test_a_shop_that_cannot_answer_says_so_on_a_page(double_client: Any, double: Any) -> None:
    double.fault = ShopLocked("the shop is held by another process", cure="wait")
    page = double_client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "held by another process" in page.text


def test_paging_covers_every_product_once(double_client: Any, double: Any) -> None:
    found = []
    for page in (1, 2):
        found += re.findall(
            r'<li class="card[^"]*" data-product="([^"]+)"', double_client.get(f"/search?page={page}").text
        )
    assert sorted(found) == sorted(double.shelf)


def test_a_degraded_answer_says_so(double_client: Any, double: Any) -> None:
    double.degraded = "words only"
    assert "may be incomplete" in double_client.get("/search?q=cup").text


def test_shelves_in_the_pages_language_come_first(double_client: Any) -> None:
    for language, first in (("en", "Kitchen"), ("zh", "厨房")):
        page = double_client.get("/", headers={"accept-language": language})
        shelves = re.findall(r'<li><a href="/search\?category=[^"]+"[^>]*>([^<]+)</a></li>', page.text)
        assert sorted(shelves) == ["Home", "Kitchen", "厨房"]
        assert shelves[0] == first


def test_an_empty_shop_has_a_home_page(double_client: Any, double: Any) -> None:
    double.shelf.clear()
    assert "no products yet" in double_client.get("/").text
    assert double_client.get("/search?q=cup").status_code == 200
