"""The spread of a trial's rankings counts what was learnt from, and knows each shopper's own past."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.retrieve.contest import rank
from mercer.retrieve.contest_spread import spread_of
from mercer.retrieve.history import DAY, History
from mercer.retrieve.holdout import leave_one_out
from mercer.retrieve.linear_features import Description
from mercer.retrieve.popular import Popular, PopularSettings


def test_popular_shows_the_popular() -> None:
    rng = np.random.default_rng(0)
    rows = [
        ("view", f"s{who}", f"p{int(30 * rng.random() ** 2)}", (who + step) * DAY)
        for who in range(60)
        for step in (1, 2, 3)
    ]
    names = ("type", "shopper", "product", "time")
    trial = leave_one_out(History.of(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))))
    ranked = rank(Popular.fit(trial.train, PopularSettings(half_life=0)), trial, depth=3)
    known = {f"p{n}": Description(frozenset({f"kind={n % 2}"})) for n in range(30)}
    found = spread_of(ranked, trial, known, k=3)
    assert found.popularity > 0.6
    assert found.popularity_bias > 0
    assert 0 < found.coverage <= 1
    assert found.cold == 0, "popularity shows nothing that nobody had"
    assert found.diversity is not None
    assert found.miscalibration is not None
    assert sum(found.slices[name].shoppers for name in list(found.slices)[:3]) == len(trial.shoppers)
    assert spread_of(ranked, trial).diversity is None
    assert found.slices["shopper with nothing"].shoppers == int(sum(trial.asked.start[1:] == trial.asked.start[:-1]))
