"""`mercer keys`: made, listed, rotated and revoked from the shell; the secret is on standard output, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import NotFoundError, RequestError
from mercer.serve import Keys
from mercer.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


def mercer(shop: Shop, *arguments: str) -> Any:
    outcome = CliRunner().invoke(app, ["keys", str(shop.folder), *arguments])
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return outcome


def test_a_life_of_a_key(shop: Shop) -> None:
    assert "no key yet" in mercer(shop).output
    made = mercer(shop, "add", "web [beta]", "--scope", "search", "--scope", "events", "--days", "30")
    secret = made.stdout.strip()
    keys = Keys(shop)
    key = keys.find(secret)
    assert key is not None
    assert (key.name, key.scopes) == ("web [beta]", ("search", "events"))
    assert secret not in mercer(shop).output
    assert key.id in mercer(shop).output
    turned = json.loads(mercer(shop, "rotate", key.id, "--overlap", "0", "--json").stdout)
    assert keys.find(turned["secret"]) is not None
    mercer(shop, "revoke", turned["id"])
    listed = json.loads(mercer(shop, "list", "--json").stdout)["keys"]
    assert [one["state"] for one in listed] == ["expired", "revoked"]
    assert not any("secret" in one or "hash" in one for one in listed)
    assert [entry.act for entry in shop.audit.entries()] == ["add key", "rotate key", "revoke key"]


def test_wrong_use_is_told(shop: Shop) -> None:
    for arguments, words in (
        (("add",), "names no key"), (("add", "web"), "scopes are none"), (("add", "web", "--scope", "all"), "all"),
        (("add", "web", "--scope", "search", "--days", "-1"), "days is -1"),
    ):  # fmt: skip
        with pytest.raises(RequestError, match=words):
            mercer(shop, *arguments)
    with pytest.raises(NotFoundError, match="no key 'nosuch'"):
        mercer(shop, "revoke", "nosuch")
