"""mercer bench dirt: errors put into a copy of a shop's own data are found, counted, and leave the shop as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import RequestError, SettingsError
from mercer.shop import Shop

run = CliRunner()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two hundred products, two at no price, and as many purchases with holes in them."""
    opened = Shop.create(tmp_path / "shop")
    prices = ["0" if row in (10, 11) else str(5 + row % 3) for row in range(200)]
    (tmp_path / "products.csv").write_text(
        "id,title,price\n" + "".join(f"p{row},Blue mug number {row},{price}\n" for row, price in enumerate(prices))
    )
    events = [f"purchase,s{row % 9},p{row},{1_700_000_000_000 + row * 60_000},1,5" for row in range(200)]
    events[3], events[50] = "purchase,,,1700000000000,1,", "click,s1,p5,,,"
    (tmp_path / "events.csv").write_text("type,shopper,product,time,quantity,price\n" + "\n".join(events) + "\n")
    opened.settings.write_text('[data]\nproducts = "../products.csv"\nevents = "../events.csv"\n')
    return opened


def told(*arguments: object) -> dict[str, dict[str, object]]:
    result = run.invoke(app, ["bench", "dirt", *map(str, arguments), "--json"], catch_exceptions=False)
    answer = json.loads(result.stdout)
    return {line["check"]: line for line in answer["checks"]} | {"": answer}


def test_what_was_put_in_is_found_beside_what_was_there(shop: Shop) -> None:
    before = sorted(shop.folder.rglob("*"))
    lines = told(shop.folder, "--checks", "C06,E02", "--rate", 0.05, "--seed", 2)
    assert sorted(shop.folder.rglob("*")) == before
    price = lines["C06"]
    assert price["before"] == 2
    assert price["injected"] >= 8
    assert price["wrong"] == 0
    assert price["found"] == price["injected"] - sum(price["missed"].values())  # type: ignore[attr-defined]
    assert lines["E02"]["recall"] == 1.0


def test_the_owners_settings_count(shop: Shop) -> None:
    assert told(shop.folder, "--checks", "E02", "--rate", 0.05)["E02"]["recall"] == 1.0
    shop.settings.write_text(shop.settings.read_text() + "\n[quality.E02]\nwithin = 0\n")
    assert told(shop.folder, "--checks", "E02", "--rate", 0.05)["E02"]["recall"] < 1.0  # type: ignore[operator]


def test_every_check_can_be_measured_on_a_shop_with_holes(shop: Shop) -> None:
    lines = told(shop.folder, "--rate", 0.05, "--difficulty", "adversarial")
    assert {"C01", "C06", "C07", "E01", "E02", "E03"} <= set(lines)
    assert set(lines[""]["skipped"]) >= {"X01", "T01", "L04"}  # type: ignore[call-overload]


def test_the_same_seed_gives_the_same_figures(shop: Shop) -> None:
    one, other = (told(shop.folder, "--checks", "C07", "--seed", 5)["C07"] for _ in range(2))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


@pytest.mark.parametrize(
    ("words", "kind"),
    [(("--checks", "C99"), SettingsError), (("--checks", "Q01"), RequestError), (("--rate", "0"), RequestError)],
)
def test_what_cannot_be_measured_is_said(shop: Shop, words: tuple[str, str], kind: type[Exception]) -> None:
    result = run.invoke(app, ["bench", "dirt", str(shop.folder), *words])
    assert isinstance(result.exception, kind)


def test_of_a_large_shop_the_first_rows_are_looked_at(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from mercer.bench import own

    whole = told(shop.folder, "--checks", "C06,E02", "--rate", 0.1)
    monkeypatch.setattr(own, "MOST", 50)
    part = told(shop.folder, "--checks", "C06,E02", "--rate", 0.1)
    for check in ("C06", "E02"):
        assert 0 < part[check]["injected"] < whole[check]["injected"]  # type: ignore[operator]
    assert part["C06"]["before"] == 2
