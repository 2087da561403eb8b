"""Splits: nothing on two sides, nothing lost, nothing leaked, the same again under the same seed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import RequestError
from mercer.measure.split import Split, by_group, by_query, by_time, folds, leave_one_out

names = st.lists(st.sampled_from("abcdefgh甲乙"), min_size=1, max_size=40).filter(lambda rows: len(set(rows)) > 1)
events = st.lists(
    st.tuples(st.sampled_from(["", "ann", "bob", "张三"]), st.sampled_from("wxyz"), st.integers(0, 6)), max_size=30
)


def whole(split: Split, count: int) -> None:
    rows = np.concatenate([split.train, split.test, split.left_out])
    assert sorted(rows.tolist()) == list(range(count)), "a row is lost or on two sides"
    assert all((np.diff(part) > 0).all() for part in (split.train, split.test, split.left_out))


@given(names, st.floats(0.01, 0.99), st.integers(0, 5))
def test_groups_stay_whole(groups: list[str], test: float, seed: int) -> None:
    split = by_group(groups, test=test, seed=seed)
    whole(split, len(groups))
    column = np.array(groups)
    assert not set(column[split.train]) & set(column[split.test])
    assert len(split.train)
    assert len(split.test)


@given(names, st.integers(0, 5), st.randoms())
def test_a_group_goes_where_its_name_says_whatever_the_order(groups: list[str], seed: int, random) -> None:
    turned = groups[:]
    random.shuffle(turned)
    sides = [{rows[row] for row in by_group(rows, seed=seed).test} for rows in (groups, turned)]
    assert sides[0] == sides[1]


def test_share_is_met_and_seeds_differ() -> None:
    groups = [f"q{number}" for number in range(100)]
    assert len(by_group(groups, test=0.3, seed=1).test) == 30
    assert by_group(groups, seed=1).test.tolist() != by_group(groups, seed=2).test.tolist()


@given(names, st.integers(0, 3), st.data())
def test_folds_test_each_row_once(groups: list[str], seed: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(2, len(set(groups))))
    cut = folds(groups, k=k, seed=seed)
    assert sorted(np.concatenate([fold.test for fold in cut]).tolist()) == list(range(len(groups)))
    column = np.array(groups)
    for fold in cut:
        whole(fold, len(groups))
        assert len(fold.test)
        assert not set(column[fold.train]) & set(column[fold.test])


@given(
    st.lists(st.integers(-5, 5), min_size=2, max_size=40).filter(lambda rows: len(set(rows)) > 1), st.floats(0.01, 0.99)
)
def test_time_never_leaks(times: list[int], test: float) -> None:
    split = by_time(times, test=test)
    whole(split, len(times))
    column = np.array(times)
    assert column[split.train].max() < column[split.test].min()


def test_time_share_and_moment() -> None:
    assert by_time(range(100), test=0.2).test.tolist() == list(range(80, 100))
    assert by_time([3, 1, 2], at=2).test.tolist() == [0, 2]


@given(events, st.booleans(), st.booleans())
def test_leave_one_out_never_leaks(rows: list[tuple[str, str, int]], strict: bool, new_only: bool) -> None:
    who, what, when = (np.array([row[part] for row in rows]) for part in range(3))
    split = leave_one_out(who, what, when.astype(np.int64), strict=strict, new_only=new_only)
    whole(split, len(rows))
    assert len(set(who[split.test])) == len(split.test), "a shopper is tested twice"
    assert "" not in who[split.test]
    for row in split.test:
        before = split.train[who[split.train] == who[row]]
        assert len(before), "a shopper without a past is tested"
        assert all((when[old], old) < (when[row], row) for old in before), "the future was learned from"
        assert not strict or (when[before] < when[row]).all()
        assert not new_only or what[row] not in what[before]


def test_leave_one_out_by_hand() -> None:
    who = ["a", "b", "a", "a", "b", "c"]
    what = ["x", "x", "y", "z", "x", "x"]
    when = [1, 5, 3, 3, 7, 1]
    split = leave_one_out(who, what, when)
    assert (split.test.tolist(), split.left_out.tolist()) == ([3, 4], [2])
    assert leave_one_out(who, what, when, strict=False).left_out.tolist() == []
    assert leave_one_out(who, what, when, new_only=True).test.tolist() == [3]


@pytest.mark.parametrize("chunks", [1, 2])
def test_arrow_columns(chunks: int) -> None:
    parts = [pa.array(["a", "a", "b"]), pa.array(["a", "b", "b"])]
    who = pa.chunked_array(parts) if chunks == 2 else pa.concat_arrays(parts)
    split = leave_one_out(who, pa.array(list("uvwxyz")), pa.array([1, 2, 3, 4, 5, 6]))
    assert split.test.tolist() == [3, 5]
    assert by_group(who, seed=1, test=0.5) is not None


def test_queries() -> None:
    truth = {f"q{number}": {"p": 1.0} for number in range(10)}
    train, test = by_query(truth, test=0.3, seed=5)
    assert (len(train), len(test)) == (7, 3)
    assert train | test == truth


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: by_group(["a", "a"], seed=1),
        lambda: by_group(["a", "b"], test=0.0, seed=1),
        lambda: folds(["a", "b"], k=3, seed=1),
        lambda: by_time([5, 5]),
        lambda: by_time([]),
        lambda: by_time([1, 2], at=9),
        lambda: by_time([1, 2], test=1.5),
        lambda: leave_one_out(["a"], ["x"], [1, 2]),
        lambda: by_group(pa.array(["a", None]), seed=1),
    ],
)
def test_refused(wrong) -> None:
    with pytest.raises(RequestError) as caught:
        wrong()
    assert caught.value.cure
