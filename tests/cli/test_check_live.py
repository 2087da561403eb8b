"""mercer check sees what came in through the API, and mercer index does not take it twice."""

import json

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.events.log import EventLog
from mercer.records import Event, Product
from mercer.shop import Shop

run = CliRunner()
DAY = 1_740_000_000_000


@pytest.fixture
def shop(tmp_path):
    """Forty products and a hundred views in files."""
    opened = Shop.create(tmp_path / "shop")
    products = ["id,title,price", *(f"p{index},Mug {index},{5 + index % 3}" for index in range(40))]
    events = ["event_id,type,shopper,session,product,time"]
    events += [f"e{n},view,s{n % 9},v{n},p{n % 40},{DAY + n * 60_000}" for n in range(100)]
    (tmp_path / "products.csv").write_text("\n".join(products) + "\n")
    (tmp_path / "events.csv").write_text("\n".join(events) + "\n")
    opened.settings.write_text('[data]\nproducts = "../products.csv"\nevents = "../events.csv"\n')
    return opened


def told(shop, *options):
    result = run.invoke(app, ["check", str(shop.folder), "--json", *options])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def test_events_of_the_log_are_checked_as_those_of_the_file(shop):
    assert told(shop)["manifest"]["rows"]["events"]["raw"] == 100
    with EventLog(shop.events) as log:
        log.append([Event(f"live{n}", "view", "p1", DAY + 10**7 + n * 60_000, shopper="ann") for n in range(5)])
        log.append([Event("odd", "view", "no such product", DAY + 2 * 10**7, shopper="ann")])
    found = told(shop)
    assert not found["unchanged"]
    assert found["manifest"]["rows"]["events"] == {"raw": 106, "trusted": 105, "quarantine": 1}
    assert found["manifest"]["live"] == 6
    assert told(shop)["unchanged"]


def test_an_event_delivered_in_both_counts_once(shop):
    with EventLog(shop.events) as log:
        log.append([Event("e3", "view", "p3", DAY + 180_000, shopper="s3", session="v3")])
    found = told(shop)["manifest"]["rows"]["events"]
    assert (found["raw"], found["trusted"]) == (101, 100)


def test_a_product_put_through_the_api_is_judged(shop):
    with EventLog(shop.events) as log:
        log.record_changes([Product("p3", "Better mug", price=7.0), Product("new", "Pot", price=-2.0)])
    found = told(shop)
    assert found["manifest"]["rows"]["products"] == {"raw": 41, "trusted": 40, "quarantine": 1}
    assert found["manifest"]["sequence"] == 2
    import pyarrow.parquet as pq

    trusted = pq.read_table(shop.path("checked", found["version"]) / "products.parquet")
    rows = {row["id"]: row for row in trusted.to_pylist()}
    assert rows["p3"]["title"] == "Better mug"
    assert (rows["new"]["title"], rows["new"]["price"]) == ("Pot", None), "shown, without the price that cannot be"


def test_the_index_takes_each_event_once_and_nothing_that_is_in_quarantine(shop, tmp_path):
    from mercer.doors.build import _events, _told

    with EventLog(shop.events) as log:
        log.append([Event("live1", "view", "p1", DAY + 10**7), Event("odd", "view", "nothing", DAY + 10**7)])
        log.record_changes([Product("new", "Pot", price=-2.0)], deletes=["p7"])
    checked = shop.path("checked", told(shop)["version"])
    with EventLog(shop.events) as log:
        log.append([Event("live2", "view", "p1", DAY + 2 * 10**7)])
    import pyarrow.parquet as pq

    ids = pq.read_table(_events(shop, checked, tmp_path))["event_id"].to_pylist()
    assert len(ids) == 102
    assert set(ids) == {*(f"e{n}" for n in range(100)), "live1", "live2"}
    assert [change.id for change in _told(shop, 0, checked).changes] == ["p7"]
