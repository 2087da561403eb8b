"""A corpus that the tiny encoder can read, and a judge over it; one thread, as two only wait for each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.encode import EncodeSettings
from mercer.encode.compress import Corpus
from mercer.encode.model import Model, read

WORDS = [
    "red",
    "dress",
    "blue",
    "cup",
    "lamp",
    "steel",
    "tent",
    "shoe",
    "big",
    "small",
    "红色",
    "连衣裙",
    "手机",
    "充电器",
]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tiny_bert: Path) -> Model:
    return read(tiny_bert)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    products = {f"p{at}": f"{WORDS[at % 14]} {WORDS[at * 5 % 13]} {WORDS[at * 3 % 11]} {at}" for at in range(60)}
    queries = {f"q{at}": f"{WORDS[at % 14]} {WORDS[at * 7 % 13]}" for at in range(25)}
    return Corpus(queries, products, list(products.values()))


@pytest.fixture
def encode(tiny_bert: Path) -> EncodeSettings:
    return EncodeSettings(source=str(tiny_bert), cache=str(tiny_bert.parent / "cache"), threads=1)
