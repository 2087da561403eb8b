"""``mercer check SHOP --training``: a leak is printed with both figures, and stands in the way."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mercer.cli import app


@pytest.fixture
def run(own_shop):
    return lambda *words: CliRunner().invoke(app, ["check", str(own_shop), *map(str, words)])


@pytest.fixture
def table(tmp_path):
    """The table that the maintainers gave as an example."""
    rng = np.random.default_rng(0)
    user, item, rating = rng.integers(0, 40, 600), rng.integers(0, 70, 600), rng.integers(1, 6, 600)
    texts = [f"User {u} recommends item {i} with rating {r}" for u, i, r in zip(user, item, rating, strict=True)]
    path = tmp_path / "train.parquet"
    pq.write_table(pa.table({"text": texts, "price": rng.normal(10, 2, 600), "rating": rating}), path)
    return path


def test_a_leak_is_blocked_with_both_figures(run, table):
    ran = run("--training", table, "--label", "rating")
    assert ran.exit_code == 1 or ran.exception.exit_code == 1
    assert "inflated_auc 1.000, honest_auc 0." in str(ran.exception)
    assert "X01" in ran.output


def test_as_json(run, table):
    ran = run("--training", table, "--label", "rating", "--input", "text", "--json")
    told = json.loads(ran.output)
    assert told["gate"]["decision"] == "block"
    assert told["figures"]["honest_auc"] == 0.5
    assert {"X01", "X06"} <= {row["check_id"] for row in told["problems"]}


def test_honest_inputs_pass(run, table):
    ran = run("--training", table, "--label", "rating", "--input", "price")
    assert ran.exit_code == 0, ran.exception
    assert "pass" in ran.output


@pytest.mark.parametrize(("words", "cure"), [([], "--label"), (["--label", "nothing"], "it has")])
def test_what_is_missing(run, table, words, cure):
    ran = run("--training", table, *words)
    assert cure in str(ran.exception)


def test_csv_and_a_file_that_is_not_there(run, tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("price,rating\n" + "\n".join(f"{n % 7},{n % 2}" for n in range(200)), "utf-8")
    assert run("--training", path, "--label", "rating").exit_code == 0
    assert "is no file" in str(run("--training", tmp_path / "no.csv", "--label", "rating").exception)
