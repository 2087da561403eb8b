from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="mercer[learn] is not installed")

from mercer.encode.model import read  # noqa: E402  # torch first
from mercer.learn.blend import Blend  # noqa: E402
from mercer.learn.tower import build  # noqa: E402


@pytest.fixture
def moved(tiny_bert):
    """A tower, what it was, and one number of it, which training moved from 0 to 1."""
    tower = build(read(tiny_bert), length=16)
    bias = tower.above.encoder.layer[0].output.dense.bias
    bias.data.zero_()
    before = Blend(tower)
    bias.data.fill_(1.0)
    return tower, before, lambda state: float(state.above.encoder.layer[0].output.dense.bias[0].detach())


@pytest.mark.parametrize(("wanted", "share"), [(0.0, 0.25), (0.45, 0.5), (0.7, 0.75), (1.0, 1.0)])
def test_the_mix_nearest_to_what_is_wanted_stays(moved, wanted: float, share: float) -> None:
    tower, before, number = moved
    found = before.best(tower, lambda state: -abs(number(state) - wanted), reached=-abs(1 - wanted))
    assert found == (share, pytest.approx(-abs(share - wanted)))
    assert number(tower) == pytest.approx(share)


def test_of_equals_the_one_nearest_to_the_start_stays(moved) -> None:
    tower, before, number = moved
    assert before.best(tower, lambda _: 0.5, reached=0.5) == (0.25, 0.5)
    assert number(tower) == pytest.approx(0.25)


def test_what_was_not_there_before_is_not_mixed(moved) -> None:
    tower, before, number = moved
    tower.above.register_parameter("more", torch.nn.Parameter(torch.ones(2)))
    assert before.best(tower, lambda _: 9.0, reached=0.5) == (1.0, 0.5)
    assert number(tower) == 1
