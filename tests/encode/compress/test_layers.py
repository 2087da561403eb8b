"""Layers that stay are the ones named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mercer.encode import load
from mercer.encode.compress.folder import tensors_of
from mercer.encode.compress.layers import drop, spread
from mercer.encode.model import Model
from mercer.errors import ModelError


def test_kept_layers_are_renumbered(tiny: Model, tmp_path: Path) -> None:
    made = drop(tiny, tmp_path / "made", keep=[1])
    before, after = tensors_of(tiny), tensors_of(made)
    name = "encoder.layer.{}.output.dense.weight"
    np.testing.assert_array_equal(after[name.format(0)], before[name.format(1)])
    assert name.format(1) not in after
    assert load(str(made.folder), engine="torch")(["cup"]).shape == (1, 32)


def test_all_layers_are_the_model_itself(tiny: Model, tmp_path: Path) -> None:
    made = drop(tiny, tmp_path / "made", keep=spread(2, 2))
    encoders = [load(str(one.folder), engine="torch") for one in (tiny, made)]
    np.testing.assert_array_equal(*(encoder(["red dress"]) for encoder in encoders))


@pytest.mark.parametrize("keep", [[], [2], [-1]])
def test_what_is_not_there_is_refused(tiny: Model, tmp_path: Path, keep: list[int]) -> None:
    with pytest.raises(ModelError, match="of 2"):
        drop(tiny, tmp_path / "made", keep=keep)


def test_more_layers_than_there_are() -> None:
    with pytest.raises(ModelError, match="7 of 6"):
        spread(6, 7)
