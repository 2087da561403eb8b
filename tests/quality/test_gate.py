"""The gate blocks what would be emptied, warns above a share, and says which number decided."""

import pytest

from mercer.quality.check import CheckSettings
from mercer.quality.checks.c06_price import Price
from mercer.quality.run import QualitySettings, check

NOW = 1_750_000_000_000


@pytest.fixture
def few(all_but):
    """Settings of the few checks that these rows could offend."""
    return lambda **more: QualitySettings(disable=all_but("C01", "C02", "C06"), **more)


@pytest.fixture
def gate_of(raw_of, clean_rows, few):
    def decide(bad, settings=None, *, price=-1.0):
        for row in clean_rows["products"][:bad]:
            row["price"] = price
        return check({"products": raw_of("products", clean_rows["products"])}, settings or few(), now=NOW).gate

    return decide


def test_clean_data_passes(gate_of):
    assert gate_of(0, QualitySettings()).status == "pass"


def test_a_few_rows_warn(gate_of):
    gate = gate_of(2)
    assert gate.status == "warn"
    assert (gate.decided_by.check, gate.decided_by.unqualified, gate.decided_by.qualified) == ("C06", 2, 88)
    assert gate.decided_by.share == pytest.approx(2 / 90)
    assert gate.decided_by.sample_rows == (0, 1)


def test_above_the_ceiling_the_batch_is_blocked_and_not_emptied(gate_of):
    gate = gate_of(5)
    assert gate.blocked
    assert gate.decided_by.check == ""
    assert gate.decided_by.share == pytest.approx(5 / 90)
    assert gate.decided_by.threshold == 0.05


def test_the_owner_may_raise_the_ceiling_of_one_family(gate_of, few):
    assert gate_of(5, few(max_quarantine_of={"products": 0.1})).status == "warn"


def test_a_check_has_its_own_limit(gate_of, few):
    settings = few(max_quarantine=1.0, checks={"C06": Price(error_if=0.04)})
    gate = gate_of(4, settings)
    assert gate.blocked
    assert (gate.decided_by.check, gate.decided_by.threshold) == ("C06", 0.04)


def test_warnings_never_block(gate_of, few):
    gate = gate_of(60, few(checks={"C06": Price(error_if=0.0)}), price=31.0)
    assert gate.status == "warn"


def test_some_rows_of_a_small_family_may_go(raw_of, few):
    rows = [{"id": str(index), "title": "mug", "price": -1.0 if index < 3 else 1.0} for index in range(10)]
    assert check({"products": raw_of("products", rows)}, few(), now=NOW).gate.status == "warn"


def test_a_family_that_would_be_empty_is_blocked_however_small(raw_of, few):
    gate = check({"products": raw_of("products", [{"id": "1", "title": "mug", "price": -1.0}])}, few(), now=NOW).gate
    assert gate.blocked


def test_an_action_may_block(raw_of, clean_rows, few):
    clean_rows["products"][0]["price"] = -1.0
    settings = few(checks={"C06": Price(actions={"not_positive": "block"})})
    gate = check({"products": raw_of("products", clean_rows["products"])}, settings, now=NOW).gate
    assert gate.blocked
    assert gate.decided_by.check == "C06"


def test_it_is_plain_json(gate_of):
    told = gate_of(2).to_json()
    assert told["decision"] == "warn"
    assert told["decided_by"]["threshold"] == CheckSettings().warn_if
    assert set(told["requirements"][0]) >= {"requirement", "qualified", "unqualified", "threshold", "sample_rows"}
