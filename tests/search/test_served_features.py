"""What trees are grown on is what serving told them (check X05): the stage that serves against the lists that teach."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mercer.rank.feature import NAMES
from mercer.records import Request

CLOCK = ("hour", "weekday")
"""Left out of judged lists: nobody knows when a judged query was asked."""


class Flat:
    """Trees that add nothing."""

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return np.zeros(len(features))

    def parts(self, features: np.ndarray) -> np.ndarray:
        return np.zeros(features.shape)


@pytest.fixture(scope="module")
def sides(tiny_shop: Path) -> tuple[pa.Table, pa.Table]:
    """(training, log): a row a query and product, as `mercer learn --ranker` and as an answer see them."""
    from mercer.cli.learn_ranker_lists import judged_lists
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.ranked import studied
    from mercer.learn.ranker_settings import RankerSettings
    from mercer.retrieve.behaviour import Behaviour
    from mercer.search.learned import Learned

    taught: list[dict[str, Any]] = []
    served: list[dict[str, Any]] = []
    with contextlib.closing(open_doors(tiny_shop, read_settings(tiny_shop), writable=False)) as doors:
        card = doors.shop.card("index", doors.version)
        behaviour = Behaviour.load(doors.shop.path("index", doors.version) / "behaviour")
        features = studied(doors.shop, card, doors.index, behaviour)
        stage: Any = Learned(features, Flat())  # type: ignore[arg-type]  # as much of trees as the stage asks
        queries = {product.title for product in doors.index.products(doors.index.ids()[:25])}
        for query in sorted(queries):
            known, answer = doors.searching.candidates(Request(query=query))
            studied_ = stage(known, Request(query=query), answer, np.arange(len(answer.ids)))
            for id, row in zip(answer.ids, studied_.features, strict=True):
                served.append({"query": query, "product": id, **dict(zip(NAMES, row.tolist(), strict=True))})
            (one,) = judged_lists(doors, features, {query: {answer.ids[0]: 1.0}}, RankerSettings(depth=0), {})
            for id, row, gain in zip(answer.ids, one.features, one.gains, strict=True):
                taught.append(
                    {"query": query, "product": id, "gain": gain, **dict(zip(NAMES, row.tolist(), strict=True))}
                )
    return pa.Table.from_pylist(taught), pa.Table.from_pylist(served)


def found(training: pa.Table, log: pa.Table) -> set[tuple[str, str]]:
    from mercer.quality.check import registry
    from mercer.quality.run import QualitySettings
    from mercer.quality.training import check_training

    alone = QualitySettings(disable=tuple(id for id in registry() if id != "X05"))
    inputs = [name for name in NAMES if name not in CLOCK]
    checked = check_training(
        training, label="gain", inputs=inputs, ids=["product"], groups=["query"], log=log, settings=alone
    )
    return {(row["field"], row["problem"]) for row in checked.findings.to_pylist()}


def test_training_sees_what_serving_saw(sides: tuple[pa.Table, pa.Table]) -> None:
    training, log = sides
    assert len(training) == len(log) >= 100
    assert found(training, log) == set()


def test_a_transform_that_only_training_has_is_found(sides: tuple[pa.Table, pa.Table]) -> None:
    training, log = sides
    at = training.column_names.index("price_category")
    wrong = pa.array((np.array(training["price_category"]) + 0.1).tolist())
    assert found(training.set_column(at, "price_category", wrong), log) == {("price_category", "value_differs")}


def test_a_hit_has_what_it_was_told_for_the_log(tiny_shop: Path) -> None:
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.ranked import studied
    from mercer.rank.feature import unpacked
    from mercer.retrieve.behaviour import Behaviour
    from mercer.search.learned import Learned

    with contextlib.closing(open_doors(tiny_shop, read_settings(tiny_shop), writable=False)) as doors:
        card, path = doors.shop.card("index", doors.version), doors.shop.path("index", doors.version)
        features = studied(doors.shop, card, doors.index, Behaviour.load(path / "behaviour"))
        door = doors.searching.otherwise(learned=Learned(features, Flat()))  # type: ignore[arg-type]
        request = Request(query=doors.index.products(doors.index.ids()[:1])[0].title, k=5, offset=2)
        known, answer = door.candidates(request)
        matrix = features(known, request, answer)
        for hit in door(request).hits:
            told = unpacked(hit.features)
            assert told is not None
            assert told[0] == pytest.approx(hit.score, rel=1e-6), "trees that add nothing"
            np.testing.assert_allclose(told[1], matrix[answer.ids.index(hit.id)], rtol=1e-6)
        assert {hit.features for hit in doors.search(request).hits} == {b""}, "no trees, nothing told"
