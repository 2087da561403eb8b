"""The longer examples run as they are told to."""

import importlib.util
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_rating_regression(tiny_bert, tmp_path, capsys):
    """In a tiny setting: the textbook's table is blocked, the honest one is not, and the model's figure is told."""
    pytest.importorskip("accelerate")
    spec = importlib.util.spec_from_file_location("rating_regression", EXAMPLES / "rating_regression.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    words = [str(tmp_path), "--products", "200", "--steps", "4", "--model", str(tiny_bert)]
    figures = example.main(words)
    said = capsys.readouterr().out
    assert "training table of the textbook: gate block" in said
    assert "training table of the here" not in said
    assert "training table made here: gate block" not in said
    assert 0 < figures["model"] < 1
    assert figures["mean of the product"] > 0.5


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("content_feed", ("--readers", "80"), "is among the first ten of"),
        ("ads_with_bids", ("--auctions", "4000"), "the highest bid always:"),
    ],
)
def test_what_is_no_shop(name, words, said, monkeypatch, capsys):
    """A feed of articles and a place for advertisements, in small."""
    monkeypatch.setattr("sys.argv", [name, *words])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert said in capsys.readouterr().out
