"""C16 holds a delivery against those before it, and says nothing while it knows too few."""

import random

import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.check import Inputs, find
from mercer.quality.checks.c16_batch import Batch, expected
from mercer.quality.measure_batch import HISTORY, history_table, measure


def delivery(seed, rows=400):
    rng = random.Random(seed)
    kinds = ("Mugs", "Tents", "Lamps")
    made = []
    for number in range(rows + rng.randint(-20, 20)):
        kind = rng.randrange(3)
        made.append(
            {
                "row_id": number,
                "id": f"p{seed}-{number}",
                "title": f"{('Acme', 'Orbit', 'Zephyr')[number % 3]} {kinds[kind]} {'x' * rng.randint(3, 9)}",
                "brand": ("Acme", "Orbit", "Zephyr")[number % 3],
                "category": f"Home > {kinds[kind]}" if kind else "Sport > Tents",
                "price": (5.0, 80.0, 30.0)[kind] * rng.uniform(0.8, 1.2),
            }
        )
    return pa.Table.from_pylist(made)


@pytest.fixture(scope="module")
def history():
    return [{"products": measure("products", delivery(seed))} for seed in range(12)]


def problems(table, history, settings=None):
    inputs = Inputs({"products": table, HISTORY: history_table(history)}, 0)
    found = find("C16")(inputs, settings or Batch())
    return {item.problem for item in found if item.rows.num_rows}


def replaced(table, name, values):
    at = table.schema.get_field_index(name)
    return table.set_column(at, name, pa.array(values, table.schema.field(at).type))


def shuffled(table, name):
    values = table[name].to_pylist()
    random.Random(1).shuffle(values)
    return replaced(table, name, values)


@pytest.mark.parametrize("seed", range(50, 60))
def test_a_day_like_the_others_passes(history, seed):
    assert problems(delivery(seed), history) == set()


@pytest.mark.parametrize(
    ("hurt", "problem"),
    [
        (lambda table: table[: len(table) // 2], "rows"),
        (lambda table: pa.concat_tables([table, table]), "rows"),
        (lambda table: shuffled(table, "price"), "broken"),
        (lambda table: shuffled(table, "brand"), "broken"),
        (lambda table: replaced(table, "price", [None] * len(table)), "broken"),
        (lambda table: replaced(table, "price", [*table["price"].to_pylist()[:-13], *[None] * 13]), "column"),
    ],
)
def test_bad_deliveries_are_seen(history, hurt, problem):
    assert problem in problems(hurt(delivery(50)), history)


def test_nothing_is_said_on_the_first_runs_or_without_history(history):
    assert problems(delivery(50)[:9], history[:7]) == set()
    assert list(find("C16")(Inputs({"products": delivery(50)}, 0), Batch())) == []


def test_what_is_expected_follows_the_trend():
    level, spread = expected([float(number) for number in range(30)], 0.5)
    assert 27 < level < 29
    assert spread < 1


@pytest.mark.parametrize("wrong", [{"runs": 2}, {"smoothing": 0.0}, {"deviations": 0.0}, {"far": 0.0}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(SettingsError):
        Batch(**wrong)
