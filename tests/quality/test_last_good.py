"""A bad update deletes no product: the row accepted last goes on serving, and nothing else does."""

import dataclasses
import json

import pyarrow as pa
import pytest

from mercer.quality.last_good import Before, expired
from mercer.quality.quarantine import row_hash
from mercer.quality.run import QualitySettings, check

NOW = 1_750_000_000_000
DAY = 86_400_000


@pytest.fixture
def rows():
    return [
        {"id": f"p{n}", "title": f"Mug {word}", "price": 5.0 + n, "stock": 3}
        for n, word in enumerate(("red", "green", "blue", "grey", "brown", "white", "black", "orange"))
    ]


@pytest.fixture
def run(raw_of, all_but):
    rest = all_but("C01", "C02", "C03", "C06", "C07")

    def checked(rows, before=None, *, malformed=None, **options):
        raw = raw_of("products", rows)
        if malformed:
            text = pa.Table.from_pylist([malformed], schema=raw.malformed.schema)
            raw = dataclasses.replace(raw, malformed=text)
        accepted = before and Before(before.version, before.trusted["products"], before.served)
        settings = options.pop("settings", QualitySettings())
        settings = dataclasses.replace(settings, disable=(*settings.disable, *rest))
        return check({"products": raw}, settings, before=accepted, **{"now": NOW, **options})

    return checked


def spoiled(rows, number, **values):
    return [{**row, **values} if at == number else row for at, row in enumerate(rows)]


def of(checked, id):
    return [row for row in checked.trusted["products"].to_pylist() if row["id"] == id]


def test_a_bad_row_does_not_delete_the_product(run, rows):
    first = run(rows)
    second = run(spoiled(rows, 2, title=None, price=99.0), first)
    (served,) = of(second, "p2")
    assert (served["title"], served["price"], served["row_id"]) == ("Mug blue", 7.0, 2)
    assert second.trusted["products"]["row_id"].to_pylist() == list(range(8))
    (note,) = second.served.to_pylist()
    assert (note["id"], note["kind"], note["version"], note["since"]) == ("p2", "last_good", first.version, NOW)
    assert second.manifest["rows"]["products"] == {"raw": 8, "trusted": 7, "quarantine": 1}
    assert second.manifest["served"]["last_good"] == 1
    assert second.quarantine["products"]["id"].to_pylist() == ["p2"]


def test_the_hash_is_of_what_serves_and_of_nothing_else(run, rows):
    first, bad = run(rows), spoiled(rows, 2, title=None)
    second = run(bad, first)
    assert second.manifest["trusted_hash"] == run(bad, first, now=NOW + DAY).manifest["trusted_hash"]
    assert second.manifest["trusted_hash"] != run(bad).manifest["trusted_hash"]
    other = run(spoiled(rows, 2, price=8.5))
    assert second.manifest["trusted_hash"] != run(bad, other).manifest["trusted_hash"]
    again = run(bad, second, now=NOW + DAY)
    assert again.version == second.version
    assert again.served.to_pylist() == second.served.to_pylist()


def test_it_serves_for_so_many_days(run, rows):
    first, settings = run(rows), QualitySettings(last_good_days=2)
    bad = spoiled(rows, 2, title=None)
    second = run(bad, first, settings=settings)
    before = Before(second.version, second.trusted["products"], second.served)
    assert of(run(bad, second, settings=settings, now=NOW + 2 * DAY), "p2")
    assert not of(run(bad, second, settings=settings, now=NOW + 3 * DAY), "p2")
    assert expired(before, settings, NOW + 2 * DAY) == []
    assert expired(before, settings, NOW + 3 * DAY) == ["p2"]


def test_a_product_that_the_file_lacks_is_gone(run, rows):
    assert not of(run(rows[1:], run(rows)), "p0")


def test_the_owner_may_turn_it_off(run, rows):
    off = QualitySettings(keep_last_good=False)
    assert not of(run(spoiled(rows, 2, title=None), run(rows), settings=off), "p2")


def test_an_agreed_loss_is_a_loss(run, rows, raw_of):
    bad = spoiled(rows, 2, title=None)
    name = row_hash("products", raw_of("products", bad).table.to_pylist()[2])
    assert not of(run(bad, run(rows), approved=[name]), "p2")


def test_a_new_rule_is_no_bad_update(run, rows):
    bad = spoiled(rows, 2, price=-1.0)
    loose = run(bad, settings=QualitySettings(disable=("C06",)))
    assert of(loose, "p2")[0]["price"] == -1.0
    strict = run(bad, loose)
    assert [row["price"] for row in of(strict, "p2")] == [None]
    titled = spoiled(bad, 2, title="")
    assert not of(run(titled, loose), "p2"), "the earlier row has a fault of its own"


def test_another_row_of_the_id_stands_for_the_product(run, rows):
    second = run([*rows, {**rows[2], "title": "Teapot"}], run(rows))
    assert [row["title"] for row in of(second, "p2")] == ["Mug blue"]
    assert not second.served.num_rows


def test_what_cannot_be_bought_today_is_not_sold(run, rows):
    second = run(spoiled(rows, 2, title=None, stock=0), run(rows))
    (served,) = of(second, "p2")
    assert (served["title"], served["stock"]) == ("Mug blue", 0)
    assert json.loads(second.served["fields"][0].as_py()) == ["stock"]


def test_a_line_that_cannot_be_read_names_its_product(run, rows):
    first = run(rows)
    line = {"row_id": 7, "line": 9, "text": 'p7,"Mug ora', "problem": "ends in the middle"}
    assert of(run(rows[:7], first, malformed=line), "p7")[0]["title"] == "Mug orange"
    two = {**line, "text": "p6,p7"}
    assert not of(run(rows[:6], first, malformed=two), "p7")


def test_on_the_first_load_a_fact_is_left_out_and_a_text_never(run, rows):
    checked = run(spoiled(spoiled(rows, 2, price=-1.0, list_price=9.0), 3, title=" "))
    assert [(row["price"], row["list_price"], row["stock"]) for row in of(checked, "p2")] == [(None, None, 3)]
    assert not of(checked, "p3")
    (note,) = checked.served.to_pylist()
    assert (note["kind"], note["version"], json.loads(note["fields"])) == ("partly", "", ["list_price", "price"])
    assert not of(run(spoiled(rows, 2, price=-1.0), settings=QualitySettings(keep_partly=False)), "p2")


def test_the_earlier_row_comes_before_a_part_of_todays(run, rows):
    first = run(rows)
    second = run(spoiled(rows, 2, price=-1.0), first)
    assert of(second, "p2")[0]["price"] == 7.0
