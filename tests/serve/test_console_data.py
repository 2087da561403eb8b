"""Data health in the console: the gate, what was found, bad rows masked, and what an owner decides on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.errors import NotFoundError, RequestError  # noqa: E402  # after the check for the extra
from mercer.quality import held  # noqa: E402
from mercer.quality.check import find  # noqa: E402
from mercer.quality.ledger import Ledger  # noqa: E402
from mercer.serve import Keys, create_app  # noqa: E402
from mercer.shop import Shop  # noqa: E402

UNKNOWN = {"check": "C13", "family": "reviews", "problem": "unknown_product"}
MISSING = {"check": "C01", "family": "products", "problem": "missing_required"}


@pytest.fixture
def shop(spoilt: Path) -> Iterator[Shop]:
    yield Shop(spoilt)
    for name in ("restored.json", "approved.json"):
        (spoilt / "store" / "quality" / name).unlink(missing_ok=True)


@pytest.fixture
def browser(double: Any, shop: Shop) -> Iterator[Any]:
    with testclient.TestClient(
        create_app(double, keys=Keys(shop)), follow_redirects=False, headers={"accept": "text/html"}
    ) as client:
        yield client


def form(page: Any, **fields: Any) -> dict[str, Any]:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found
    return {"token": found[1], **fields}


def hashes(page: Any) -> list[str]:
    return re.findall(r'name="row" value="(\w+)"', page.text)


def test_the_gate_and_what_was_found(browser: Any) -> None:
    page = browser.get("/console/data")
    assert page.status_code == 200
    assert "it points to an unknown product" in page.text
    assert "check=C13&amp;family=reviews&amp;problem=unknown_product" in page.text
    assert "C13" in page.text.split("What the gate asks<")[1]
    chinese = browser.get("/console/data", headers={"accept-language": "zh"}).text
    assert find("C13").problems["unknown_product"].chinese in chinese
    assert "What the gate asks" not in chinese


def test_bad_rows_are_shown_masked_and_harmless(browser: Any) -> None:
    page = browser.get("/console/data/rows", params=UNKNOWN)
    assert len(hashes(page)) == 2
    assert "p-gone" in page.text
    assert "13800138000" not in page.text
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


def test_rows_are_put_back_by_who_is_signed_in(browser: Any, shop: Shop) -> None:
    page = browser.get("/console/data/rows", params=UNKNOWN)
    chosen = hashes(page)[:1]
    answer = browser.post("/console/data/rows", data=form(page, **UNKNOWN, act="restore", row=chosen))
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/data?done=restore&count=1")
    assert "1 rows will be put back by the next check" in browser.get(answer.headers["location"]).text
    assert list(Ledger(shop.store).restored()) == chosen
    assert shop.audit.entries()[-1].act == "restore rows"
    again = browser.get("/console/data/rows", params=UNKNOWN)
    assert "put back</span>" in again.text
    browser.post("/console/data/rows", data=form(again, **UNKNOWN, act="forget", row=chosen))
    assert not Ledger(shop.store).restored()


def test_all_rows_of_a_problem_are_given_up(browser: Any, shop: Shop) -> None:
    page = browser.get("/console/data/rows", params=UNKNOWN)
    answer = browser.post("/console/data/rows", data=form(page, **UNKNOWN, act="approve_all"))
    assert answer.headers["location"].endswith("count=2")
    approved = Ledger(shop.store).approved()
    assert {row["who"] for row in approved.values()} == {"anyone over HTTP"}
    assert len(approved) == 2
    assert shop.audit.entries()[-1].about["count"] == 2


def test_what_cannot_be_used_is_not_put_back(browser: Any, shop: Shop) -> None:
    page = browser.get("/console/data/rows", params=MISSING)
    assert "cannot be used as it is" in page.text
    answer = browser.post("/console/data/rows", data=form(page, **MISSING, act="restore", row=hashes(page)))
    assert answer.status_code == 422
    assert "mend it in the raw file" in answer.text
    assert not Ledger(shop.store).restored()


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"act": "restore"}, 422), ({"act": "burn", "row": ["x"]}, 422), ({"act": "restore", "row": ["nothing"]}, 404),
     ({"act": "forget", "row": ["nothing"]}, 404)],
)  # fmt: skip
def test_nonsense_is_answered_with_a_cure(browser: Any, shop: Shop, fields: dict[str, Any], status: int) -> None:
    page = browser.get("/console/data/rows", params=UNKNOWN)
    answer = browser.post("/console/data/rows", data=form(page, **UNKNOWN, **fields))
    assert answer.status_code == status
    assert "What helps" in answer.text
    assert not Ledger(shop.store).restored()


@pytest.mark.parametrize(
    "wrong",
    [
        {"check": "C99"},
        {"problem": "nothing"},
        {"family": "../../etc"},
        {"page": "0"},
        {"page": "999999999999"},
        {"page": "x"},
    ],
)
def test_addresses_that_lead_nowhere(browser: Any, wrong: dict[str, str]) -> None:
    answer = browser.get("/console/data/rows", params={**UNKNOWN, **wrong})
    assert answer.status_code in ((200,) if wrong.get("page", "x").isdigit() else (400, 404, 422))
    assert "Traceback" not in answer.text


def test_a_shop_that_was_never_checked_says_how(double: Any, tmp_path: Path) -> None:
    with testclient.TestClient(create_app(double, keys=Keys(Shop.create(tmp_path / "new")))) as client:
        page = client.get("/console/data", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert "mercer check" in page.text
        assert client.get("/console/data/rows", params=UNKNOWN, headers={"accept": "text/html"}).status_code == 404


def test_the_room_itself(shop: Shop) -> None:
    rows = list(held.rows(shop, check="C13", family="reviews"))
    assert [row["product"] for row in rows] == ["p-gone", "p-gone"]
    assert "13800138000" in rows[1]["text"], "what came is kept as it came"
    assert [row["row_id"] for row in held.rows(shop, numbers=[rows[1]["row_id"]])] == [rows[1]["row_id"]]
    assert "13800138000" not in held.concealed(rows, salt="")[1]["text"]
    assert held.chosen(shop, ["reviews:38"])[0]["row_hash"] == rows[0]["row_hash"]
    with pytest.raises(NotFoundError, match="nothing is in quarantine"):
        held.approve(shop, [])
    with pytest.raises(RequestError, match="cannot be used"):
        held.restore(shop, ["products:3"])
