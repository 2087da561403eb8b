"""Every verdict is lower for the right answer, has a finite gradient, and is the formula that it says."""

import math

import pytest

torch = pytest.importorskip("torch")

from mercer.learn.verdict import VERDICTS, Verdicts, total  # noqa: E402


def known(outputs, targets, *, lists=None, weights=None):
    said = torch.tensor(outputs, requires_grad=True)
    number = len(targets)
    return Verdicts(
        said,
        torch.tensor(targets),
        torch.tensor(weights or [1.0] * number),
        torch.tensor(lists or [0] * number),
    )


CASES = {
    "relevance": ([[2.0], [-2.0]], [[-2.0], [2.0]], [1.0, 0.0]),
    "listwise": ([[2.0], [-2.0]], [[-2.0], [2.0]], [1.0, 0.0]),
    "classes": ([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0]], [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0]], [1.0, 0.0]),
    "rating": ([[4.0], [1.5]], [[1.0], [5.0]], [4.0, 1.0]),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_right_answer_costs_less(name):
    right, wrong, targets = CASES[name]
    bad = known(wrong, targets)
    loss = VERDICTS[name](bad)
    assert float(VERDICTS[name](known(right, targets)).detach()) < float(loss.detach())
    loss.backward()
    assert torch.isfinite(bad.outputs.grad).all()
    assert bad.outputs.grad.abs().sum() > 0


def test_relevance_is_cross_entropy_by_weight():
    loss = VERDICTS["relevance"](known([[0.7], [-0.2]], [1.0, 0.3], weights=[1.0, 3.0]))
    first = math.log(1 + math.exp(-0.7))
    p = 1 / (1 + math.exp(0.2))
    second = -0.3 * math.log(p) - 0.7 * math.log(1 - p)
    assert float(loss.detach()) == pytest.approx((first + 3 * second) / 4, rel=1e-5)


def test_listwise_is_by_query_and_blind_to_lists_that_say_nothing():
    one = known([[1.0], [0.0]], [1.0, 0.0])
    both = known([[1.0], [0.0], [9.0], [-9.0]], [1.0, 0.0, 0.5, 0.5], lists=[0, 0, 1, 1])
    wanted = math.log(1 + math.exp(-1))
    for case in (one, both):
        assert float(VERDICTS["listwise"](case).detach()) == pytest.approx(wanted, rel=1e-5)
    nothing = known([[1.0], [0.0]], [0.5, 0.5])
    loss = VERDICTS["listwise"](nothing)
    loss.backward()
    assert float(loss.detach()) == 0.0


def test_several_are_added():
    case = known([[1.0], [0.0]], [1.0, 0.0])
    parts = [float(VERDICTS[name](case).detach()) for name in ("relevance", "listwise")]
    assert float(total(["relevance", "listwise"])(case).detach()) == pytest.approx(sum(parts))
