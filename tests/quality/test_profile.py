"""Hashes see values and not memory; states of two days merge into the state of both."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.quality.profile import merge, states, tables_hash

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=12)


def table(texts):
    numbers = [None if text is None else float(len(text)) for text in texts]
    return pa.table({"text": pa.array(texts, pa.string()), "number": pa.array(numbers, pa.float64())})


@given(TEXTS, st.integers(0, 12))
def test_slices_and_chunks_do_not_count(texts, cut):
    whole = table(texts)
    parts = pa.concat_tables([whole[:cut], whole[cut:]])
    assert tables_hash({"t": whole}) == tables_hash({"t": parts})


@given(TEXTS, TEXTS)
def test_values_count(one, other):
    assert (tables_hash({"t": table(one)}) == tables_hash({"t": table(other)})) == (one == other)


@given(TEXTS, TEXTS)
def test_states_merge(one, other):
    both = states(table(one + other))
    for name, state in both.items():
        merged = merge(states(table(one))[name], states(table(other))[name])
        assert merged == pytest.approx(state)
