"""Histories: which rows count, how strongly, in which order; and pasts of known shoppers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from mercer.errors import FormatError, NotFoundError, SettingsError
from mercer.retrieve.history import ANONYMOUS, DAY, History, HistorySettings
from mercer.retrieve.past import Pasts
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

Row = tuple[str, str | None, str | None, str | None, int | None]


def table(*rows: Row) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    names = ("type", "shopper", "session", "product")
    texts = {name: pa.array(column, pa.string()) for name, column in zip(names, columns[:4], strict=True)}
    return pa.table(texts | {"time": pa.array(columns[4], pa.int64())})


def test_what_counts() -> None:
    history = History.of(
        table(
            ("impression", "ann", None, "cup", 1),
            ("view", "ann", None, "cup", 5),
            ("purchase", "ann", None, "tea", 3),
            ("view", None, "x1", "cup", 4),
            ("view", None, None, "cup", 4),
            ("view", "bob", None, None, 4),
            ("view", "bob", None, "cup", None),
            ("dance", "bob", None, "cup", 4),
        )
    )
    assert history.shoppers.names.to_pylist() == [ANONYMOUS + "x1", "ann"]
    assert history.products.names.to_pylist() == ["cup", "tea"]
    assert history.shopper.tolist() == [0, 1, 1]
    assert history.product.tolist() == [0, 1, 0]
    assert history.time.tolist() == [4, 3, 5]
    assert history.bought.tolist() == [False, True, False]
    assert history.end == 5


def test_refunds_and_dislikes_take_back() -> None:
    history = History.of(
        table(
            ("purchase", "ann", "1", "cup", 1),
            ("refund", "ann", "2", "cup", 9),
            ("purchase", "ann", "1", "tea", 1),
            ("view", "ann", "1", "pot", 2),
            ("dislike", "ann", "1", "pot", 3),
            ("view", "bob", "3", "cup", 4),
            ("view", "bob", "4", "cup", 6),
            ("refund", "bob", "5", "tea", 7),
        )
    )
    wanted = history.wanted()
    rows = list(zip(history.shoppers.take(wanted.shopper), history.products.take(wanted.product), strict=True))
    assert rows == [("ann", "tea"), ("bob", "cup")]
    assert wanted.time.tolist() == [1, 6], "the last time it was wanted"
    assert wanted.strength.tolist() == pytest.approx([1.0, 0.4])


def test_actions_are_in_the_stated_order() -> None:
    weight = HistorySettings()
    assert weight.purchase > weight.add_to_cart > weight.click > weight.view > 0 > weight.refund
    with pytest.raises(SettingsError, match="view weighs 2"):
        HistorySettings(view=2)
    with pytest.raises(SettingsError, match="refund weighs"):
        HistorySettings(refund=0.5)


def test_baskets_are_sessions_or_days() -> None:
    history = History.of(
        table(
            ("purchase", "ann", "1", "a", 0),
            ("purchase", "ann", "1", "b", 3 * DAY),
            ("purchase", "ann", None, "a", 5 * DAY),
            ("purchase", "ann", None, "b", 5 * DAY + 9),
            ("purchase", "ann", None, "b", 6 * DAY),
            ("purchase", "bob", None, "b", 6 * DAY),
        )
    )
    first, second, third, fourth, fifth, other = history.basket.tolist()
    assert first == second
    assert third == fourth
    assert len({first, third, fifth, other}) == 4


def test_a_file_reads_as_its_table(tmp_path: Path) -> None:
    rows = table(*[("view", f"s{n % 7}", None, f"p{n % 5}", n) for n in range(100)])
    parquet.write_table(rows, tmp_path / "events.parquet", row_group_size=13)
    from_file, from_table = History.of(tmp_path / "events.parquet"), History.of(rows)
    for name in ("shopper", "product", "time", "strength", "basket"):
        assert getattr(from_file, name).tolist() == getattr(from_table, name).tolist()


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="mercer check"):
        History.of(tmp_path / "none.parquet")
    (tmp_path / "odd.parquet").write_text("no parquet")
    with pytest.raises(FormatError, match="is no Parquet"):
        History.of(tmp_path / "odd.parquet")
    with pytest.raises(FormatError, match="'time'"):
        History.of(pa.table({"type": ["view"], "product": ["a"]}))


@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=40))
def test_vocabulary_round_trip(names: list[str | None]) -> None:
    vocabulary, codes = Vocabulary.encode(pa.array(names, pa.string()))
    assert [None if code < 0 else vocabulary[code] for code in codes.tolist()] == names
    known = vocabulary.names.to_pylist()
    assert known == sorted({name for name in names if name is not None})
    assert [vocabulary.code(name) for name in known] == list(range(len(known)))
    assert vocabulary.code("not there at all") == -1
    assert vocabulary.codes(known * 70).tolist() == vocabulary.codes(known).tolist() * 70, "both ways to look up"


def test_pasts_of_known_shoppers(tmp_path: Path) -> None:
    history = History.of(
        table(
            ("view", "ann", None, "a", 1),
            ("purchase", "ann", None, "b", 2),
            ("view", "ann", None, "c", 3),
            ("view", None, "s", "d", 4),
        )
    )
    pasts = Pasts.fit(history, kept=2)
    assert len(pasts) == 1
    pasts.save(tmp_path)
    for found in (pasts("ann"), Pasts.load(tmp_path)("ann")):
        assert history.products.take(found.product) == ["b", "c"], "the oldest is forgotten"
        assert found.bought.tolist() == [True, False]
    for nobody in ("", "s", ANONYMOUS + "s", "eve"):
        assert len(pasts(nobody).product) == 0


def test_steps_count_moments_not_rows() -> None:
    one = Sequences.one(np.array([4, 5, 6, 7]), [10, 10, 20, 30])
    assert one.step.tolist() == [2, 2, 1, 0]
    assert Sequences.one(np.array([4, 5])).step.tolist() == [1, 0]
    history = History.of(table(*[("view", "ann", None, f"p{n}", moment) for n, moment in enumerate((1, 1, 5, 9))]))
    assert Sequences.of(history.wanted(), np.array([0])).step.tolist() == [2, 2, 1, 0]
