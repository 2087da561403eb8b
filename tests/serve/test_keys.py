"""Keys: made once, kept as hashes, checked on every route; what each route needs is told by the route itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mercer.errors import NotFoundError, RequestError, ShopError
from mercer.shop import Shop

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.serve import Keys, ServeSettings, create_app  # noqa: E402
from mercer.serve.key import SCOPES, Key  # noqa: E402
from mercer.serve.key_scope import Table  # noqa: E402

DAY = 86_400
START = 1_760_000_000.0


class Clock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


@pytest.fixture
def keys(shop: Shop, clock: Clock) -> Keys:
    return Keys(shop, clock=clock)


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


class TestStore:
    def test_the_secret_is_nowhere_in_the_shop(self, keys: Keys, shop: Shop) -> None:
        _, secret = keys.add("web", ["search"])
        keys.rotate(keys.all()[0].id)
        kept = b"".join(path.read_bytes() for path in shop.folder.rglob("*") if path.is_file())
        assert secret.encode() not in kept
        assert secret.rsplit("_", 1)[1].encode() not in kept

    def test_only_the_owner_may_read_it(self, keys: Keys) -> None:
        keys.add("web", ["search"])
        path = keys.store / "keys.json"
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o666)
        with pytest.raises(ShopError, match="others may write"):
            Keys(Shop(keys.store.parent)).all()

    def test_found_by_the_whole_secret_only(self, keys: Keys) -> None:
        key, secret = keys.add("web", ["search", "events"])
        keys.add("other", ["admin"])
        assert keys.find(secret) == key
        last = "A" if secret[-1] != "A" else "B"
        for other in ("", secret[:-1], secret[:-1] + last, secret + "A", secret.upper(), key.id, key.hash, "é" * 67):
            assert keys.find(other) is None

    def test_another_process_is_heard_at_once(self, keys: Keys, shop: Shop) -> None:
        key, secret = keys.add("web", ["search"])
        other = Keys(shop)
        other.revoke(key.id)
        found = keys.find(secret)
        assert found is not None
        assert found.state(keys.now()) == "revoked"

    def test_expiry(self, keys: Keys, clock: Clock) -> None:
        key, _ = keys.add("day", ["search"], days=1)
        clock.now += DAY - 1
        assert key.state(keys.now()) == "active"
        clock.now += 1
        assert key.state(keys.now()) == "expired"

    def test_rotation_overlaps(self, keys: Keys, clock: Clock) -> None:
        old, before = keys.add("web", ["search", "events"], days=30)
        clock.now += 10 * DAY
        new, after = keys.rotate(old.id, overlap=24)
        assert (new.name, new.scopes, new.replaces) == (old.name, old.scopes, old.id)
        assert new.expires == int((START + 40 * DAY) * 1000), "it lives as long as the old one did"
        states = lambda: [key.state(keys.now()) for key in keys.all()]  # noqa: E731
        assert states() == ["active", "active"]
        clock.now += DAY
        assert states() == ["expired", "active"]
        assert keys.find(before) is not None
        assert keys.find(after) == new

    def test_an_overlap_lengthens_no_life(self, keys: Keys, clock: Clock) -> None:
        old, _ = keys.add("web", ["search"], days=1)
        keys.rotate(old.id, overlap=1000)
        assert keys.all()[0].expires == old.expires

    @pytest.mark.parametrize("state", ["expired", "revoked"])
    def test_what_is_over_is_not_rotated(self, keys: Keys, clock: Clock, state: str) -> None:
        key, _ = keys.add("web", ["search"], days=1)
        if state == "revoked":
            keys.revoke(key.id)
        clock.now += 2 * DAY
        with pytest.raises(RequestError, match=state):
            keys.rotate(key.id)

    @pytest.mark.parametrize(
        ("name", "scopes", "days"),
        [("", ["search"], None), ("a\nb", ["search"], None), ("a" * 81, ["search"], None), ("a", [], None),
         ("a", ["all"], None), ("a", ["search"], 0), ("a", ["search"], float("nan")), ("a", ["search"], 10**6)],
    )  # fmt: skip
    def test_what_cannot_be_is_refused(self, keys: Keys, name: str, scopes: list[str], days: float | None) -> None:
        with pytest.raises(RequestError):
            keys.add(name, scopes, days=days)
        assert keys.all() == []

    def test_no_such_key(self, keys: Keys) -> None:
        with pytest.raises(NotFoundError, match="no key 'x'"):
            keys.revoke("x")

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '{"keys": 1}', '{"keys": [{"id": "a"}]}', '{"keys": [{"id": 1, "scopes": null}]}']
    )
    def test_a_damaged_file_lets_nobody_in(self, keys: Keys, text: str) -> None:
        (keys.store / "keys.json").write_text(text, "utf-8")
        with pytest.raises(ShopError, match="damaged"):
            keys.find("x")

    def test_a_file_that_goes_away_opens_no_door(self, keys: Keys) -> None:
        keys.add("web", ["search"])
        assert keys.all()
        (keys.store / "keys.json").unlink()
        with pytest.raises(ShopError, match="is gone"):
            keys.all()

    def test_every_change_is_in_the_audit_log(self, keys: Keys, shop: Shop) -> None:
        key, secret = keys.add("web", ["search"], who="user ann")
        new, _ = keys.rotate(key.id, who="key 1")
        keys.revoke(key.id, who="key 1")
        assert [(entry.who, entry.act, entry.about["key"]) for entry in shop.audit.entries()] == [
            ("user ann", "add key", key.id),
            ("key 1", "rotate key", key.id),
            ("key 1", "revoke key", key.id),
        ]
        assert shop.audit.entries()[1].about["by"] == new.id
        assert secret not in shop.audit.path.read_text("utf-8")


# --- every route × every kind of key


def app_of(double: Any, store: Keys | None, **settings: Any) -> Any:
    return create_app(double, settings=ServeSettings(**settings), keys=store)


@pytest.fixture
def cast(keys: Keys, shop: Shop, clock: Clock, tmp_path: Path) -> dict[str, str]:
    """Kind of caller → what it sends as Authorization."""
    secrets = {scope: keys.add(scope, [scope])[1] for scope in SCOPES}
    expired = keys.add("expired", list(SCOPES), days=1)[1]
    clock.now += 2 * DAY
    gone, revoked = keys.add("revoked", list(SCOPES))
    keys.revoke(gone.id)
    foreign = Keys(Shop.create(tmp_path / "foreign"), clock=clock).add("foreign", list(SCOPES))[1]
    good = {scope: f"Bearer {secret}" for scope, secret in secrets.items()}
    bad = {
        "none": "",
        "expired": f"Bearer {expired}",
        "revoked": f"Bearer {revoked}",
        "foreign": f"Bearer {foreign}",
        "cut": f"Bearer {secrets['admin'][:-1]}",
        "basic": f"Basic {secrets['admin']}",
        "bare": secrets["admin"],
        "empty": "Bearer ",
        "long": "Bearer " + "a" * 5000,
    }
    return good | bad


VALUES = {("id", "/v1/keys"): "0" * 16, ("id", "/v1/prod"): "p-1", ("id", "/p/{id:p"): "p-1", ("id", "/images/"): "p-1",
          ("language", "/languag"): "en", ("language", "/console"): "en", ("id", "/console"): "0" * 16}  # fmt: skip
"""Of the parameters of paths, where the name itself would not do."""


def operations(app: Any) -> Iterator[tuple[str, str, Any]]:
    """(method, path with a value in each place, needs) of every route of the application."""
    for path, route, need in Table(app).routes():
        address = re.sub(
            r"{(\w+)(:path)?}", lambda found, start=path[:8]: VALUES.get((found[1], start), found[1]), path
        )
        if path == "/static":
            address = "/static/shop.css"
        if path == "/console/static":
            address = "/console/static/console.css"
        for method in sorted(getattr(route, "methods", None) or {"GET"}):
            yield method, address, need


def test_every_route_declares_what_it_needs(double: Any, keys: Keys) -> None:
    rows = list(Table(app_of(double, keys)).routes())
    assert len(rows) > 20
    undeclared = [path for path, _, need in rows if not need.declared]
    assert not undeclared, "give each openapi_extra=needs(SCOPE), or needs() where everybody may ask"
    scopes = {scope for _, _, need in rows for scope in need.scopes}
    assert scopes <= set(SCOPES)


PUBLIC = {"/", "/search", "/p/p-1", "/cart", "/language/en", "/images/p-1", "/static/shop.css", "/docs",
          "/openapi.json", "/health", "/ready", "/console/sign-in", "/console/language/en",
          "/console/static/console.css"}  # fmt: skip
"""What anybody may ask, written here once more so that a route that opens itself does not go unseen."""


def test_the_whole_matrix(double: Any, keys: Keys, cast: dict[str, str]) -> None:
    app = app_of(double, keys, address_rate=0.0, key_rate=0.0)
    wrong, cells, seen = [], 0, set()
    with testclient.TestClient(app, raise_server_exceptions=False) as client:
        client.follow_redirects = False
        for method, address, need in operations(app):
            seen.add(address)
            assert bool(need.scopes) == (address not in PUBLIC), address
            for kind, header in cast.items():
                client.cookies.clear()
                headers = {"authorization": header} if header else {}
                status = client.request(method, address, headers=headers).status_code
                open_ = not need.scopes or kind in need.scopes
                expected = "served" if open_ else "403" if kind in SCOPES else "401"
                got = str(status) if status in (401, 403) else "served"
                # the cart refuses another site's form with 403, but not this one; a served call may lack its body: 422
                cells += 1
                if got != expected:
                    wrong.append(f"{method} {address} with {kind}: {status}, expected {expected}")
    assert not wrong, "\n".join(wrong)
    assert seen >= PUBLIC
    assert cells > 400


def test_the_openapi_document_says_the_same(double: Any, keys: Keys) -> None:
    app = app_of(double, keys)
    document = app.openapi()
    assert set(document["components"]["securitySchemes"]) == {"key", "page"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert "security" in operation, f"{method} {path}"
    assert document["paths"]["/v1/search"]["post"]["security"] == [{"key": ["search"]}]


def test_nobody_is_asked_until_there_is_a_key(double: Any, keys: Keys) -> None:
    with testclient.TestClient(app_of(double, keys)) as client:
        assert client.post("/v1/search", json={"query": "cup"}).status_code == 200
        assert client.get("/v1/keys").status_code == 422, "the first key is made on the machine itself"
        _, secret = keys.add("web", ["search"])
        assert client.post("/v1/search", json={"query": "cup"}).status_code == 401
        assert client.post("/v1/search", json={"query": "cup"}, headers=bearer(secret)).status_code == 200


def test_always_and_never(double: Any, keys: Keys) -> None:
    with testclient.TestClient(app_of(double, keys, keys="always")) as client:
        assert client.post("/v1/search", json={"query": "cup"}).status_code == 401
        assert client.get("/search?q=cup").status_code == 200
    keys.add("web", ["search"])
    with testclient.TestClient(app_of(double, keys, keys="never")) as client:
        assert client.post("/v1/search", json={"query": "cup"}).status_code == 200
    with testclient.TestClient(app_of(double, None, keys="always")) as client:
        assert client.post("/v1/search", json={"query": "cup"}).status_code == 401


def test_a_route_that_says_nothing_lets_nobody_in(double: Any, keys: Keys, cast: dict[str, str]) -> None:
    app = app_of(double, keys)
    app.get("/v1/forgotten")(lambda: "open")
    with testclient.TestClient(app) as client:
        for header in cast.values():
            assert client.get("/v1/forgotten", headers={"authorization": header}).status_code in (401, 403)


def test_a_refusal_says_why_and_repeats_no_secret(double: Any, keys: Keys, cast: dict[str, str]) -> None:
    with testclient.TestClient(app_of(double, keys)) as client:

        def asked(kind: str) -> Any:
            return client.get("/v1/keys", headers={"authorization": cast[kind]} if cast[kind] else {})

        for kind, words in {
            "none": "no key was given", "expired": "is expired", "revoked": "is revoked", "cut": "no key of this shop",
            "foreign": "no key of this shop", "search": "is for search; this needs admin",
        }.items():  # fmt: skip
            answer = asked(kind)
            assert words in answer.json()["detail"]
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "x-content-type-options" in answer.headers
            secret = cast[kind].partition(" ")[2]
            assert not secret or secret not in answer.text


def test_no_body_is_read_before_the_key(double: Any, keys: Keys) -> None:
    keys.add("web", ["search"])
    with testclient.TestClient(app_of(double, keys)) as client:
        assert client.post("/v1/search", content=b"{ no json").status_code == 401


def test_a_damaged_key_file_closes_the_api_and_not_the_storefront(double: Any, keys: Keys) -> None:
    _, secret = keys.add("web", ["search"])
    with testclient.TestClient(app_of(double, keys)) as client:
        (keys.store / "keys.json").write_text("{", "utf-8")
        assert client.post("/v1/search", json={"query": "cup"}, headers=bearer(secret)).status_code == 503
        assert client.get("/health").status_code == 200
        assert client.get("/").status_code == 200


# --- the storefront's own calls


def test_a_page_of_the_storefront_needs_no_key(double: Any, keys: Keys) -> None:
    keys.add("web", ["search"])
    with testclient.TestClient(app_of(double, keys)) as client:
        assert client.get("/v1/suggest?q=oa").status_code == 401
        client.get("/")
        me = client.cookies["mercer_shopper"]
        assert client.get("/v1/suggest?q=oa").status_code == 200
        click = {"type": "click", "product": "p-1"}
        sent = client.post("/v1/events", json={"events": [{**click, "id": "1", "shopper": me}]})
        assert sent.status_code == 202
        assert client.post("/v1/search", json={"query": "cup"}).status_code == 401, "no more than the pages need"
        for event in ({"id": "2", "shopper": "somebody else"}, {"id": "3", "shopper": me, "type": "purchase"}):
            assert client.post("/v1/events", json={"events": [{**click, **event}]}).status_code == 422
        assert set(double.logged) == {"1"}
        assert client.get("/v1/suggest?q=oa", headers={"sec-fetch-site": "cross-site"}).status_code == 401
        client.cookies.set("mercer_shopper", "another-shopper", domain="testserver.local")
        assert client.get("/v1/suggest?q=oa").status_code == 401, "the cookie is of one shopper"


@pytest.mark.parametrize("value", ["", ".", "9999999999.", "9999999999.abc", "é.é", "-1." + "0" * 64])
def test_a_forged_page_cookie(double: Any, keys: Keys, value: str) -> None:
    keys.add("web", ["search"])
    with testclient.TestClient(app_of(double, keys)) as client:
        cookies = f"mercer_shopper=abcdefghijkl; mercer_session=abcdefghijkl; mercer_page={value}"
        assert client.get("/v1/suggest?q=oa", headers={"cookie": cookies.encode("latin-1")}).status_code == 401


def test_a_page_that_was_open_for_a_day() -> None:
    from starlette.responses import Response

    from mercer.serve.key_page import PagePass

    clock = Clock()
    signs = PagePass(b"s" * 32, clock=clock)
    value = signs.give(Response(), "ann", "1").headers["set-cookie"].split("mercer_page=")[1].split(";")[0]
    assert signs.holds(value, "ann", "1")
    assert not PagePass(b"t" * 32, clock=clock).holds(value, "ann", "1")
    clock.now += DAY
    assert not signs.holds(value, "ann", "1")


def test_without_the_storefront(double: Any, keys: Keys) -> None:
    with testclient.TestClient(app_of(double, keys, storefront=False)) as client:
        assert client.get("/").status_code == 404
        assert client.get("/health").status_code == 200


# --- /v1/keys


def test_an_owner_rules_over_http(double: Any, keys: Keys, shop: Shop) -> None:
    admin, secret = keys.add("owner", ["admin"])
    with testclient.TestClient(app_of(double, keys)) as client:
        client.headers = bearer(secret)
        made = client.post("/v1/keys", json={"name": "web", "scopes": ["search", "events"], "days": 30})
        assert made.status_code == 201
        assert made.headers["cache-control"] == "no-store"
        web = made.json()
        assert client.post("/v1/search", json={"query": "cup"}, headers=bearer(web["secret"])).status_code == 200
        turned = client.post(f"/v1/keys/{web['id']}/rotate", json={"overlap_hours": 0}).json()
        assert client.post("/v1/search", json={"query": "cup"}, headers=bearer(web["secret"])).status_code == 401
        assert client.post("/v1/search", json={"query": "cup"}, headers=bearer(turned["secret"])).status_code == 200
        assert client.delete(f"/v1/keys/{turned['id']}").json()["state"] == "revoked"
        listed = client.get("/v1/keys").json()["keys"]
        assert [(key["name"], key["state"]) for key in listed] == [
            ("owner", "active"), ("web", "expired"), ("web", "revoked")
        ]  # fmt: skip
        assert all(key["used"] for key in listed)
        assert not any("secret" in key or "hash" in key for key in listed)
        assert client.delete("/v1/keys/0000000000000000").status_code == 404
        assert client.delete("/v1/keys/x").status_code == 422
        assert client.post("/v1/keys", json={"name": "web", "scopes": ["everything"]}).status_code == 422
    assert {entry.who for entry in shop.audit.entries()[1:]} == {f"key {admin.id}"}
    assert set(json.loads((shop.store / "keys-used.json").read_text("utf-8"))) >= {admin.id}


def test_a_rule_changed_over_http_has_its_key_in_the_audit_log(client: Any, doors: Any) -> None:
    rule = {"id": "own", "do": "boost", "filters": [{"field": "brand", "values": ["Lumi"]}], "points": 0.1}
    assert client.post("/v1/rules", json={"rules": [rule]}).status_code == 200
    assert client.request("DELETE", "/v1/rules", json={"ids": ["own"]}).status_code == 200
    put, taken = doors.shop.audit.entries()[-2:]
    assert (put.who, put.act, put.about["written"], taken.about["removed"]) == (
        "anyone over HTTP", "change rules", ["own"], ["own"]
    )  # fmt: skip
    keys = Keys(doors.shop)
    owner, secret = keys.add("owner", ["admin"])
    try:
        with testclient.TestClient(create_app(doors, keys=keys)) as mine:
            assert mine.post("/v1/rules", json={"rules": [rule]}, headers=bearer(secret)).status_code == 200
            assert doors.shop.audit.entries()[-1].who == f"key {owner.id}"
            mine.request("DELETE", "/v1/rules", json={"ids": ["own"]}, headers=bearer(secret))
    finally:
        (keys.store / "keys.json").unlink()
    assert doors.shop.audit.verify() == []


def test_last_used_is_written_now_and_then(shop: Shop, clock: Clock) -> None:
    from mercer.serve.key_used import Used

    used = Used(shop.store, clock=clock)
    used.note("a")
    assert not used.due
    clock.now += 61
    used.note("a")
    assert used.due
    used.save()
    assert Used(shop.store, clock=clock).all() == {"a": int(clock.now * 1000)}
    (shop.store / "keys-used.json").write_text("[", "utf-8")
    assert Used(shop.store, clock=clock).all() == {}


# --- other sites


def test_cors_is_for_named_sites(double: Any, keys: Keys) -> None:
    _, secret = keys.add("web", ["search"])
    with testclient.TestClient(app_of(double, keys, origins=("https://shop.example",))) as client:
        ask = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
        mine = client.options("/v1/search", headers={"origin": "https://shop.example", **ask})
        assert mine.headers["access-control-allow-origin"] == "https://shop.example"
        other = client.options("/v1/search", headers={"origin": "https://evil.example", **ask})
        assert "access-control-allow-origin" not in other.headers
        answer = client.post(
            "/v1/search", json={"query": "cup"}, headers={"origin": "https://shop.example", **bearer(secret)}
        )
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "access-control-allow-credentials" not in answer.headers, "cookies are no business of other sites"
    with testclient.TestClient(app_of(double, keys)) as client:
        closed = client.options("/v1/search", headers={"origin": "https://shop.example", **ask})
        assert "access-control-allow-origin" not in closed.headers


def test_every_answer_has_its_security_headers(double: Any, keys: Keys, cast: dict[str, str]) -> None:
    from mercer.serve.header import SECURITY

    app = app_of(double, keys)
    with testclient.TestClient(app, raise_server_exceptions=False) as client:
        client.follow_redirects = False
        for method, address, _ in operations(app):
            for header in ("", cast["admin"]):
                answer = client.request(method, address, headers={"authorization": header} if header else {})
                missing = set(SECURITY) - set(answer.headers)
                assert not missing, f"{method} {address}: {missing}"
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "script-src 'unsafe-inline'" not in policy
                assert "server" not in answer.headers
        assert set(SECURITY) <= set(client.get("/nowhere").headers)


def test_state_of_a_key_by_hand() -> None:
    assert Key("a", "n", ("search",), "h", 0, expires=10).state(9) == "active"
    assert Key("a", "n", ("search",), "h", 0, expires=10, revoked=1).state(99) == "revoked"
