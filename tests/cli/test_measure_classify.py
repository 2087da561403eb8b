"""Any labelled file can be measured; what cannot be is told with its cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.cli.measure_classify import labelled_texts, measure_ways
from mercer.errors import DataError, MercerError, NotFoundError, SettingsError
from mercer.learn.few_contrast import ContrastSettings
from mercer.learn.few_pretrain import PretrainSettings
from mercer.learn.few_ways import WAYS
from mercer.learn.prompt import PromptSettings
from mercer.shop import Shop

SMALL = {
    "contrast": ContrastSettings(least=2, most=2, batch=2),
    "pretrain": PretrainSettings(steps=2, batch=2),
    "prompt": PromptSettings(pretrain=2, least=2, most=2, batch=2),
}
GOOD = ["fast delivery", "quick shipping", "arrived soon", "delivery was fast", "shipping quick", "soon arrived"]
BAD = ["broken screen", "screen cracked", "it is broken", "cracked case", "case broken", "the screen broke"]
ROWS = [(text, "speed") for text in GOOD] + [(text, "damage") for text in BAD]


def written(folder: Path, kind: str) -> Path:
    path = folder / f"rows.{kind}"
    if kind == "jsonl":
        lines = [json.dumps({"said": text, "class": label}) for text, label in ROWS]
    else:
        mark = "\t" if kind == "tsv" else ","
        lines = [mark.join(row) for row in [("said", "class"), *ROWS]]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_any_kind_of_file_is_read(tmp_path: Path, kind: str) -> None:
    texts, labels = labelled_texts(written(tmp_path, kind), "said", "class")
    assert list(zip(texts, labels, strict=True)) == ROWS


def test_columns_and_labels_that_lack_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no column 'text'"):
        labelled_texts(written(tmp_path, "csv"), "text", "class")
    (tmp_path / "empty.csv").write_text("said,class\nhello,\n", "utf-8")
    with pytest.raises(DataError, match="no row"):
        labelled_texts(tmp_path / "empty.csv", "said", "class")


def test_the_command_tells_what_a_way_gains(tmp_path: Path) -> None:
    path = str(written(tmp_path, "csv"))
    given = ["measure", "classify", "--train", path, "--test", path, "--text", "said", "--label", "class"]
    found = CliRunner().invoke(app, [*given, "--ways", "tfidf", "--shots", "2,all", "--seeds", "2", "--json"])
    told = json.loads(found.stdout)
    assert [(row["shots"], row["draws"]) for row in told["rows"]] == [(2, 2), ("all", 1)]
    assert told["rows"][1]["accuracy"] == 1.0
    assert told["test_texts_also_in_train"] == 12
    assert CliRunner().invoke(app, [*given, "--ways", "tfidf"]).exit_code == 0


@pytest.mark.parametrize(
    ("option", "value"), [("--ways", "magic"), ("--shots", "0"), ("--shots", "few"), ("--ways", "")]
)
def test_nonsense_is_refused(tmp_path: Path, option: str, value: str) -> None:
    path = str(written(tmp_path, "csv"))
    given = ["measure", "classify", "--train", path, "--test", path, "--text", "said", "--label", "class"]
    found = CliRunner().invoke(app, [*given, option, value])
    assert isinstance(found.exception, MercerError)


def test_every_way_learns_on_a_tiny_model(masked_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model knows nothing; that each way runs to its end and gives chances of the classes is what is held."""
    pytest.importorskip("peft")
    monkeypatch.setattr("mercer.learn.few_ways.LEAST", 1)
    ways = [way for way in WAYS if way != "mixed"]  # which is two of the others
    rows = measure_ways(
        (GOOD[:4] + BAD[:4], ["speed"] * 4 + ["damage"] * 4),
        (GOOD[4:] + BAD[4:], ["speed"] * 2 + ["damage"] * 2),
        ways=ways,
        shots=[2],
        seeds=1,
        source=str(masked_bert),
        own=SMALL,
        epochs=0.01,
    )
    assert [row["way"] for row in rows] == ways
    assert all(0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1 for row in rows)


def test_a_shops_sections_are_taken_and_nonsense_in_them_is_told(tmp_path: Path) -> None:
    Shop.create(tmp_path / "shop")
    path = str(written(tmp_path, "csv"))
    given = ["measure", "classify", "--train", path, "--test", path, "--text", "said", "--label", "class"]
    (tmp_path / "shop" / "mercer.toml").write_text("[learn.head]\nngram_strength = 2.0\n", "utf-8")
    told = [*given, "--ways", "tfidf", "--shop", str(tmp_path / "shop")]
    assert CliRunner().invoke(app, told).exit_code == 0
    (tmp_path / "shop" / "mercer.toml").write_text("[learn.head]\nngram_strength = -2.0\n", "utf-8")
    assert isinstance(CliRunner().invoke(app, told).exception, SettingsError)


@pytest.fixture(scope="module")
def masked_bert(mask_piece: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mask_piece(tmp_path_factory.mktemp("masked"))
