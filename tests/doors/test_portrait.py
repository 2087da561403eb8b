"""What is said of a shopper is borne out by the products and times named; corrections and erasure are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mercer.doors.segment import segments
from mercer.errors import NotFoundError, RequestError
from mercer.records import Event
from mercer.retrieve.history import DAY


@pytest.fixture(scope="module")
def doors(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import shutil

    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    folder = tmp_path_factory.mktemp("portrait") / "shop"
    shutil.copytree(tiny_shop, folder)
    opened = open_doors(folder, read_settings(folder))
    yield opened
    opened.close()


def known(doors: Any) -> str:
    """The shopper with the longest past."""
    pasts = doors._recommend.behaviour.pasts
    return str(max(pasts.shoppers.names.to_pylist(), key=lambda name: len(pasts(name).product)))


def test_every_interest_has_products_that_bear_it_out(doors: Any) -> None:
    who = known(doors)
    found = doors.portrait(who)
    past = doors._recommend.behaviour.pasts(who)
    names = doors._recommend.behaviour.products.take(past.product)
    times = dict(zip(names, past.time.tolist(), strict=True))
    bought = dict(zip(names, past.bought.tolist(), strict=True))
    assert found.products == len(names)
    assert found.bought == sum(bought.values())
    assert (found.first, found.last) == (min(times.values()), max(times.values()))
    assert {one.field for one in found.interests} >= {"category", "brand"}
    for one in found.interests:
        assert 0 < one.share <= 1.0001
        assert one.lift > 0
        assert len(one.evidence) == min(3, one.products)
        for evidence in one.evidence:
            product = doors.product(evidence.product)
            value = {"category": " > ".join(product.category), "brand": product.brand}.get(
                one.field, product.attributes.get(one.field.removeprefix("attributes."))
            )
            assert value == one.value
            assert evidence.time == times[evidence.product]
            assert (evidence.action == "purchase") == bought[evidence.product]
    for field in ("category", "brand"):
        shares = [one.share for one in found.interests if one.field == field]
        assert shares == sorted(shares, reverse=True)
    if found.price:
        assert found.price.low <= found.price.middle <= found.price.high


def test_live_events_are_in_it_at_once(doors: Any) -> None:
    with pytest.raises(NotFoundError, match="nothing is known"):
        doors.portrait("live one")
    product = doors.product(doors.index.ids()[0])
    now = doors._recommend.behaviour.end + DAY
    doors.events.append([Event("l1", "view", product.id, now, "live one")])
    first = doors.portrait("live one")
    assert [one.name for one in first.segments][:3] == ["one product", "new", "active"]
    assert first.recent[0].action == "view"
    doors.events.append([Event("l2", "purchase", product.id, now + 5, "live one")])
    assert doors.portrait("live one").recent[0].action == "purchase"
    doors.events.append([Event("l3", "refund", product.id, now + 9, "live one")])
    with pytest.raises(NotFoundError):
        doors.portrait("live one")


def test_a_correction_is_kept_and_said(doors: Any) -> None:
    who = known(doors)
    brand = next(one for one in doors.portrait(who).interests if one.field == "brand")
    doors.prefer(who, "brand", brand.value, wanted=False)
    assert ("brand", brand.value) in doors.portrait(who).muted
    assert next(one for one in doors.portrait(who).interests if one.value == brand.value).preference == "muted"
    assert doors.shopper(who).muted[0].values == (brand.value,)
    doors.prefer(who, "brand", brand.value, wanted=None)
    assert doors.portrait(who).muted == ()
    with pytest.raises(RequestError, match="unknown"):
        doors.prefer(who, "colour", "red", wanted=True)
    with pytest.raises(RequestError, match="empty"):
        doors.prefer("", "brand", "Nord", wanted=True)


def test_on_the_command_line(doors: Any, own_shop: Path, mercer: Callable[..., Any], refused: Any) -> None:
    who = known(doors)
    shown = mercer("explain", own_shop, "--shopper", who, "--json").json
    assert shown["id"] == who
    brand = next(one["value"] for one in shown["interests"] if one["field"] == "brand")
    muted = mercer("explain", own_shop, "--shopper", who, "--mute", f"brand={brand}")
    assert "muted" in muted.out
    assert "because of" in muted.out
    assert mercer("explain", own_shop, "--shopper", who, "--unset", f"brand={brand}", "--json").json["muted"] == []
    assert "nothing is known" in refused("explain", own_shop, "--shopper", "nobody at all")
    assert "no preference" in refused("explain", own_shop, "--shopper", who, "--mute", "Nord")
    assert "neither" in refused("explain", own_shop)
    assert "a query and a shopper" in refused("explain", own_shop, "cup", "--shopper", who)


def test_over_http(doors: Any) -> None:
    testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")
    from mercer.serve import create_app

    who = known(doors)
    with testclient.TestClient(create_app(doors), raise_server_exceptions=False) as client:
        found = client.get(f"/v1/shoppers/{who}")
        assert found.status_code == 200
        brand = next(one["value"] for one in found.json()["interests"] if one["field"] == "brand")
        body = {"prefer": [{"field": "brand", "value": brand, "wanted": False}]}
        assert client.patch(f"/v1/shoppers/{who}", json=body).json()["muted"] == [["brand", brand]]
        assert client.patch(f"/v1/shoppers/{who}", json={"prefer": []}).status_code == 422
        assert client.get("/v1/shoppers/nobody").status_code == 404
        proof = client.delete(f"/v1/shoppers/{who}").json()
        assert proof["found"] == []
        assert proof["removed"]
        assert client.get(f"/v1/shoppers/{who}").status_code == 404
        assert not doors.shopper(who).muted


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"products": 9, "bought_days": 2, "age": 90, "idle": 20, "level": 0.9}, ["cooling", "buys again", "premium"]),
        ({"products": 9, "bought_days": 1, "age": 90, "idle": 70, "level": 0.1}, ["lapsed", "bought once", "budget"]),
        ({"products": 0, "bought_days": 0, "age": 0, "idle": 0, "level": None}, []),
    ],
)
def test_segments_follow_their_rules(given: dict[str, Any], names: list[str]) -> None:
    assert [one.name for one in segments(**given, brands=())] == names
    loyal = segments(**given, brands=[("Nord", 0.6, 5), ("Lumi", 0.9, 3), ("Oak", 0.1, 9)])
    assert [one.name for one in loyal] == [*names, "loyal to Nord"]
