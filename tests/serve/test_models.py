"""Versions over HTTP and in the console: listed with their proofs, made live, held back, taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.serve import Keys, create_app  # noqa: E402  # after the check for the extra
from mercer.shop import Kind, Shop  # noqa: E402

BY = {"requirement": "every row can be read", "share": 0.5, "family": "products", "threshold": 0.2}
SLICE = {"name": "zh", "queries": 4, "before": 0.5, "after": 0.4, "low": -0.2, "high": -0.05}


def proof(difference: float) -> dict[str, Any]:
    ends = {"difference": difference, "low": difference - 0.01, "high": difference + 0.01, "n": 20, "p": 0.01}
    return {
        "metric": "nDCG@10", "before": {"hybrid": 0.5}, "after": {"hybrid": 0.5 + difference},
        "comparisons": {"nDCG@10": ends}, "slices": [SLICE], "worse": 0.0, "passes": difference > 0,
    }  # fmt: skip


def keep(shop: Shop, kind: Kind, version: str, card: dict[str, Any], **files: Any) -> None:
    with shop.writing(kind) as folder:
        for name, value in files.items():
            (folder / f"{name}.json").write_text(json.dumps(value), "utf-8")
        shop.keep(kind, folder, card, version=version)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two checked versions, one of them blocked; a good and a bad model; an index on each."""
    shop = Shop.create(tmp_path / "shop")
    keep(shop, "checked", "c1", {"gate": "pass"}, gate={"decision": "pass"})
    keep(shop, "checked", "c2", {"gate": "block"}, gate={"decision": "block", "decided_by": BY})
    curve = [{"step": step, "loss": 1.0 / step} for step in (1, 2, 3)]
    keep(shop, "models", "encoder/good", {"base": {"name": "e5"}, "training": {"curve": curve}}, proof=proof(0.1))
    keep(shop, "models", "encoder/bad", {"base": {"name": "e5"}}, proof=proof(-0.1))
    keep(shop, "models", "ranker/new", {"base": {"name": "hybrid score"}})
    keep(shop, "models", "reranker/cross", {"base": {"name": "e5"}, "reranker": {"batch": 4}}, proof=proof(0.1))
    for name, checked, model in (
        ("i1", "c1", ""),
        ("i2", "c1", "encoder/good"),
        ("i3", "c1", "encoder/bad"),
        ("i4", "c2", ""),
    ):
        keep(shop, "index", name, {"checked": checked, "encoder": {"name": "e5-1", "model": model}})
    shop.publish("checked", "c1")
    shop.publish("index", "i1")
    return shop


@pytest.fixture
def http(double: Any, shop: Shop) -> Iterator[Any]:
    with testclient.TestClient(create_app(double, keys=Keys(shop)), follow_redirects=False) as client:
        yield client


def live(shop: Shop) -> str:
    found = shop.live("index")
    assert found
    return found.version


def test_the_list_says_what_is_live_and_what_is_held_back(http: Any) -> None:
    found = http.get("/v1/models").json()
    assert found["serving"] == {"version": "double", "behind": "", "fault": "", "swaps": False}
    told = {one["version"]: one for one in found["versions"]}
    assert [name for name, one in told.items() if one["live"]] == ["c1", "i1"]
    assert not told["i2"]["refusal"]
    assert "nDCG@10 -0.1000" in told["i3"]["refusal"]
    assert "the gate blocked" in told["i4"]["refusal"]
    assert "never measured" in told["ranker/new"]["refusal"]
    assert told["encoder/good"]["proof"]["metric"] == "nDCG@10"
    assert http.get("/v1/models/models/encoder/good").json() == told["encoder/good"]


def test_promote_and_rollback_are_the_commands(http: Any, shop: Shop) -> None:
    answer = http.post("/v1/models/promote", json={"kind": "models", "version": "encoder/good"})
    assert answer.json() == {
        "kind": "models", "version": "i2", "before": ["i1"],
        "serving": {"version": "double", "behind": "", "fault": "", "swaps": False},
    }  # fmt: skip
    assert {one["version"] for one in http.get("/v1/models").json()["versions"] if one["live"]} == {
        "c1",
        "i2",
        "encoder/good",
    }
    assert http.post("/v1/models/rollback", json={"kind": "index"}).json()["version"] == "i1" == live(shop)
    assert [entry.act for entry in shop.audit.entries()][-2:] == ["publish", "rollback"]
    nothing = http.post("/v1/models/rollback", json={"kind": "index"})
    assert nothing.status_code == 404
    assert "was live before" in nothing.json()["detail"]


@pytest.mark.parametrize(("version", "said"), [("i3", "is worse"), ("i4", "the gate blocked")])
def test_what_is_held_back_needs_a_reason(http: Any, shop: Shop, version: str, said: str) -> None:
    refused = http.post("/v1/models/promote", json={"kind": "index", "version": version})
    assert refused.status_code == 409
    assert said in refused.json()["detail"]
    assert live(shop) == "i1"
    let = http.post("/v1/models/promote", json={"kind": "index", "version": version, "override": "we looked"})
    assert let.status_code == 200
    assert shop.audit.entries()[-1].about["override"] == "we looked"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "index", "version": "i9"}, 404),
        ({"kind": "index", "version": "../c1"}, 404),
        ({"kind": "x", "version": "i1"}, 422),
        ({"kind": "models", "version": "ranker/new"}, 404),
        ({"kind": "index", "version": ""}, 422),
        ({"kind": "index"}, 422),
        ({"kind": "index", "version": "i1", "override": 7}, 422),
    ],
)
def test_nonsense(http: Any, shop: Shop, body: dict[str, Any], status: int) -> None:
    answer = http.post("/v1/models/promote", json=body)
    assert answer.status_code == status
    assert answer.json()["cure"]
    assert live(shop) == "i1"


def page(http: Any, path: str, language: str = "en") -> Any:
    return http.get(path, headers={"accept": "text/html", "accept-language": language})


def token(text: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', text)
    assert found
    return found[1]


def test_the_console_shows_and_changes_them(http: Any, shop: Shop) -> None:
    listed = page(http, "/console/models")
    assert "/console/models/index/i3" in listed.text
    good = page(http, "/console/models/models/encoder/good")
    assert "0.5000 → 0.6000" in good.text
    assert good.text.count("<svg") == 2, "the proof by kind of query, and the loss"
    reranker = page(http, "/console/models/models/reranker/cross")
    assert "Stands on" not in reranker.text, "a model's card has settings of that name, an index's the model"
    assert 'href="/console/models/models/encoder/good"' in page(http, "/console/models/index/i2").text
    answer = http.post("/console/models/index/i2", data={"token": token(good.text), "act": "promote"})
    assert answer.headers["location"] == "/console/models?live=i2"
    assert live(shop) == "i2"
    after = page(http, "/console/models?live=i2", "zh")
    assert "i2 已上线" in after.text
    back = http.post("/console/models/index/rollback", data={"token": token(after.text), "act": "rollback"})
    assert back.headers["location"] == "/console/models?live=i1"


def test_the_console_holds_back_too_and_takes_a_reason(http: Any, shop: Shop) -> None:
    bad = page(http, "/console/models/index/i3")
    assert "is worse" in bad.text
    form = {"token": token(bad.text), "act": "promote"}
    refused = http.post("/console/models/index/i3", data=form, headers={"accept": "text/html"})
    assert refused.status_code == 409
    assert live(shop) == "i1"
    assert http.post("/console/models/index/i3", data={**form, "override": "we looked"}).status_code == 303
    assert live(shop) == "i3"


@pytest.mark.parametrize("path", ["index/i9", "nothing/i1", "index/..%2F..%2Fx", "models/encoder"])
def test_versions_that_are_not_there(http: Any, path: str) -> None:
    answer = page(http, f"/console/models/{path}")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_a_damaged_proof_is_named(http: Any, shop: Shop) -> None:
    (shop.path("models", "encoder/good") / "proof.json").write_text('{"passes": false}', "utf-8")
    answer = http.get("/v1/models")
    assert answer.status_code == 503
    assert "is damaged" in answer.json()["detail"]
