"""What a check has worked out once is there for all its questions, and gone when the check is done."""

import narwhals.stable.v2 as nw
import pyarrow as pa
import pytest

from mercer.quality.check import Inputs
from mercer.quality.dense_block import WORK, spans
from mercer.quality.engine import DuckEngine
from mercer.quality.event_codes import codes_of


def test_held_rows_are_worked_out_once_and_forgotten():
    engine = DuckEngine()
    frame = engine.frames({"events": pa.table({"a": [1, 2, 2, None]})})["events"]
    held = engine.hold(frame.group_by("a").agg(rows=nw.len().cast(nw.Int64)))
    assert engine.collect(held.filter(nw.col("rows") > 1)).to_pylist() == [{"a": 2, "rows": 2}]
    other = engine.hold(held.filter(nw.col("a").is_null()))
    assert engine.collect(other).num_rows == 1
    engine.release()
    with pytest.raises(Exception, match="held"):
        engine.collect(held)
    engine.release()
    engine.close()


def test_outside_a_run_a_frame_is_itself():
    assert Inputs({}, 0).hold("frame") == "frame"


@pytest.mark.parametrize("work", [[], [1.0], [WORK * 3.0, 1.0, WORK / 2, WORK / 2, WORK / 2, 0.0], [0.0] * 5])
def test_spans_hold_every_place_once_and_little_work(work):
    import numpy as np

    found = list(spans(np.array(work)))
    assert [place for span in found for place in span] == list(range(len(work)))
    assert all(len(span) == 1 or sum(work[place] for place in span) <= WORK for span in found)


def test_codes_do_not_depend_on_chunks():
    column = ["b", None, "a", "b", "c", "a"]
    whole = pa.table({"shopper": column, "product": column, "type": ["view"] * 6})
    pieces = pa.concat_tables([whole[:2], whole[2:3], whole[3:]])
    assert codes_of(whole).shopper.tolist() == codes_of(pieces).shopper.tolist() == [0, -1, 1, 0, 2, 1]
    assert codes_of(pieces).names("shopper") == ["b", "a", "c"]
    empty = whole[:0]
    assert codes_of(empty).shopper.tolist() == []
    assert codes_of(empty).kind.tolist() == []
