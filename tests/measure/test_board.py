"""A board: stable JSON, aligned text, one page that loads nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from mercer.errors import RequestError
from mercer.measure.board import Board
from mercer.measure.compare import Resampling
from mercer.measure.page import page, plot

HOW = Resampling(samples=200, swaps=200)


@pytest.fixture(scope="module")
def board() -> Board:
    rng = np.random.default_rng(0)
    base = rng.uniform(0, 0.7, 50)
    systems = {
        name: {
            metric: {f"q{row}": float(value) for row, value in enumerate(base + gain)}
            for metric in ("nDCG@10", "Recall@100")
        }
        for name, gain in (("lexical", 0.0), ("混合检索", 0.2), ("<b>$x$", 0.0))
    }
    facts = {"lexical": {"coverage@10": 0.5}}
    return Board.of("search", systems, seed=3, facts=facts, how=HOW)


def test_json_has_the_promised_shape(board: Board) -> None:
    shape = json.loads(json.dumps(board.json(), allow_nan=False))
    assert list(shape) == ["measure", "queries", "systems", "comparisons", "level", "seed"]
    assert (shape["measure"], shape["queries"], shape["seed"]) == ("search", 50, 3)
    assert list(shape["systems"]["混合检索"]["nDCG@10"]) == ["value", "low", "high"]
    assert shape["systems"]["lexical"]["coverage@10"] == {"value": 0.5, "low": None, "high": None}
    row = shape["comparisons"][0]
    assert list(row) == [
        "system", "baseline", "metric", "difference", "relative", "low", "high", "p", "n", "p_holm"
    ]  # fmt: skip
    assert (row["system"], row["baseline"], row["metric"]) == ("混合检索", "lexical", "nDCG@10")
    assert row["difference"] == pytest.approx(0.2)
    assert row["p_holm"] == pytest.approx(2 * row["p"])
    assert len(shape["comparisons"]) == 4


def test_interval_holds_its_value(board: Board) -> None:
    for metrics in board.systems.values():
        assert all(spread.low < spread.value < spread.high for spread in metrics.values())


def test_text_is_aligned_and_stars_what_differs(board: Board) -> None:
    lines = board.text().splitlines()
    assert lines[0].split() == ["system", "nDCG@10", "Recall@100", "coverage@10"]
    wide = [sum(2 if "一" <= c <= "鿿" else 1 for c in line[: line.index("[")]) for line in lines[1:4]]
    assert len(set(wide)) == 1
    assert [line.count("*") for line in lines[1:4]] == [0, 2, 0]
    assert lines[1].endswith("0.5000")
    assert "50" in lines[4]
    assert "seed 3" in lines[4]


def test_one_system_needs_no_comparison() -> None:
    alone = Board.of("search", {"live": {"MRR": {"a": 0.5, "b": 1.0}}}, seed=1, how=HOW)
    assert alone.comparisons == ()
    assert "*" not in alone.text()


def test_page_is_whole_and_safe(board: Board) -> None:
    html = page(board)
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "混合检索" in html
    assert not re.search(r'(src|href)="(?!#)', html), "the page loads something"
    assert not re.findall(r"@import|url\((?!#)", html)
    assert html.count("<tr>") == 1 + 3 + 1 + 4


def test_plot_is_svg_and_the_same_again(board: Board) -> None:
    drawn = plot(board)
    words = [node.text for node in ET.fromstring(drawn).iter() if node.tag.endswith("text")]
    assert {"nDCG@10", "Recall@100", "混合检索"} <= set(words)
    assert drawn == plot(board)


def test_same_seed_same_board(board: Board) -> None:
    values = {"a": {"HR": {"x": 1.0, "y": 0.0, "z": 0.5}}, "b": {"HR": {"x": 0.0, "y": 0.5, "z": 0.5}}}
    first, again = (Board.of("recommend", values, seed=9, how=HOW).json() for _ in range(2))
    assert first == again
    assert Board.of("recommend", values, seed=9, how=HOW, baseline="b").json()["comparisons"][0]["system"] == "a"


@pytest.mark.parametrize(
    "systems",
    [
        {},
        {"a": {}},
        {"a": {"HR": {"x": 1.0}}, "b": {"MRR": {"x": 1.0}}},
        {"a": {"HR": {"x": 1.0}}, "b": {"HR": {"y": 1.0}}},
        {"a": {"HR": {}}},
    ],
)
def test_refused(systems: dict) -> None:
    with pytest.raises(RequestError):
        Board.of("search", systems, seed=1)


def test_unknown_baseline_names_the_known() -> None:
    with pytest.raises(RequestError, match="name one of: a"):
        Board.of("search", {"a": {"HR": {"x": 1.0}}}, seed=1, baseline="z")


def test_measuring_loads_nothing_heavy() -> None:
    rooms = ", ".join(f"mercer.measure.{name}" for name in ("board", "page", "metric", "split", "recommended"))
    code = f"import sys, {rooms}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "scipy", "pyarrow", "jinja2", "torch"} & set(loaded)
