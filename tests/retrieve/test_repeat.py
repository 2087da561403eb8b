"""When shoppers buy again: gaps are found, what is due is due, and what nobody repeats never is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.retrieve.history import DAY, History
from mercer.retrieve.repeat import Repeat, RepeatSettings

START = 1_700_000_000_000


def history() -> History:
    """Coffee every 30 days or so, by 40 shoppers; a lamp once each; the last events are on day 200."""
    rng, rows = np.random.default_rng(5), []
    for shopper in range(40):
        day = float(rng.uniform(0, 20))
        rows.append((f"s{shopper}", "lamp", day))
        while day < 200:
            rows.append((f"s{shopper}", "coffee", day))
            day += float(30 * np.exp(rng.normal(0, 0.2)))
    rows.append(("end", "mug", 200.0))
    shopper, product, day_ = zip(*rows, strict=True)
    moments = [START + int(one * DAY) for one in day_]
    return History.of(
        pa.table({"type": ["purchase"] * len(rows), "shopper": shopper, "product": product, "time": moments})
    )


@pytest.fixture(scope="module")
def repeat() -> Repeat:
    return Repeat.fit(history())


def chance(repeat: Repeat, product: str, *days: float) -> list[float]:
    code = repeat.products.code(product)
    return repeat.due(np.full(len(days), code), np.array(days)).tolist()


def test_what_is_bought_every_month_is_due_after_a_month(repeat: Repeat) -> None:
    assert repeat.usual_days(repeat.products.code("coffee")) == pytest.approx(30, rel=0.1)
    early, due = chance(repeat, "coffee", 2.0, 27.0)
    assert early < 0.02
    assert due > 0.4
    assert max(chance(repeat, "lamp", 5.0, 27.0, 100.0)) < 0.1
    assert repeat.due(np.array([-1]), np.array([27.0])).tolist() == [0.0]


def test_chances_are_true_of_those_they_are_told_of(repeat: Repeat) -> None:
    told, came, rng = [], [], np.random.default_rng(8)
    for days in rng.uniform(0, 50, 300):
        gaps = 30 * np.exp(rng.normal(0, 0.2, 200))
        left = gaps[gaps > days]
        if len(left) >= 20:
            told.append(chance(repeat, "coffee", days)[0])
            came.append(float((left <= days + 7).mean()))
    assert np.mean(told) == pytest.approx(np.mean(came), abs=0.1)


def test_without_repeats_nothing_is_due(tmp_path: Path) -> None:
    none = Repeat.fit(History.of(None))
    assert none.due(np.array([-1]), np.array([3.0])).tolist() == [0.0]
    once = Repeat.fit(history().where(history().product == history().products.code("lamp")))
    assert chance(once, "lamp", 30.0) == [0.0]


def test_it_is_kept_and_settings_are_checked(repeat: Repeat, tmp_path: Path) -> None:
    repeat.save(tmp_path)
    assert chance(Repeat.load(tmp_path), "coffee", 27.0) == chance(repeat, "coffee", 27.0)
    with pytest.raises(SettingsError, match="horizon"):
        RepeatSettings(horizon=0)
