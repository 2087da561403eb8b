"""X11 finds products that an update pushes up by few hands, and lets a season pass."""

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.check import Inputs, registry
from mercer.quality.checks.x11_poison import Poison
from mercer.quality.engine import DuckEngine
from mercer.quality.schema import SCHEMAS


def events(rng, count, start, products=60, shoppers=200, stranger=0.1):
    """Views of popular and rare products; some shoppers are new."""
    weights = 1 / np.arange(1, products + 1)
    product = rng.choice(products, count, p=weights / weights.sum())
    shopper = np.where(
        rng.random(count) < stranger, start + rng.integers(0, count, count), rng.integers(0, shoppers, count)
    )
    return [
        {
            "event_id": f"e{start + n}",
            "type": "view",
            "product": f"p{product[n]}",
            "shopper": f"s{shopper[n]}",
            "time": start + n,
        }
        for n in range(count)
    ]


@pytest.fixture
def days():
    rng = np.random.default_rng(2)
    return events(rng, 4000, 0), events(rng, 1000, 10_000)


def pushed(count, shoppers, product="p55"):
    return [
        {"event_id": f"x{n}", "type": "click", "product": product, "shopper": f"{shoppers}{n}", "time": 20_000 + n}
        for n in range(count)
    ]


def found(before, after, settings=None):
    def table(rows):
        return pa.Table.from_pylist([{"row_id": n, **row} for n, row in enumerate(rows)], schema=SCHEMAS["events"])

    tables = {"events": table(after)} | ({"events.before": table(before)} if before is not None else {})
    engine, declared = DuckEngine(), registry()["X11"]
    try:
        inputs = Inputs(engine.frames(tables), 0)
        pieces = [
            (row["product"], item.problem)
            for item in declared(inputs, settings or declared.settings())
            for row in engine.collect(item.rows).to_pylist()
        ]
    finally:
        engine.close()
    return sorted(pieces)


def test_another_day_is_no_attack(days):
    assert found(*days) == []
    assert found(None, days[1]) == []
    assert found(days[0], days[0]) == []


def test_strangers_push_a_rare_product(days):
    assert found(days[0], days[1] + pushed(80, "new")) == [("p55", "pushed_by_strangers")]


def test_a_few_shoppers_push_it(days):
    few = [row | {"shopper": f"s{n % 4}"} for n, row in enumerate(pushed(80, "s"))]
    assert found(days[0], days[1] + few) == [("p55", "pushed_by_few")]


def test_a_season_through_many_known_shoppers(days):
    many = [row | {"shopper": f"s{n % 150}"} for n, row in enumerate(pushed(150, "s"))]
    assert found(days[0], days[1] + many) == []


def test_too_little_history(days):
    assert found(days[0][:500], days[1] + pushed(80, "new")) == []
    with pytest.raises(SettingsError):
        Poison(lift=1.0)
