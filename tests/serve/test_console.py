"""The console's door and its keys: who comes in, what a form needs, and what is shown once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.serve import Keys, ServeSettings, create_app  # noqa: E402  # after the check for the extra
from mercer.serve.console.form import same_site  # noqa: E402
from mercer.serve.console.menu import SECTIONS  # noqa: E402
from mercer.serve.console.words import PHRASES, Words  # noqa: E402
from mercer.serve.key_session import Sessions  # noqa: E402
from mercer.shop import Shop  # noqa: E402

HTML = {"accept": "text/html"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


@pytest.fixture
def keys(shop: Shop) -> Keys:
    return Keys(shop)


@pytest.fixture
def browser(double: Any, keys: Keys) -> Iterator[Any]:
    with testclient.TestClient(create_app(double, keys=keys), follow_redirects=False, headers=HTML) as client:
        yield client


def token(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]


def signed_in(browser: Any, secret: str) -> None:
    answer = browser.post("/console/sign-in", data={"key": secret, "next": "/console/keys"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/keys")


def test_an_admin_key_opens_it_and_no_other(browser: Any, keys: Keys) -> None:
    owner, secret = keys.add("owner", ["admin"])
    other, small = keys.add("web", ["search"])
    asked = browser.get("/console/keys?a=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/console/sign-in?next=%2Fconsole%2Fkeys%3Fa%3D1")
    assert browser.get("/console/keys", headers={"accept": "*/*"}).status_code == 401
    for wrong, said in ((small, "not of scope admin"), (secret[:-1] + "?", "no key of this shop"), ("", "no key")):
        refused = browser.post("/console/sign-in", data={"key": wrong})
        assert refused.status_code == 422
        assert said in refused.text
        assert not wrong or wrong not in refused.text
    signed_in(browser, secret)
    page = browser.get("/console/keys")
    assert page.status_code == 200
    assert owner.id in page.text
    assert other.id in page.text
    assert secret not in page.text
    keys.revoke(owner.id)
    assert browser.get("/console/keys").status_code == 303, "a session ends with its key"


def test_the_cookie_goes_nowhere_else(browser: Any, keys: Keys) -> None:
    _, secret = keys.add("owner", ["admin"])
    cookie = browser.post("/console/sign-in", data={"key": secret}).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= set(cookie.split("; "))
    assert secret not in cookie


def test_signing_out_ends_the_session_for_everybody(browser: Any, keys: Keys) -> None:
    _, secret = keys.add("owner", ["admin"])
    signed_in(browser, secret)
    held = browser.cookies["mercer_owner"]
    out = browser.post("/console/sign-out", data={"token": token(browser.get("/console/keys"))})
    assert (out.status_code, out.headers["location"]) == (303, "/console/sign-in")
    kept = browser.get("/console/keys", headers={"cookie": f"mercer_owner={held}"})
    assert kept.status_code == 303, "whoever kept the cookie"


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://elsewhere.example"},
     {"origin": "null"}],
)  # fmt: skip
def test_another_sites_form_is_refused(browser: Any, keys: Keys, shop: Shop, headers: dict[str, str]) -> None:
    _, secret = keys.add("owner", ["admin"])
    signed_in(browser, secret)
    form = {"token": token(browser.get("/console/keys")), "name": "theirs", "scope": "admin"}
    answer = browser.post("/console/keys", data=form, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert len(keys.all()) == 1


@pytest.mark.parametrize("wrong", ["", "x", "é", "0" * 64])
def test_a_form_without_its_token_is_refused(browser: Any, keys: Keys, wrong: str) -> None:
    _, secret = keys.add("owner", ["admin"])
    signed_in(browser, secret)
    assert browser.post("/console/keys", data={"token": wrong, "name": "a", "scope": "admin"}).status_code == 403
    assert len(keys.all()) == 1


def test_a_shop_without_keys_is_open_and_says_so_until_the_first(browser: Any, keys: Keys, shop: Shop) -> None:
    page = browser.get("/console/keys")
    assert "This shop has no key yet" in page.text
    form = {"token": token(page), "name": "owner"}
    assert browser.post("/console/keys", data={"name": "x", "scope": "admin"}).status_code == 403, "no token"
    locked = browser.post("/console/keys", data={**form, "scope": "search"})
    assert locked.status_code == 422
    assert "not of scope admin" in locked.text
    assert 'value="owner"' in locked.text, "what was typed is still there"
    made = browser.post("/console/keys", data={**form, "scope": ["admin", "search"], "days": "30"})
    assert made.status_code == 201
    secret = re.search(r'<code id="secret">([^<]+)', made.text)
    assert secret
    assert keys.find(secret[1]) is not None
    again = browser.get("/console/keys")
    assert again.status_code == 200, "who made it is signed in with it"
    assert secret[1] not in again.text
    browser.cookies.clear()
    assert browser.get("/console/keys").status_code == 303
    assert shop.audit.entries()[-1].act == "add key"


def test_keys_are_replaced_and_revoked_and_it_is_written_down(browser: Any, keys: Keys, shop: Shop) -> None:
    owner, secret = keys.add("owner", ["admin"])
    web, _ = keys.add("web", ["search"])
    signed_in(browser, secret)
    form = {"token": token(browser.get("/console/keys"))}
    replaced = browser.post(f"/console/keys/{web.id}/replace", data=form)
    assert "goes on for 24 hours" in replaced.text
    assert browser.post(f"/console/keys/{web.id}/revoke", data=form).status_code == 303
    assert next(key for key in keys.all() if key.id == web.id).revoked
    assert [(entry.act, entry.who) for entry in shop.audit.entries()[2:]] == [
        ("rotate key", f"key {owner.id}"),
        ("revoke key", f"key {owner.id}"),
    ]
    missing = browser.post("/console/keys/0/revoke", data=form)
    assert missing.status_code == 404
    assert "there is no key" in missing.text


@pytest.mark.parametrize("days", ["ten", "-1", "nan", "9999", "1e999"])
def test_days_that_cannot_be(browser: Any, keys: Keys, days: str) -> None:
    _, secret = keys.add("owner", ["admin"])
    signed_in(browser, secret)
    form = {"token": token(browser.get("/console/keys")), "name": "a", "scope": "search", "days": days}
    answer = browser.post("/console/keys", data=form)
    assert answer.status_code == 422
    assert "What helps" in answer.text
    assert len(keys.all()) == 1


@pytest.mark.parametrize("onward", ["https://elsewhere.example", "//elsewhere.example", "/cart", "/console//x", "/\\x"])
def test_signing_in_leads_nowhere_else(browser: Any, keys: Keys, onward: str) -> None:
    _, secret = keys.add("owner", ["admin"])
    assert browser.post("/console/sign-in", data={"key": secret, "next": onward}).headers["location"] == "/console"
    assert browser.get("/console/language/zh", params={"back": onward}).headers["location"] == "/console"


def test_another_machines_cookie_and_an_old_one_open_nothing() -> None:
    now = 1_800_000_000.0
    mine = Sessions(b"a" * 32, clock=lambda: now)
    session = mine.begin("k")
    assert mine.read(session.cookie) == session
    assert Sessions(b"b" * 32, clock=lambda: now).read(session.cookie) is None
    assert mine.read(session.cookie.replace(".k.", ".admin.")) is None
    for nonsense in ("", "a.b.c.d", "٣.k.n.s", "9" * 40 + ".k.n.s", "1.k.n.é"):
        assert mine.read(nonsense) is None
    now += 9 * 3600
    assert mine.read(session.cookie) is None


def test_without_it_there_is_no_route(double: Any, keys: Keys) -> None:
    with testclient.TestClient(create_app(double, keys=keys, settings=ServeSettings(console=False))) as client:
        assert client.get("/console").status_code == 404
    with testclient.TestClient(create_app(double)) as client:
        assert client.get("/console", headers=HTML).status_code == 404


def test_what_is_not_there_is_a_page_of_the_console(browser: Any, keys: Keys) -> None:
    _, secret = keys.add("owner", ["admin"])
    signed_in(browser, secret)
    page = browser.get("/console/nowhere", headers={"accept-language": "zh"})
    assert page.status_code == 404
    assert "返回控制台" in page.text


def test_every_phrase_is_in_both_languages_and_named_once() -> None:
    seen: dict[str, str] = dict.fromkeys(PHRASES, "every page")
    for section in SECTIONS:
        for name, (english, chinese) in section.phrases.items():
            assert seen.setdefault(name, section.path) == section.path, f"{name} is in two sections"
            fields = [set(re.findall(r"{(\w+)", text)) for text in (english, chinese)]
            assert fields[0] == fields[1], name
            assert english
            assert re.search(r"[\u4e00-\u9fff]", chinese) or english == chinese, name
    assert Words("xx").language == "en"


def test_every_template_names_phrases_that_exist() -> None:
    known = set(PHRASES).union(*(section.phrases for section in SECTIONS))
    folder = Path(create_app.__code__.co_filename).parent / "console" / "templates"
    for path in folder.glob("*.html"):
        for name in re.findall(r"\bt\('(\w+)'[,)]", path.read_text("utf-8")):
            assert name in known, f"{path.name}: {name}"


def test_same_site_by_what_browsers_say() -> None:
    from starlette.requests import Request

    def said(**headers: str) -> bool:
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return same_site(Request({"type": "http", "headers": raw}))

    assert said(host="localhost:8000", origin="http://localhost:8000", sec_fetch_site="same-origin")
    assert said(host="localhost:8000")
    assert not said(host="localhost:8000", origin="http://localhost:9000")
