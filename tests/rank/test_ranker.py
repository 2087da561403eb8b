"""Trees on top of the hybrid score: a ledger that sums exactly, a text model whose hash is checked, NaN welcome."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from mercer.errors import ModelError
from mercer.rank.feature import FEATURES, NAMES, SIGNALS
from mercer.rank.hybrid import Scored
from mercer.rank.ledger import ledger
from mercer.rank.ranker import LEARNT, learnt, told
from mercer.rank.trees import Trees


@pytest.fixture(scope="module")
def trees() -> Trees:
    import lightgbm

    rng = np.random.default_rng(3)
    rows = rng.normal(size=(400, len(NAMES)))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    wanted = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, NAMES.index("price_category")]) ** 2
    data = lightgbm.Dataset(rows, label=wanted, feature_name=list(NAMES))
    chosen = {"verbosity": -1, "num_threads": 1, "num_leaves": 8, "min_data_in_leaf": 10}
    return Trees.of(lightgbm.train(chosen, data, num_boost_round=20).model_to_string(), 3.0)


def scored(many: int) -> Scored:
    words, meaning = np.linspace(1, 0, many), np.linspace(0, 0.3, many)
    return Scored(words + meaning, {"words": words, "meaning": meaning}, {"words": words, "meaning": meaning})


def test_every_ledger_sums_to_its_score(trees: Trees) -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(30, len(NAMES)))
    features[rng.random(features.shape) < 0.5] = np.nan
    features[7] = np.nan
    after = learnt(scored(30), trees(features))
    assert np.ptp(after.scores - scored(30).scores) > 0.01
    shown = np.array([3, 7, 29])
    split = told(after, shown, features, trees)
    for place in shown.tolist():
        lines = ledger(split, place)
        assert sum(line.part for line in lines) == pytest.approx(after.scores[place], abs=1e-6)
        assert all(np.isfinite([line.value, line.part]).all() for line in lines)
        assert {line.signal for line in lines} <= {"words", "meaning", *(f"{LEARNT} {name}" for name in SIGNALS)}
        assert f"{LEARNT} price" in {line.signal for line in lines}
    assert [line.signal for line in ledger(split, 0)] == ["words", "meaning"], "nobody asked about it"


def test_rows_do_not_hang_on_one_another(trees: Trees) -> None:
    features = np.random.default_rng(6).normal(size=(9, len(NAMES)))
    assert np.array_equal(trees(features)[4:5], trees(features[4:5]))
    assert trees.parts(features).sum(axis=1) == pytest.approx(trees(features), abs=1e-9)
    assert trees(features[:0]).shape == (0,)
    assert trees.parts(features[:0]).shape == (0, len(NAMES))


def test_saved_as_text_and_read_again_bit_by_bit(trees: Trees, tmp_path: Path) -> None:
    trees.save(tmp_path, {"rounds": 20})
    again = Trees.load(tmp_path)
    features = np.random.default_rng(7).normal(size=(5, len(NAMES)))
    assert np.array_equal(again(features), trees(features))
    assert again.scale == 3.0
    text = (tmp_path / "ranker.txt").read_text("utf-8")
    (tmp_path / "ranker.txt").write_text(text.replace("leaf_value=", "leaf_value=9"), "utf-8")
    with pytest.raises(ModelError, match="hash"):
        Trees.load(tmp_path)
    (tmp_path / "ranker.json").unlink()
    with pytest.raises(ModelError, match="no ranker"):
        Trees.load(tmp_path)


def test_a_model_of_other_features_is_refused(trees: Trees) -> None:
    text = trees.booster.model_to_string()
    with pytest.raises(ModelError, match="other features"):
        Trees.of(text.replace("feature_names=words ", "feature_names=wordz "), 1.0)
    with pytest.raises(ModelError, match="no model"):
        Trees.of("tree\nnonsense", 1.0)


def test_every_feature_says_what_it_is() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(feature.unit and len(feature.meaning) > 8 and feature.better in (-1, 0, 1) for feature in FEATURES)
