"""Limits follow what is usual, and move no more than they must."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.quality.checks.c06_price import Price
from mercer.quality.settings import QualitySettings
from mercer.quality.suggest import suggest, upper


def run(found, out, rows=1000):
    rows_of = {"products": {"raw": rows, "trusted": rows - out, "quarantine": out}}
    return {"rows": rows_of, "checks": {"C06": {"products": [found, out]}}}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_a_limit_is_above_every_mean_and_never_beyond_all_rows(counts):
    limit = upper([(count, 1000) for count in counts])
    assert min(0.999999, sum(counts) / len(counts) / 1000) < limit <= 1.0


def test_steady_days_give_a_closer_limit_than_restless_ones():
    steady, restless = [(20, 1000)] * 5, [(0, 1000), (40, 1000)] * 3
    assert upper(steady) < upper(restless)


def test_without_runs_nothing_is_proposed():
    assert suggest([], QualitySettings()) == []


def test_what_already_fits_is_left():
    history = [run(20, 20)] * 5
    proposals = {(one.section, one.key): one.proposed for one in suggest(history, QualitySettings())}
    limits = proposals[("quality", "C06", "sources", "products"), "warn_if"]
    assert limits == pytest.approx(upper([(20, 1000)] * 5), abs=0.001)
    fitting = Price(warn_if=limits, error_if=proposals[("quality", "C06", "sources", "products"), "error_if"])
    ceiling = {"products": proposals[("quality", "max_quarantine_of"), "products"]}
    settled = QualitySettings(sources={"C06": {"products": fitting}}, max_quarantine_of=ceiling)
    assert suggest(history, settled) == []


def test_a_ceiling_is_never_thrown_open():
    (one,) = [one for one in suggest([run(900, 900)], QualitySettings()) if one.key == "products"]
    assert one.proposed == 0.2
