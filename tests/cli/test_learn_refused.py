"""mercer learn on poisoned shops and models: each is refused with a number and a cure, and nothing moves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")

from mercer.shop import Shop

QUICK = "\n[learn]\nsteps = 4\nbatch = 6\npassages = 2\nlength = 24\nevaluations = 1\n"


@pytest.fixture
def poisoned(mercer: Any, own_shop: Path) -> Callable[[str, Callable[[str], str]], Path]:
    """``poisoned("judgments.qrels", change)``: a shop whose file was changed, line by line, and checked again."""
    (own_shop / "mercer.toml").write_text((own_shop / "mercer.toml").read_text("utf-8") + QUICK, "utf-8")

    def spoil(name: str, change: Callable[[str], str]) -> Path:
        path = own_shop / "raw" / name
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(map(change, lines)) + "\n", "utf-8")
        mercer("check", own_shop)
        return own_shop

    return spoil


def inverted(line: str) -> str:
    """A judgment with the grades 0 to 3 the wrong way round."""
    *rest, grade = line.split(" ")
    return " ".join([*rest, str(3 - int(grade))])


def test_grades_the_wrong_way_round_are_refused_with_their_number(
    mercer: Any, refused: Any, poisoned: Callable[[str, Callable[[str], str]], Path]
) -> None:
    shop = poisoned("judgments.qrels", inverted)
    before = Shop(shop).live("index")
    said = refused("learn", shop, code=1)
    assert "grades look the wrong way round: in 29.8% of 20 queries' judged pairs" in said
    assert "chance is 50 %" in said
    assert "--override" in said
    assert Shop(shop).live("index") == before
    assert not Shop(shop).versions("models")
    told = mercer("learn", shop, "--override", "so the judges were told", "--no-promote", "--json").json
    assert any("29.8%" in note for note in told["notes"])


def untitled(line: str) -> str:
    """A product line without its title, for two products of five."""
    return line.replace('"title": "', '"title": "", "was": "') if sum(line.encode()) % 5 < 2 else line


def test_a_data_set_that_the_gate_blocks_teaches_nothing(
    refused: Any, poisoned: Callable[[str, Callable[[str], str]], Path], own_shop: Path
) -> None:
    before = (own_shop / "store" / "live.json").read_bytes()
    shop = poisoned("products.jsonl", untitled)
    assert "the limit is" in refused("learn", shop, code=1)
    assert not Shop(shop).versions("models")
    assert (shop / "store" / "live.json").read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "said"), [("truncated", "damaged"), ("nan", "NaN"), ("dimension", "does not fit"), ("missing", "has no")]
)
def test_a_damaged_base_is_refused(
    refused: Any, own_shop: Path, tiny_bert: Path, tmp_path: Path, damage: str, said: str
) -> None:
    base, before = Path(shutil.copytree(tiny_bert, tmp_path / "base")), (own_shop / "store" / "live.json").read_bytes()
    spoil(base / "model.safetensors", damage)
    text = (own_shop / "mercer.toml").read_text("utf-8").replace(str(tiny_bert), str(base))
    (own_shop / "mercer.toml").write_text(text + QUICK, "utf-8")
    assert said in refused("learn", own_shop)
    assert not Shop(own_shop).versions("models")
    assert (own_shop / "store" / "live.json").read_bytes() == before


def spoil(path: Path, damage: str) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "missing":
        path.unlink()
    else:
        tensors, name = safetensors.load_file(path), "encoder.layer.1.output.dense.weight"
        tensors[name] = tensors[name][:, :-1].copy() if damage == "dimension" else tensors[name] * np.float32(np.nan)
        safetensors.save_file(tensors, path)
