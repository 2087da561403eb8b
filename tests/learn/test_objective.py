"""Every objective is lower for the right order, has a finite gradient, and keeps to what is known."""

import math

import pytest

torch = pytest.importorskip("torch")

from mercer.learn.objective import OBJECTIVES, Batch, total  # noqa: E402

NAN = math.nan


def number(loss):
    return float(loss.detach())


def batch(scores, gains=((1.0, 0.1, 0.0, NAN),), *, teacher=None, **rest):
    scores = torch.tensor([scores], requires_grad=True)
    gains = torch.tensor(gains)
    told = None if teacher is None else torch.tensor([teacher])
    return Batch(scores, gains, torch.ones_like(gains), told, **rest)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_right_order_costs_less(name):
    teacher = [3.0, 1.0, -2.0, NAN]
    right = OBJECTIVES[name](batch([0.9, 0.2, 0.1, 0.0], teacher=teacher))
    wrong = batch([0.1, 0.2, 0.9, 0.0], teacher=teacher)
    loss = OBJECTIVES[name](wrong)
    assert number(right) < number(loss)
    loss.backward()
    assert torch.isfinite(wrong.scores.grad).all()
    assert wrong.scores.grad[0, 0] < 0 < wrong.scores.grad[0, 2]


@pytest.mark.parametrize("name", ["listwise", "graded", "cosine", "distil"])
def test_what_nobody_judged_counts_nothing(name):
    teacher = [3.0, 1.0, -2.0, NAN]
    one, other = (OBJECTIVES[name](batch([0.9, 0.2, 0.1, unjudged], teacher=teacher)) for unjudged in (0.0, 0.9))
    assert number(one) == pytest.approx(number(other))


def test_an_unjudged_passage_is_a_negative_unless_it_looks_right():
    def loss(unjudged, margin):
        gains = ((1.0, NAN, NAN, NAN),)
        return number(OBJECTIVES["contrastive"](batch([0.5, 0.1, 0.0, unjudged], gains, margin=margin)))

    assert loss(0.4, 1.0) > loss(0.0, 1.0)
    assert loss(0.51, 1.0) == pytest.approx(loss(0.6, 1.0))
    assert loss(0.51, 10.0) < loss(0.6, 10.0)


def test_contrastive_is_info_nce():
    found = batch([0.5, 0.3, 0.1], gains=((1.0, 0.0, NAN),), temperature=0.1)
    wanted = -math.log(math.exp(5) / (math.exp(5) + math.exp(3) + math.exp(1)))
    assert number(OBJECTIVES["contrastive"](found)) == pytest.approx(wanted, rel=1e-5)


def test_a_query_judged_all_alike_says_nothing_of_order():
    assert number(OBJECTIVES["listwise"](batch([0.5, 0.3], gains=((1.0, 1.0),)))) == 0.0
    assert number(OBJECTIVES["graded"](batch([0.5, 0.3], gains=((1.0, 1.0),)))) == 0.0
    assert number(OBJECTIVES["distil"](batch([0.5, 0.3], gains=((1.0, 1.0),)))) == 0.0


def test_several_are_added():
    one = batch([0.5, 0.3, 0.2, 0.1])
    parts = [number(OBJECTIVES[name](one)) for name in ("contrastive", "listwise", "cosine")]
    assert number(total(("contrastive", "listwise", "cosine"))(one)) == pytest.approx(sum(parts))
