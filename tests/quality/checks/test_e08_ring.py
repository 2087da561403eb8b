"""E08 finds rings that hide among other purchases, and leaves collectors of a series alone."""

import numpy as np
import pytest

from mercer.quality.dense_block import Pairs, peel
from mercer.quality.ring import RingRules, rings
from mercer.quality.run import check

NOW = 1_750_000_000_000
DAY = 86_400_000


def shop(rng, *, shoppers=300, products=200):
    """Everybody wants some products, popular ones more often."""
    events = []
    for who in range(shoppers):
        for number, product in enumerate((products * rng.random(12) ** 2).astype(int).tolist()):
            moment = NOW - 60 * DAY + int(rng.integers(50 * DAY))
            events.append(act(f"s{who}", f"p{product}", f"s{who}-{number}", moment))
    return events


def act(shopper, product, session, time, type="purchase"):
    return {"type": type, "shopper": shopper, "product": product, "session": session, "time": time, "price": 9.0}


def group(rng, *, accounts=20, size=8, hidden=0, one_basket=False, first=150):
    """Accounts that all buy the same weak products, and some of anybody's."""
    made = []
    for who in range(accounts):
        goods = [f"p{first + number}" for number in range(size) if rng.random() < 0.85]
        goods += [f"p{product}" for product in (200 * rng.random(hidden) ** 2).astype(int).tolist()]
        for number, product in enumerate(goods):
            basket = f"n{who}" if one_basket and number < size else f"n{who}-{number}"
            made.append(act(f"n{who}", product, basket, NOW - 30 * DAY + number * 3_600_000 + who * 60_000))
    return made


@pytest.mark.parametrize("hidden", [0, 8, 24])
def test_a_ring_is_found_whatever_it_hides_among(found_in, hidden):
    rng = np.random.default_rng(5)
    natural = shop(rng)
    made = group(rng, hidden=hidden)
    products = [{"id": f"p{number}", "title": f"thing {number}"} for number in range(200)]
    found = found_in({"events": natural + made, "products": products}, "E08")
    ring = {row for _, row, _, problem in found if problem == "ring"}
    targets = {f"p{150 + number}" for number in range(8)}
    wanted = {len(natural) + at for at, event in enumerate(made) if event["product"] in targets}
    assert ring <= set(range(len(natural), len(natural) + len(made)))
    assert len(ring & wanted) >= 0.9 * len(wanted)
    assert {row for _, row, _, problem in found if problem == "boosted"} == set(range(150, 158))
    others = {row for _, row, _, problem in found if problem == "ring_account"}
    assert others <= set(range(len(natural), len(natural) + len(made)))
    assert bool(others) == bool(hidden)


def test_an_account_with_part_of_the_task_is_of_the_ring_and_a_buyer_of_everything_is_not(found_in):
    rng = np.random.default_rng(5)
    events = shop(rng) + group(rng, hidden=8)
    start = NOW - 30 * DAY + 3_600_000
    lazy = [act("lazy", product, f"lazy-{product}", start) for product in ("p150", "p151", "p3")]
    early = [act("early", product, f"early-{product}", start) for product in ("p150", "p151")]
    early.append(act("early", "p3", "early-p3", NOW - 60 * DAY))
    broad = [act("broad", f"p{number}", f"broad-{number}", start + number) for number in range(60, 190)]
    found = found_in({"events": events + lazy + early + broad}, "E08")
    first = len(events)
    assert {row for _, row, _, problem in found if row >= first and problem == "ring"} == {first, first + 1}


def test_collectors_of_a_series_are_no_ring(found_in):
    rng = np.random.default_rng(6)
    events = shop(rng) + group(rng, hidden=12, one_basket=True)
    assert found_in({"events": events}, "E08") == []


def test_accounts_for_nothing_else_are_a_ring_even_in_one_basket(found_in):
    rng = np.random.default_rng(7)
    found = found_in({"events": shop(rng) + group(rng, size=12, one_basket=True)}, "E08")
    assert {problem for _, _, _, problem in found} == {"ring"}


def test_products_that_nobody_showed_are_a_ring_even_in_one_basket(found_in):
    rng = np.random.default_rng(8)
    natural = shop(rng)
    shown = [{**event, "type": "impression", "time": event["time"] - 9_000} for event in natural]
    found = found_in({"events": natural + shown + group(rng, hidden=12, one_basket=True)}, "E08")
    assert "ring" in {problem for _, _, _, problem in found}


def test_taste_alone_is_no_ring(found_in):
    assert found_in({"events": shop(np.random.default_rng(9))}, "E08") == []


def test_what_a_ring_did_is_quarantined_and_what_else_it_did_is_not(raw_of):
    rng = np.random.default_rng(5)
    raw = raw_of("events", shop(rng) + group(rng, hidden=8))
    checked = check({"events": raw}, now=NOW)
    out = [row for row in checked.quarantine["events"].to_pylist() if '"E08"' in row["reasons"]]
    assert len(out) > 100
    assert {row["product"] for row in out} <= {f"p{150 + number}" for number in range(8)}


def test_peel_finds_the_planted_block():
    rng = np.random.default_rng(3)
    who, what = np.repeat(np.arange(30), 6) + 100, np.tile(np.arange(6), 30) + 50
    noise = rng.integers(0, 100, (2, 600))
    pairs = Pairs.of(np.concatenate([who, noise[0]]), np.concatenate([what, noise[1]]))
    block = peel(pairs, 1 / np.log(np.bincount(pairs.product) + 5))
    assert set(block.shoppers) == set(range(100, 130))
    assert set(block.products) == set(range(50, 56))
    assert block.density == 1


def test_no_pairs_no_rings():
    assert rings(Pairs.of(np.zeros(0, np.int32), np.zeros(0, np.int32)), RingRules()) == []
