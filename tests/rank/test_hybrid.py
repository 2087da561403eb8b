"""Blending words and meaning: parts that sum, scales that drop out, arms that are missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import SettingsError
from mercer.rank.hybrid import Background, HybridSettings, hybrid
from mercer.rank.ledger import ledger

FLOATS = st.floats(0, 50, allow_nan=False, allow_subnormal=False)
COSINES = st.floats(-1, 1, allow_nan=False)
ROWS = st.lists(st.tuples(FLOATS, COSINES), max_size=20)
WEIGHTS = st.floats(0, 1)


def arrays(rows: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@given(ROWS, WEIGHTS, st.one_of(st.just(0.0), st.floats(0.1, 50)))
def test_every_ledger_sums_to_its_score(rows: list[tuple[float, float]], dense: float, attainable: float) -> None:
    lexical, cosine = arrays(rows)
    scored = hybrid(
        lexical, cosine, attainable=attainable, background=Background(0.1, 0.2), settings=HybridSettings(dense=dense)
    )
    assert scored.scores.shape == (len(rows),)
    assert np.isfinite(scored.scores).all()
    for place in range(len(rows)):
        lines = ledger(scored, place)
        assert sum(line.part for line in lines) == pytest.approx(scored.scores[place], abs=1e-9)
        assert {line.signal: line.value for line in lines} == {"words": lexical[place], "meaning": cosine[place]}


@given(ROWS, st.floats(0.01, 100), st.floats(-3, 3), st.floats(0.01, 100))
def test_the_scales_of_both_arms_drop_out(
    rows: list[tuple[float, float]], stretch: float, shift: float, words: float
) -> None:
    lexical, cosine = arrays(rows)
    plain = hybrid(lexical, cosine, attainable=10.0, background=Background(0.1, 0.2), settings=HybridSettings())
    other = hybrid(
        lexical * words,
        cosine * stretch + shift,
        attainable=10.0 * words,
        background=Background(0.1 * stretch + shift, 0.2 * stretch),
        settings=HybridSettings(),
    )
    assert other.scores == pytest.approx(plain.scores, abs=1e-6)


@given(st.tuples(FLOATS, COSINES), st.floats(0, 5), st.floats(0, 0.5), WEIGHTS)
def test_more_of_either_never_lowers_a_score(
    row: tuple[float, float], words: float, meaning: float, dense: float
) -> None:
    lexical, cosine = arrays([row, (row[0] + words, row[1]), (row[0], row[1] + meaning)])
    scored = hybrid(
        lexical, cosine, attainable=60.0, background=Background(0.0, 0.1), settings=HybridSettings(dense=dense)
    ).scores
    assert scored[1] >= scored[0] - 1e-12
    assert scored[2] >= scored[0] - 1e-12


def test_an_arm_that_says_nothing_leaves_the_weight_to_the_other() -> None:
    lexical, cosine, background = np.array([5.0, 0.0]), np.array([0.9, 0.1]), Background(0.1, 0.1)
    settings = HybridSettings(dense=0.4, spread=8.0)
    meaning = hybrid(np.zeros(2), cosine, attainable=0.0, background=background, settings=settings)
    assert meaning.scores == pytest.approx([1.0, 0.0])
    words = hybrid(lexical, None, attainable=10.0, background=None, settings=settings)
    assert words.scores == pytest.approx([0.5, 0.0])
    assert set(words.parts) == {"words"}
    neither = hybrid(np.zeros(2), None, attainable=0.0, background=None, settings=settings)
    assert neither.scores == pytest.approx([0.0, 0.0])


def test_nothing_found_is_no_score() -> None:
    none = np.zeros(0)
    for cosine, background in ((none, Background(0.0, 0.1)), (None, None)):
        scored = hybrid(none, cosine, attainable=1.0, background=background, settings=HybridSettings())
        assert scored.scores.shape == (0,)


def test_a_background_needs_two_products_and_some_spread() -> None:
    assert Background.of(np.zeros(0, np.float32)) == Background(0.0, 0.1)
    assert Background.of(np.array([0.5], np.float32)) == Background(0.0, 0.1)
    alike = Background.of(np.full(50, 0.8, np.float32))
    assert alike.mean == pytest.approx(0.8)
    assert alike.deviation > 0, "products all alike must not divide by zero"


@pytest.mark.parametrize("wrong", [{"dense": -0.1}, {"dense": float("nan")}, {"spread": 0}, {"cut": 1.1}])
def test_settings_refuse_what_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        HybridSettings(**wrong)
