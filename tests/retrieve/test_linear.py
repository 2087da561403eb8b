"""The linear model against its formulas written out at length, and what it does with the new and the unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.records import Product, Request, Shopper
from mercer.retrieve.history import DAY, History
from mercer.retrieve.linear import Linear, LinearSettings
from mercer.retrieve.linear_features import Description, Features
from mercer.retrieve.linear_pairs import count_pairs, latest
from mercer.retrieve.linear_solve import Kernel, near, whole
from mercer.retrieve.neighbours import Neighbours
from mercer.retrieve.sequence import steps_before


def walks(shoppers: int = 40, products: int = 12, seed: int = 0) -> History:
    """Walks along a ring, two products of some visits bought at one moment."""
    rng = np.random.default_rng(seed)
    rows = []
    for shopper in range(shoppers):
        at, time = int(rng.integers(products)), 0
        for step in range(int(rng.integers(2, 7))):
            time += int(rng.integers(2)) * DAY
            rows.append((f"s{shopper:02d}", f"p{(at + step) % products:02d}", time, "purchase"))
    names = ("shopper", "product", "time", "type")
    return History.of(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))).wanted()


def spelt_out(history: History, mix: float, past: float, future: float) -> tuple[np.ndarray, np.ndarray]:
    """Every prefix a row of S and T, as the paper has it."""
    size, steps = len(history.products), steps_before(history)
    whole_, before, after = [], [], []
    for shopper in np.unique(history.shopper):
        mine = np.flatnonzero(history.shopper == shopper)
        row = np.zeros(size)
        row[history.product[mine]] = history.strength[mine]
        whole_.append(row)
        for moment in range(steps[mine].max()):
            had, later = np.zeros(size), np.zeros(size)
            for place in mine:
                if steps[place] <= moment:
                    had[history.product[place]] = np.exp(-(moment - steps[place]) / past) * history.strength[place]
                else:
                    fade = np.exp(-(steps[place] - moment - 1) / future)
                    later[history.product[place]] = fade * history.strength[place]
            before.append(had)
            after.append(later)
    x, s, t = (np.array(rows) for rows in (whole_, before, after))
    return mix * x.T @ x + (1 - mix) * s.T @ s, mix * x.T @ x + (1 - mix) * s.T @ t


def test_geometric_sums_are_the_prefixes_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    history = walks()
    wanted = spelt_out(history, 0.2, 2.0, 1.5)
    found = count_pairs(history, history.strength, mix=0.2, past=2.0, future=1.5)
    monkeypatch.setattr("mercer.retrieve.linear_pairs.PAIRS", 30)
    pieces = count_pairs(history, history.strength, mix=0.2, past=2.0, future=1.5)
    for ours, pieced, theirs in zip(found, pieces, wanted, strict=True):
        np.testing.assert_allclose(ours.toarray(), theirs, atol=1e-4)
        np.testing.assert_allclose(pieced.toarray(), theirs, atol=1e-4)


def test_the_solution_is_the_ridge_without_oneself() -> None:
    history = walks()
    pairs = count_pairs(history, history.strength, mix=0.2, past=2.0, future=1.5)
    features = np.random.default_rng(1).random((12, 3)).astype(np.float32)
    kernels = [Kernel(features, 2.0)]
    exact = whole(*pairs, kernels, ridge=3.0)
    left, right = (one.toarray() + 2 * features @ features.T for one in pairs)
    for product in range(12):
        others = np.delete(np.arange(12), product)
        system = left[np.ix_(others, others)] + 3.0 * np.eye(11)
        np.testing.assert_allclose(exact[others, product], np.linalg.solve(system, right[others, product]), atol=2e-4)
    assert np.all(np.diag(exact) == 0)
    np.testing.assert_allclose(near(*pairs, kernels, ridge=3.0, support=11).toarray(), exact, atol=2e-4)
    few = near(*pairs, kernels, ridge=3.0, support=4).toarray()
    assert ((few != 0).sum(axis=0) <= 4).all()
    assert np.corrcoef(few.ravel(), exact.ravel())[0, 1] > 0.8


def test_only_the_latest_of_a_shopper_are_learnt_from() -> None:
    history = walks()
    cut = latest(history, 2)
    for shopper in np.unique(history.shopper):
        mine = history.product[history.shopper == shopper]
        assert cut.product[cut.shopper == shopper].tolist() == mine[-2:].tolist()
    assert len(latest(History.of(None), 5)) == 0


def test_the_largest_of_either_sign_are_kept() -> None:
    weights = np.array([[0.0, -3.0, 2.0, 1.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, -1.0, 0.0]])
    found = Neighbours.largest(weights.astype(np.float32), 2)
    assert found.start.tolist() == [0, 2, 3, 3, 5]
    assert found.product.tolist() == [1, 2, 0, 0, 1]
    assert found.score.tolist() == [-3, 2, 0.5, 1, 1]


def test_what_nobody_bought_is_reached_by_what_it_shares() -> None:
    history = walks()
    old = history.products.names.to_pylist()
    known = History.of(
        pa.table(
            {
                "shopper": history.shoppers.take(history.shopper), "product": history.products.take(history.product),
                "time": history.time, "type": ["purchase"] * len(history),
            }
        )
    ).with_products([*old, "new"])  # fmt: skip
    assert known.products.take(known.product) == history.products.take(history.product)
    cold = {id: Description(frozenset({"brand=a" if id in ("p03", "new") else f"brand={id}"})) for id in [*old, "new"]}
    settings = LinearSettings(tags=5, ridge=1, support=0)
    blind = Linear.fit(known, None, settings)
    fitted = Linear.fit(known, Features.of(known.products, cold), settings)
    request = Request("next", item="p02")
    assert "new" not in {c.id for c in blind(request, 20)}
    found = [c.id for c in fitted(request, 20)]
    assert found[0] == "p03", "what follows on the ring"
    assert "new" in found or fitted(Request("next", item="p03"), 1)[0].id in ("new", "p04")
    assert "new" in {c.id for c in fitted(Request("next", item="p03"), 3)}
    assert fitted(Request("next", item="new"), 3), "and leads on to others itself"


def test_nothing_and_one_product_are_no_error() -> None:
    assert Linear.fit(History.of(None))(Request("home", shopper=Shopper("s", ("a",))), 5) == []
    one = pa.table({"shopper": ["a", "b"], "product": ["p", "p"], "time": [1, 2], "type": ["purchase"] * 2})
    assert Linear.fit(History.of(one))(Request("next", item="p"), 5) == []


def test_descriptions_tell_fields_apart() -> None:
    product = Product("1", "Steel cups", brand="Nord", category=("Home", "Cups"), attributes={"color": "red"})
    known = Description.of(product)
    assert known.tags == {"brand=Nord", "category=Home", "category=Cups", "color=red"}
    assert known.words == {"steel", "cup"}
    row = {
        "item": 9,
        "attributes": [4, "Nails"],
        "phrase": "red lacquer",
        "price": 3.0,
        "brand": None,
        "more": {"a": 1},
    }
    told = Description.of_row(row, but=("item",))
    assert told.tags == {"attributes=4", "attributes=Nails", "more.a=1"}
    assert told.words == {"red", "lacquer"}


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"mix": 2}, {"past": 0}, {"ridge": 0}, {"support": -1}, {"longest": 1}, {"neighbours": 0}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            LinearSettings(**wrong)  # type: ignore[arg-type]


def test_an_earlier_answer_stays_the_same_when_saved(tmp_path: Path) -> None:
    fitted = Linear.fit(walks(), None, LinearSettings(ridge=1))
    fitted.save(tmp_path)
    assert Linear.load(tmp_path)(Request("next", item="p01"), 5) == fitted(Request("next", item="p01"), 5)


def test_published_baselines_know_a_ring() -> None:
    pytest.importorskip("implicit", reason="the extra `benchmark` is not installed")
    from mercer.retrieve.baseline import Ease, Ials
    from mercer.retrieve.sequence import Sequences

    history = walks(60)
    sequences = Sequences.of(history, np.unique(history.shopper)[:5])
    for fitted in (Ease.fit(history, ridge=1), Ials.fit(history, factors=8, iterations=3)):
        scores = fitted.scores(sequences)
        assert scores.shape == (5, 12)
        assert np.isfinite(scores).all()
        had = np.array([np.isin(np.arange(12), sequences.rows(n, n + 1).product) for n in range(5)])
        near = np.roll(had, 1, axis=1) | np.roll(had, -1, axis=1)
        assert scores[near & ~had].mean() > scores[~near & ~had].mean(), "neighbours of what they had"
