"""E09 finds clicks that tie a weak product to a popular one, and leaves what people want together alone."""

import numpy as np
import pytest

NOW = 1_750_000_000_000
DAY = 86_400_000


def look(shopper, product, at, *, type="click"):
    return {"type": type, "shopper": shopper, "session": f"{shopper}-{at // DAY}", "product": product, "time": at}


def shop(rng, *, shown, shoppers=400):
    """Everyone clicks ten products, popular ones more often; p0 and p90 belong together."""
    events = []
    for number in range(shoppers):
        goods = (1000 * rng.random(10) ** 1.5).astype(int).tolist()
        if number % 8 == 0:
            goods += [0, 90]
        for step, product in enumerate(goods):
            at = NOW - 50 * DAY + number * 3_600_000 + step * 40_000
            events += [look(f"s{number}", f"p{product}", at - 9000, type="impression")] if shown else []
            events.append(look(f"s{number}", f"p{product}", at))
    return events


def riders(count, *, besides=0, target="p999"):
    made = []
    for number in range(count):
        goods = ["p0", target, *(f"p{(number * 7 + step * 13) % 90}" for step in range(besides))]
        start = NOW - 5 * DAY + number * 60_000
        made += [look(f"k{number}", product, start + step) for step, product in enumerate(goods)]
    return made


@pytest.mark.parametrize(("shown", "besides"), [(False, 0), (True, 0), (True, 6)])
def test_riders_are_found(found_in, shown, besides):
    events = shop(np.random.default_rng(3), shown=shown)
    made = riders(60, besides=besides)
    found = found_in({"events": events + made}, "E09")
    assert {problem for *_, problem in found} == {"coattail"}
    rows = {row for _, row, _, _ in found}
    wanted = {len(events) + at for at, event in enumerate(made) if event["product"] in ("p0", "p999")}
    assert rows <= wanted
    assert len(rows) > 0.9 * len(wanted)


@pytest.mark.parametrize("shown", [False, True])
def test_what_belongs_together_is_no_fault(found_in, shown):
    assert found_in({"events": shop(np.random.default_rng(4), shown=shown)}, "E09") == []


def test_orders_tie_products_where_nobody_logs_looks(found_in):
    orders = [{**event, "type": "purchase"} for event in shop(np.random.default_rng(5), shown=False)]
    riding = [{**event, "type": "purchase"} for event in riders(60)]
    assert found_in({"events": orders}, "E09") == []
    found = found_in({"events": orders + riding}, "E09")
    assert {row for _, row, _, _ in found} == set(range(len(orders), len(orders) + len(riding)))


def test_orders_beside_looks_are_no_ties(found_in):
    events = shop(np.random.default_rng(5), shown=False)
    riding = [{**event, "type": "purchase"} for event in riders(60)]
    assert found_in({"events": events + riding}, "E09") == []
