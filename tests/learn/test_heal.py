"""A model that lost a layer comes nearer to the full one, and says by how much."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.encode import load
from mercer.encode.compress.dimension import cut, truncation
from mercer.encode.compress.layers import drop
from mercer.encode.encoder import Side
from mercer.encode.model import read
from mercer.errors import DataError, ModelError
from mercer.learn.heal import heal
from mercer.learn.tower import build

COLOURS, THINGS = "red blue green black white".split(), "cup lamp dress tent shoe phone 手机 连衣裙".split()  # noqa: SIM905
TEXTS: list[tuple[str, Side]] = [(f"{colour} {thing}", "query") for colour in COLOURS for thing in THINGS]
TEXTS += [(f"{thing} {colour} big", "passage") for colour in COLOURS for thing in THINGS]


def test_healing_brings_vectors_back(tiny_bert: Path, tmp_path: Path) -> None:
    full = load(str(tiny_bert), engine="torch")
    dropped = drop(read(tiny_bert), tmp_path / "dropped", keep=[1])
    healed = heal(dropped, full, TEXTS, tmp_path / "healed", epochs=30, batch=16, lr=3e-3)
    assert healed.after > healed.before + 0.05
    assert healed.steps > 100
    made = load(str(tmp_path / "healed"), engine="torch")
    texts = [text for text, side in TEXTS if side == "query"]
    before = (load(str(dropped.folder), engine="torch")(texts, side="query") * full(texts, side="query")).sum(axis=1)
    after = (made(texts, side="query") * full(texts, side="query")).sum(axis=1)
    assert after.mean() > before.mean() + 0.05


def test_time_is_kept_to(tiny_bert: Path, tmp_path: Path) -> None:
    full = load(str(tiny_bert), engine="torch")
    dropped = drop(read(tiny_bert), tmp_path / "dropped", keep=[0])
    assert heal(dropped, full, TEXTS, tmp_path / "healed", epochs=1e6, seconds=0.2).steps < 10_000


def test_what_cannot_be_healed(tiny_bert: Path, tmp_path: Path) -> None:
    full, model = load(str(tiny_bert), engine="torch"), read(tiny_bert)
    with pytest.raises(DataError, match="1 texts"):
        heal(model, full, TEXTS[:1], tmp_path / "a")
    with pytest.raises(ModelError, match="before dimensions"):
        heal(cut(model, tmp_path / "cut", truncation(32, 8)), full, TEXTS, tmp_path / "b")


def test_a_compressed_model_is_not_tuned(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="was compressed"):
        build(cut(read(tiny_bert), tmp_path / "cut", truncation(32, 8)), length=16)
