"""Trees learn from validation shoppers what the linear model does not know, and never see the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mercer.errors import RequestError, SettingsError
from mercer.learn.sequence_ranker import Reordered, SequenceRankerSettings, fit_reordered
from mercer.retrieve.clue import CLUES, Clues
from mercer.retrieve.contest import rank
from mercer.retrieve.holdout import Trial, leave_one_out
from mercer.retrieve.item_knn import ItemKnn
from mercer.retrieve.linear import Linear, LinearSettings
from mercer.retrieve.linear_features import Description, Features
from mercer.retrieve.sequence_file import read_items, read_sequences

pytest.importorskip("lightgbm")
QUICK = SequenceRankerSettings(candidates=20, rounds=20, leaves=4, pace=0.2, least=20)


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Shoppers stay with their brand, which behaviour alone shows only weakly."""
    rng = np.random.default_rng(0)
    lines = []
    for shopper in range(400):
        brand = rng.integers(4)
        bought = rng.choice(np.arange(brand, 60, 4), 5, replace=False)
        lines.append(f"u{shopper} " + " ".join(f"i{product}" for product in bought))
    path = tmp_path_factory.mktemp("files") / "sequences.txt"
    path.write_text("\n".join(lines), "utf-8")
    return leave_one_out(read_sequences(path))


def clues(trial: Trial) -> Clues:
    known = {f"i{n}": Description(frozenset({f"brand={n % 4}"})) for n in range(60)}
    features = Features.of(trial.train.products, known)
    blind = LinearSettings(tags=0, words=0, ridge=1)
    return Clues(trial.train, Linear.fit(trial.train, None, blind), ItemKnn.fit(trial.train), features)


def test_clues_have_their_names_and_say_what_they_mean(validation: Trial) -> None:
    told = clues(validation)
    some = validation.asked.rows(0, 3)
    codes = np.tile(np.arange(60), (3, 1))
    codes[0, 0] = -1
    found = told(some, codes)
    assert found.shape == (3, 60, len(CLUES))
    assert np.isfinite(found).all()
    column = {name: place for place, name in enumerate(CLUES)}
    names = validation.train.products.names.to_pylist()
    last = int(names[some.product[some.start[2] - 1]][1:])
    same = np.array([int(name[1:]) % 4 == last % 4 for name in names])
    assert (found[1, same, column["tags_last"]] > 0.99).all()
    assert (found[1, ~same, column["tags_last"]] == 0).all()
    assert (found[1, :, column["length"]] == 4).all()


def test_trees_gain_where_clues_tell_more(validation: Trial) -> None:
    fitted, worth = fit_reordered(validation, clues(validation), settings=QUICK)
    assert worth["cross_validated"] > worth["before"]
    again, same = fit_reordered(validation, clues(validation), settings=QUICK)
    assert same == worth
    assert rank(again, validation, depth=5).runs == rank(fitted, validation, depth=5).runs


def test_scores_rank_everything_and_take_the_unknown(validation: Trial) -> None:
    fitted, _ = fit_reordered(validation, clues(validation), settings=QUICK)
    ranked = rank(fitted, validation, depth=60).runs
    for place, shopper in enumerate(validation.shoppers[:20]):
        had = set(validation.train.products.take(validation.asked.rows(place, place + 1).product))
        assert not had & set(ranked[shopper])
    nobody = validation.asked.rows(0, 2)
    nobody.product[:] = -1
    scores = fitted.scores(nobody)
    assert scores.shape == (2, 60)
    assert np.isfinite(scores).all()
    assert isinstance(fitted, Reordered)


def test_too_few_shoppers_teach_nothing(validation: Trial) -> None:
    with pytest.raises(RequestError, match="teach trees nothing"):
        fit_reordered(validation.sample(12, seed=1), clues(validation), settings=QUICK)


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"candidates": 1}, {"folds": 1}, {"pace": 0}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            SequenceRankerSettings(**wrong)  # type: ignore[arg-type]


def test_items_of_any_shape_are_read(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text('{"item": 1, "attributes": [3, 4]}\n{"id": "b", "title": "Red cup", "price": 2}\n', "utf-8")
    found = read_items(path)
    assert found["1"].tags == {"attributes=3", "attributes=4"}
    assert found["b"].words == {"red", "cup"}
